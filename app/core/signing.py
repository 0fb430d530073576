"""Signed links: purpose-bound HMAC tokens, derived from rows when a mail is rendered, never stored.

A token is base64url without padding of

    version (1 byte) · key id (2 bytes) · expiry (4 bytes, hours since 1970, 0 = never) · reference · tag (16 bytes)

where the tag is HMAC-SHA256 over the purpose and everything before it, cut to 128 bits (RFC 2104 section 5).
The reference is the opaque id of a row. The first key signs; every key verifies; a key marked
`retired:` verifies unsubscribe links only, because those must work for as long as anybody keeps the mail.
"""

import hashlib
import hmac
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from app.core.errors import ConfigurationError, InvalidToken

_HEADER = struct.Struct(">BHI")
_TAG = 16
_URLSAFE = bytes.maketrans(b"+/", b"-_")
_VERSION = 1
_SEAL, _SEALED = struct.Struct(">BH"), 2
"""Version and key id of what is sealed; the version of the tokens above is another."""
_LONGEST = 128
_LONGEST_REFERENCE = 64
RETIRED = "retired:"
SHORTEST_KEY = 32


class Purpose(StrEnum):
    """What a link may do. A token made for one purpose never opens another."""

    CONFIRM = "confirm"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    DOWNLOAD = "download"
    ERASE = "erase"
    MOVE = "move"
    NEW_ADDRESS = "new-address"
    OLD_ADDRESS = "old-address"
    RETURN_PATH = "return-path"
    """Never a link: `core.mail.return_path`."""


_LABELS = {purpose: b"morningpost " + purpose.value.encode() + b"\0" for purpose in Purpose}


@dataclass(frozen=True, slots=True)
class _Key:
    id: int
    secret: bytes = field(repr=False)
    retired: bool = False


def _key(text: str) -> _Key:
    retired = text.startswith(RETIRED)
    secret = text.removeprefix(RETIRED).encode()
    if len(secret) < SHORTEST_KEY:
        raise ConfigurationError(f"each key of MORNINGPOST_SECRET_KEYS needs at least {SHORTEST_KEY} characters")
    digest = hashlib.sha256(b"morningpost key id\0" + secret).digest()
    return _Key(int.from_bytes(digest[:2], "big"), secret, retired)


