"""Reads an answer's body, unpacked, up to a size: a bomb is put down before it goes off."""

import zlib

import httpx

ACCEPTED = "gzip, deflate"


class TooLarge(ValueError):
    """There is more than was asked for."""


async def body_of(response: httpx.Response, largest: int) -> bytes:
    """The unpacked body. Raises TooLarge past `largest` bytes, ValueError where it cannot be unpacked.

    httpx unpacks a whole chunk before anybody may count; a chunk of 64 kB can unpack to 64 MB.
    """
    packed = response.headers.get("content-encoding", "").strip().lower()
    if packed not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise ValueError(f"its answer is packed as {packed[:20]!r}, which we did not ask for")
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32) if packed not in ("", "identity") else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        try:
            # One byte more than there is room for tells that it is too much.
            body += chunk if unpack is None else unpack.decompress(chunk, largest + 1 - len(body))
        except zlib.error:
            raise ValueError("its answer could not be unpacked") from None
        if len(body) > largest:
            raise TooLarge(f"its answer is larger than {largest // 1_000_000} MB")
    if unpack is not None and not unpack.eof:
        raise ValueError("its answer broke off before it was unpacked")
    return bytes(body)
