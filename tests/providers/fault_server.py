"""A mail server of our own that speaks PIPELINING and CHUNKING, and misbehaves in every way a wire can.

`smtp_server` is a real server, and right where it is not told otherwise; this one exists for what a real server cannot
be made to do: replies in pieces, half-closed connections, answers before their time, BDAT.
"""

import asyncio
import base64
from collections import defaultdict
from contextlib import suppress

DROP, HALF, STALL, GARBAGE, ENDLESS, DRIBBLE, UNASKED = [
    "drop",
    "half",
    "stall",
    "garbage",
    "endless",
    "dribble",
    "unasked",
]
OFFERS = {
    "lockstep": ("SIZE 50000000",),
    "pipelined": ("PIPELINING", "SIZE 50000000", "8BITMIME"),
    "chunked": ("PIPELINING", "SIZE 50000000", "CHUNKING"),
}


class FaultServer:
    """`script` holds, for a stage, what to do at its next visits: a reply (lines joined by LF), a fault, or "".

    Stages: MAIL RCPT DATA BODY DOT RSET; with CHUNKING the end of BDAT LAST is DOT, and there is no DATA. A server that
    is not `strict` answers DATA with 354 though it took no recipient.
    """

    def __init__(self, manner: str, *, strict: bool = True) -> None:
        self.offers = OFFERS[manner]
        self.strict = strict
        self.token = ""
        """Where there is one, the server wants it by XOAUTH2 before anything else."""
        self.script: dict[str, list[str]] = defaultdict(list)
        self.always: dict[str, str] = {}
        self.refuses: dict[str, str] = {}
        """What it says to RCPT for readers at a domain."""
        self.received: list[tuple[str, bytes]] = []
        self.verbs: list[str] = []
        self.connections = 0
        self.deepest = 0
        """The most envelopes that had come in ahead of their time."""
        self.port = 0
        self.delay = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0, limit=1 << 24)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.received]

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await _Talk(self, reader, writer).go_on()
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


class _Talk:
    def __init__(self, server: FaultServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._sender: str | None = None
        self._recipient = ""
        self._chunks = b""
        self._broken = False

    async def go_on(self) -> None:
        self._say("220 mx.inbox.example ready")
        while (line := await self._reader.readline()) and not self._broken:
            verb, _, rest = line.decode().strip().partition(" ")
            self._server.verbs.append(verb.upper())
            self._look_ahead()
            await getattr(self, f"_{verb.lower()}")(rest)
            with suppress(ConnectionError):
                await self._writer.drain()

    def _look_ahead(self) -> None:
        pending = bytes(getattr(self._reader, "_buffer", b""))
        self._server.deepest = max(self._server.deepest, pending.count(b"MAIL FROM:"))

    def _say(self, reply: str) -> None:
        code, *lines = reply[:3], *reply[4:].split("\n")
        last = len(lines) - 1
        for number, line in enumerate(lines):
            self._writer.write(f"{code}{' ' if number == last else '-'}{line}\r\n".encode())

    async def _answer(self, stage: str, good: str) -> bool:  # noqa: C901  # one case a fault
        """Answers; False where the answer was no consent."""
        actions = self._server.script[stage]
        action = actions.pop(0) if actions else self._server.always.get(stage, "")
        if self._server.delay:
            await asyncio.sleep(self._server.delay)
        match action:
            case "":
                self._say(good)
            case "drop":
                self._writer.transport.abort()
                raise ConnectionError
            case "half":
                self._writer.write_eof()
                await asyncio.sleep(3600)
            case "stall":
                await asyncio.sleep(3600)
            case "garbage":
                self._writer.write(b"what do you mean?\r\n")
                await asyncio.sleep(3600)
            case "endless":
                self._writer.write(b"250-" + b"x" * 200_000)
                await asyncio.sleep(3600)
            case "dribble":
                for octet in good.encode() + b"\r\n":
                    self._writer.write(bytes((octet,)))
                    await self._writer.drain()
                    await asyncio.sleep(0.001)
            case "unasked":
                self._say(good)
                self._say(good)
            case reply:
                self._say(reply)
                self._broken = reply.startswith("421")
                return reply.startswith(("2", "3"))
        return True

    async def _ehlo(self, _: str) -> None:
        login = ("AUTH XOAUTH2",) if self._server.token else ()
        self._say("250 " + "\n".join(("mx.inbox.example", *self._server.offers, *login)))

    async def _auth(self, rest: str) -> None:
        wanted = f"user=news@paper.example\1auth=Bearer {self._server.token}\1\1"
        if base64.b64decode(rest.removeprefix("XOAUTH2 ")).decode() == wanted:
            self._say("235 2.7.0 Accepted")
        else:
            self._say("535 5.7.8 Token expired")

    async def _mail(self, rest: str) -> None:
        if self._sender is not None:
            self._say("503 5.5.1 nested MAIL")
        elif await self._answer("MAIL", "250 2.1.0 Ok"):
            self._sender = rest

    async def _rcpt(self, rest: str) -> None:
        if self._sender is None:
            self._say("503 5.5.1 need MAIL")
        elif refusal := self._server.refuses.get(rest.partition("@")[2].rpartition(">")[0]):
            self._say(refusal)
        elif await self._answer("RCPT", "250 2.1.5 Ok"):
            self._recipient = rest.partition("<")[2].rpartition(">")[0]

    async def _data(self, _: str) -> None:
        if not self._recipient and self._server.strict:
            self._say("554 5.5.1 no valid recipients")
            return
        if not await self._answer("DATA", "354 go on"):
            return
        if self._server.script["BODY"]:
            await self._reader.readuntil(b"\r\n")
            await self._answer("BODY", "552 5.3.4 too much")
            self._broken = True
            return
        content = await self._reader.readuntil(b"\r\n.\r\n") if self._recipient else await self._reader.readline()
        await self._end(content[:-3])

    async def _bdat(self, rest: str) -> None:
        size, _, last = rest.partition(" ")
        if self._server.script["BODY"]:
            await self._reader.readexactly(min(int(size), 10))
            await self._answer("BODY", "552 5.3.4 too much")
            self._broken = True
            return
        self._chunks += await self._reader.readexactly(int(size))
        if last:
            content, self._chunks = self._chunks, b""
            await self._end(content)
        elif self._recipient:
            self._say("250 2.0.0 chunk taken")
        else:
            self._say("503 5.5.1 no valid recipients")

    async def _end(self, content: bytes) -> None:
        self._look_ahead()
        recipient, self._recipient, self._sender = self._recipient, "", None
        if not recipient:
            self._say("554 5.5.1 no valid recipients")
        elif await self._answer("DOT", "250 2.0.0 Ok: queued as 1A"):
            self._server.received.append((recipient, content))

    async def _rset(self, _: str) -> None:
        self._recipient, self._sender, self._chunks = "", None, b""
        await self._answer("RSET", "250 2.0.0 Ok")

    async def _quit(self, _: str) -> None:
        self._say("221 2.0.0 Bye")
        self._broken = True