class Signer:
    """Makes and reads tokens with the keys of SECRET_KEYS, in their order."""

    def __init__(self, keys: Sequence[str]) -> None:
        parsed = [_key(text) for text in keys]
        if not parsed or parsed[0].retired:
            raise ConfigurationError("MORNINGPOST_SECRET_KEYS needs a first key that is not retired: it signs")
        self._first = parsed[0]
        self._keys = parsed

    def sign(self, purpose: Purpose, reference: str, expires: datetime | None = None) -> str:
        """A token for `reference` (ASCII, 1 to 64 characters); `expires` is rounded up to a whole hour."""
        if not 1 <= len(reference) <= _LONGEST_REFERENCE:
            raise ValueError(f"a reference has 1 to {_LONGEST_REFERENCE} characters")
        hours = 0 if expires is None else -int(-expires.timestamp() // 3600)
        body = _HEADER.pack(_VERSION, self._first.id, hours) + reference.encode("ascii")
        # By hand what `urlsafe_b64encode` does: every paper has two such links.
        encoded = b2a_base64(body + self._tag(self._first, purpose, body), newline=False)
        return encoded.translate(_URLSAFE, b"=").decode("ascii")

    def read(self, purpose: Purpose, token: str, now: datetime, *, late: bool = False) -> str:
        """The reference in `token`. Raises InvalidToken, with `expired` set where only the time is wrong.

        `late` reads a link that has run out as well: to make a new one, never to carry it out.
        """
        body, tag = self._open(token)
        _, key_id, hours = _HEADER.unpack_from(body)
        if not any(self._matches(key, purpose, key_id, body, tag) for key in self._keys):
            raise InvalidToken
        if not late and hours and now >= datetime.fromtimestamp(0, UTC) + timedelta(hours=hours):
            raise InvalidToken("This link has run out.", expired=True)
        return body[_HEADER.size :].decode("ascii")

    def seal(self, purpose: Purpose, body: bytes) -> bytes:
        """`body` with 3 octets before it and a tag of 16 behind, for what is no link: no expiry, any spelling."""
        sealed = _SEAL.pack(_SEALED, self._first.id) + body
        return sealed + self._tag(self._first, purpose, sealed)

    def unseal(self, purpose: Purpose, sealed: bytes) -> bytes:
        """What `seal` was given. Raises InvalidToken."""
        body, tag = sealed[:-_TAG], sealed[-_TAG:]
        if len(body) < _SEAL.size:
            raise InvalidToken
        version, key_id = _SEAL.unpack_from(body)
        if version != _SEALED or not any(self._matches(key, purpose, key_id, body, tag) for key in self._keys):
            raise InvalidToken
        return body[_SEAL.size :]

    def is_current(self, purpose: Purpose, token: str) -> bool:
        """Was `token` signed with a key that is in use? What a retired key signed lets a reader leave, no more."""
        try:
            body, tag = self._open(token)
        except InvalidToken:
            return False
        _, key_id, _ = _HEADER.unpack_from(body)
        return any(self._matches(key, purpose, key_id, body, tag) for key in self._keys if not key.retired)

    def mac(self, label: str, *parts: str) -> bytes:
        """A keyed digest for other uses (form nonces, idempotency), bound to `label`."""
        message = "\0".join((label, *parts)).encode()
        return hmac.new(self._first.secret, b"morningpost mac\0" + message, hashlib.sha256).digest()

    @staticmethod
    def _tag(key: _Key, purpose: Purpose, body: bytes) -> bytes:
        return hmac.digest(key.secret, _LABELS[purpose] + body, "sha256")[:_TAG]

    def _matches(self, key: _Key, purpose: Purpose, key_id: int, body: bytes, tag: bytes) -> bool:
        if key.id != key_id or (key.retired and purpose is not Purpose.UNSUBSCRIBE):
            return False
        return hmac.compare_digest(self._tag(key, purpose, body), tag)

    @staticmethod
    def _open(token: str) -> tuple[bytes, bytes]:
        if len(token) > _LONGEST or not token.isascii():
            raise InvalidToken
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            raise InvalidToken from None
        # Canonical form only: a decoder that forgives stray characters would give one row many links.
        canonical = urlsafe_b64encode(raw).rstrip(b"=").decode()
        if canonical != token or len(raw) <= _HEADER.size + _TAG or raw[0] != _VERSION:
            raise InvalidToken
        body = raw[:-_TAG]
        if not body[_HEADER.size :].isascii():
            raise InvalidToken
        return body, raw[-_TAG:]


class Suppressor:
    """Names an address without holding it: HMAC-SHA256 under SUPPRESSION_KEY, which is never rotated.

    A plain hash of an address could be found out by trying addresses; a keyed one cannot.
    """

    def __init__(self, key: str) -> None:
        if len(key) < SHORTEST_KEY:
            raise ConfigurationError(f"SUPPRESSION_KEY needs at least {SHORTEST_KEY} characters")
        self._key = key.encode()

    def hash(self, address_key: str) -> str:
        """64 hexadecimal digits for a case-folded address."""
        return hmac.digest(self._key, b"morningpost suppression\0" + address_key.encode(), "sha256").hex()

    @property
    def fingerprint(self) -> str:
        """Tells one key from another without telling the key."""
        return hmac.digest(self._key, b"morningpost suppression key", "sha256").hex()[:16]


def opaque_reference() -> str:
    """A new id for use in URLs: 96 random bits as 16 URL-safe characters."""
    return secrets.token_urlsafe(12)


def opaque_references(count: int) -> list[str]:
    """New ids that begin alike: 24 random bits in common, 72 of each one's own.

    An index keeps those side by side on a few pages, where as many ids without a common beginning would touch a page
    each: with a million rows that is the larger part of an import's work.
    """
    beginning = secrets.token_urlsafe(3)
    own = urlsafe_b64encode(secrets.token_bytes(9 * count)).decode()
    return [beginning + own[at : at + 12] for at in range(0, 12 * count, 12)]
