"""The receiving side: a mail server that writes down every mail it accepts, before it says so."""

import asyncio
import contextlib
import random
import re
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_ID = re.compile(rb"(?mi)^Message-ID:\s*<([^@>]+)@")
_TO = re.compile(rb"<([^>]*)>")


class Receiver:
    """Counts mails by Message-ID and by recipient. Lives in a thread of its own, so that it outlives every sender.

    Takes about `rate` mails a second, over however many connections: so there is always mail in the air.
    """

    def __init__(
        self,
        rate: float,
        seed: int,
        *,
        port: int = 0,
        hosts: Sequence[str] = ("127.0.0.1",),
        books: "Receiver | None" = None,
        mute_at: bytes | None = None,
    ) -> None:
        """`books`: another receiver, into whose accounts this one writes too.

        `mute_at`: the command that it never answers; an empty one is the greeting.
        """
        self.mute_at = mute_at
        self.kept_waiting = 0
        """Connections to which it says nothing any more."""
        self.received: Counter[str] = books.received if books else Counter()
        """By the local part of the Message-ID."""
        self.recipients: dict[str, str] = books.recipients if books else {}
        """The recipient of each Message-ID."""
        self.senders: Counter[str] = Counter()
        """Mails by the address they came from."""
        self.rate = rate
        self.port = port
        self.hosts = hosts
        """It listens at each of them, and at the same port."""
        self.taken = 0
        """Mails that this one accepted."""
        self._next = 0.0
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    @property
    def count(self) -> int:
        """Mails accepted so far, copies included."""
        return self.received.total()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._ended = asyncio.Event()
        self._talks: set[asyncio.Task[None]] = set()
        servers = []
        for host in self.hosts:
            server = await asyncio.start_server(self._accept, host, self.port, limit=1 << 20)
            self.port = server.sockets[0].getsockname()[1]
            servers.append(server)
        self._started.set()
        await self._ended.wait()
        for server in servers:
            server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await asyncio.sleep(0)  # a closed connection takes a turn of the loop to be gone

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = self._loop.create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """RFC 5321 with PIPELINING (RFC 2920): answers command by command, whatever arrives together."""
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                if self.mute_at == b"":
                    await self._say_nothing()
                writer.write(b"220 receiver\r\n")
                recipient = ""
                while line := await reader.readline():
                    if line[:4].upper().strip() == self.mute_at:
                        await self._say_nothing()
                    match line[:4].upper().strip():
                        case b"EHLO":
                            answer = b"250-receiver\r\n250-8BITMIME\r\n250 PIPELINING\r\n"
                        case b"RCPT":
                            found = _TO.search(line)
                            recipient, answer = (found[1].decode() if found else ""), b"250 2.1.5 ok\r\n"
                        case b"DATA":
                            writer.write(b"354 go on\r\n")
                            answer = await self._taken(await reader.readuntil(b"\r\n.\r\n"), recipient)
                            self.senders[writer.get_extra_info("peername")[0]] += 1
                        case b"QUIT":
                            writer.write(b"221 2.0.0 bye\r\n")
                            break
                        case _:
                            answer = b"250 2.0.0 ok\r\n"
                    writer.write(answer)
                    await writer.drain()
        finally:
            writer.close()

    async def _say_nothing(self) -> None:
        self.kept_waiting += 1
        await asyncio.Event().wait()

    async def _taken(self, mail: bytes, recipient: str) -> bytes:
        # Half of the wait before the mail counts and half after it: a sender may die at either side of that instant.
        self._next = max(self._next + self._chance.uniform(0, 2 / self.rate), self._loop.time())
        wait = self._next - self._loop.time()
        await asyncio.sleep(wait / 2)
        found = _ID.search(mail)
        assert found, mail[:500]
        self.received[found[1].decode()] += 1
        self.taken += 1
        self.recipients[found[1].decode()] = recipient
        await asyncio.sleep(wait / 2)
        return b"250 2.0.0 taken\r\n"
