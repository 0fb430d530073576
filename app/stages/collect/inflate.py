"""Reads an answer's body, unpacked, up to a size: a bomb is put down before it goes off."""

import zlib

import httpx

ACCEPTED = "gzip, deflate"
_NONE = frozenset({"", "identity", "none", "binary", "utf-8", "utf8", "8bit", "7bit"})
_GZIP = b"\x1f\x8b"


class TooLarge(ValueError):
    """There is more than was asked for."""


async def body_of(response: httpx.Response, largest: int) -> bytes:
    """The unpacked body. Raises TooLarge past `largest` bytes, ValueError where it cannot be unpacked.

    httpx unpacks a whole chunk before anybody may count; a chunk of 64 kB can unpack to 64 MB.
    """
    unpack = _Unpacking(_packed(response.headers.get("content-encoding", "")), largest)
    async for chunk in response.aiter_raw():
        try:
            unpack.feed(chunk)
        except zlib.error:
            raise ValueError("its answer could not be unpacked") from None
    unpack.end()
    return bytes(unpack.body)


def _packed(header: str) -> str:
    """`gzip`, `deflate`, or nothing. Values that are no coding ("none", "utf-8") are common and mean that."""
    said = [one.strip().lower().removeprefix("x-") for one in header.split(",")]
    codings = [one for one in said if one not in _NONE]
    if not codings:
        return ""
    if codings not in (["gzip"], ["deflate"]):
        raise ValueError(f"its answer is packed as {', '.join(codings)[:20]!r}, which we did not ask for")
    return codings[0]


class _Unpacking:
    """Unpacks into `body`, never past one byte more than `largest`."""

    def __init__(self, packed: str, largest: int) -> None:
        self.body = bytearray()
        self._packed = packed
        self._largest = largest
        self._read = 0
        self._waiting = b""  # the first byte of a member, which needs two to be known
        self._member: zlib._Decompress | None = None
        self._members = 0  # that have ended
        self._ended = False

    def feed(self, chunk: bytes) -> None:
        """Raises TooLarge, zlib.error."""
        self._read += len(chunk)
        if self._packed:
            self._unpack(self._waiting + chunk)
        else:
            self.body += chunk
        if len(self.body) > self._largest or self._read > self._largest:
            raise TooLarge(f"its answer is larger than {self._largest // 1_000_000} MB")

    def end(self) -> None:
        """Raises ValueError where the answer broke off."""
        if self._packed and self._read and (self._member is not None or not self._members):
            raise ValueError("its answer broke off before it was unpacked")

    def _unpack(self, data: bytes) -> None:
        self._waiting = b""
        while data and not self._ended and len(self.body) <= self._largest:
            if self._member is None:
                if len(data) < 2:
                    self._waiting = data
                    return
                # Gzip may have several members (RFC 1952 section 2.2); what else follows is no part of the answer.
                self._ended = self._members > 0 and not (self._packed == "gzip" and data.startswith(_GZIP))
                if self._ended:
                    return
                self._member = self._begin(data)
            self.body += self._member.decompress(data, self._largest + 1 - len(self.body))
            data = b""
            if self._member.eof:
                data, self._member = self._member.unused_data, None
                self._members += 1

    def _begin(self, start: bytes) -> "zlib._Decompress":
        if self._packed == "gzip":
            return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        # RFC 9110 section 8.4.1.2: in zlib's wrapping (RFC 1950), which many servers leave out.
        wrapped = start[0] & 0x0F == zlib.DEFLATED and int.from_bytes(start[:2], "big") % 31 == 0
        return zlib.decompressobj(wbits=zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
