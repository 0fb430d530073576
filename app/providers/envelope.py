"""A message made ready to be written: ASCII paths (RFC 5321 section 4.1.2) and bytes, or the reason there are none."""

import re
from dataclasses import dataclass

from app.core.mail.message import Message
from app.core.mail.receipt import Fault, Receipt, Rejected

# Dots may stand anywhere: there are old addresses such as a..b@ that their servers deliver.
_LOCAL = r"(?P<local>[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+|\"(?:[ !#-\[\]-~]|\\[ -~])*\")"
_DOMAIN = r"(?P<domain>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Za-z:.]+\])"
_PATH = re.compile(f"{_LOCAL}@{_DOMAIN}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the wire sees. `content` has CRLF lines."""

    sender: bytes
    recipient: bytes
    content: bytes
    options: bytes = b""
    """What MAIL says beside the sender."""


class BeyondAscii(ValueError):
    """An address that only SMTPUTF8 could carry. Sign-ups and imports take none."""


def path(address: str) -> bytes:
    """`address` as it stands between < and >. Raises ValueError with the reason it cannot be written."""
    if not address.isascii():
        raise BeyondAscii("the address has letters outside ASCII, which needs SMTPUTF8 (RFC 6531)")
    if not (match := _PATH.fullmatch(address)):
        raise ValueError("the address is malformed")
    if len(match["local"]) > 64 or len(match["domain"]) > 255 or len(address) > 254:
        raise ValueError("the address is longer than RFC 5321 section 4.5.3.1 allows")
    return address.encode("ascii")


def unreachable(message: Message) -> Rejected | None:
    """The receipt of a message whose recipient no provider of ours can write to."""
    try:
        path(message.recipient)
    except ValueError as error:
        return _unwritable(error)
    return None


def _unwritable(error: ValueError) -> Rejected:
    """There may well be a mailbox behind what we cannot write: then the address is not at fault."""
    if isinstance(error, BeyondAscii):
        return Rejected(str(error), Fault.MESSAGE, "smtputf8")
    return Rejected(str(error), Fault.ADDRESS, "bad-address")


def sealed(message: Message) -> Envelope | Receipt:
    """The message as bytes, or the receipt that says why there are none."""
    try:
        recipient = path(message.recipient)
    except ValueError as error:
        return _unwritable(error)
    try:
        return Envelope(path(message.return_path), recipient, message.as_bytes())
    except Exception as error:  # one reader's mail must not stop the others'
        return unmade(error)


def unmade(error: Exception) -> Rejected:
    """The receipt of a message that could not be built: a fault of ours."""
    return Rejected(f"the message could not be made: {error}", Fault.OURS, "unmade")
