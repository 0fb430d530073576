"""A mail server that takes every mail and keeps none, so many a second: `python -m bench.sink PORT RATE`."""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import suppress


class Sink:
    """Speaks as much SMTP as a sender needs (RFC 5321, PIPELINING of RFC 2920), and answers final dots at a rate."""

    def __init__(self, rate: float, offers: Sequence[str] = ("8BITMIME", "PIPELINING")) -> None:
        self._hello = "\r\n250-".join(("250-sink", *offers[:-1])).encode() + f"\r\n250 {offers[-1]}\r\n".encode()
        self._gap = 1 / rate
        self._next = 0.0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                match line[:4].upper().strip():
                    case b"EHLO":
                        writer.write(self._hello)
                    case b"DATA":
                        writer.write(b"354 go on\r\n")
                        await reader.readuntil(b"\r\n.\r\n")
                        await self._turn()
                        writer.write(b"250 2.0.0 taken\r\n")
                    case b"BDAT":  # RFC 3030; whoever sends here sends each message as one chunk
                        await reader.readexactly(int(line.split()[1]))
                        await self._turn()
                        writer.write(b"250 2.0.0 taken\r\n")
                    case b"QUIT":
                        writer.write(b"221 bye\r\n")
                        break
                    case _:
                        writer.write(b"250 2.0.0 ok\r\n")
                await writer.drain()
        writer.close()

    async def _turn(self) -> None:
        now = time.monotonic()
        self._next = max(self._next + self._gap, now - 10 * self._gap)
        if self._next > now:
            await asyncio.sleep(self._next - now)


async def main(port: int, rate: float) -> None:
    server = await asyncio.start_server(Sink(rate).talk, "127.0.0.1", port, limit=1 << 20)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
