"""A message made ready to be written: ASCII paths (RFC 5321 section 4.1.2) and bytes, or the reason there are none."""

from dataclasses import dataclass

from app.core.mail.message import Message
from app.core.mail.path import BeyondAscii, path
from app.core.mail.receipt import Fault, Receipt, Rejected


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the wire sees. `content` has CRLF lines."""

    sender: bytes
    recipient: bytes
    content: bytes
    options: bytes = b""
    """What MAIL says beside the sender."""


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
