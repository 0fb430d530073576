"""Envelope senders that say which mail came back: `b-<token>@RETURN_PATH_DOMAIN`, one for each mail (VERP).

The token is base32 (RFC 4648 section 6) in small letters, because servers on the way may fold the case of a local part,
of what `Signer.seal` makes of

    edition (4 bytes, 0 = service mail) · reference (12 bytes: the reader's, or the service mail's)

That is 58 octets of the 64 that a local part may have (RFC 5321 section 4.5.3.1.1).
"""

import struct
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from app.core.errors import InvalidToken
from app.core.signing import Purpose, Signer

_BODY = struct.Struct(">I12s")
_PREFIX = "b-"
_REFERENCE, _TOKEN = 16, 56
"""Characters of a reference as URLs have it, and of a token."""


@dataclass(frozen=True, slots=True)
class Returned:
    """Which mail a return path is of: a reader's paper of `edition`, or where that is None a service mail."""

    edition: int | None
    ref: str


@dataclass(frozen=True, slots=True)
class ReturnPaths:
    """Makes and reads them. Without a domain every mail has `sender`, and nothing can be read from it."""

    signer: Signer
    domain: str
    sender: str

    def of_paper(self, edition: int, ref: str) -> str:
        """The return path of a reader's paper. Raises ValueError for a reference that is not one of ours."""
        return self._made(edition, ref) if self.domain else self.sender

    def of_service_mail(self, ref: str) -> str:
        """The return path of a service mail, by its own reference. Raises ValueError as `of_paper` does."""
        return self._made(0, ref) if self.domain else self.sender

    def read(self, address: str) -> Returned:
        """Which mail it is that came back to `address`, in any case of letters. Raises InvalidToken."""
        if not self.domain or not address.isascii():
            raise InvalidToken
        local, _, domain = address.lower().rpartition("@")
        if domain != self.domain or not local.startswith(_PREFIX) or len(local) != len(_PREFIX) + _TOKEN:
            raise InvalidToken
        try:
            sealed = b32decode(local.removeprefix(_PREFIX).upper())
            edition, raw = _BODY.unpack(self.signer.unseal(Purpose.RETURN_PATH, sealed))
        except (ValueError, struct.error):
            raise InvalidToken from None
        return Returned(edition or None, urlsafe_b64encode(raw).decode("ascii"))

    def _made(self, edition: int, ref: str) -> str:
        if len(ref) != _REFERENCE:
            raise ValueError("a return path carries references of 16 characters")
        body = _BODY.pack(edition, urlsafe_b64decode(ref))
        token = b32encode(self.signer.seal(Purpose.RETURN_PATH, body)).decode("ascii").lower()
        return f"{_PREFIX}{token}@{self.domain}"
