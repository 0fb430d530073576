"""What address a mail can be written to: decided here for the sign-up form and for the wire alike."""

import re

# Dots may stand anywhere: there are old addresses such as a..b@ that their servers deliver.
_LOCAL = r"(?P<local>[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+|\"(?:[ !#-\[\]-~]|\\[ -~])*\")"
_DOMAIN = r"(?P<domain>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Za-z:.]+\])"
_PATH = re.compile(f"{_LOCAL}@{_DOMAIN}")


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
