"""A way to a server that is as bad as a test wants it: far, silent, or cut off at one end only."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    """Listens on a port of this machine and passes on to `target`, another port or a Unix socket's path.

    Runs in a thread of its own, so that tests may block.
    """

    def __init__(self, target: int | str, one_way: float = 0.0) -> None:
        self._target = target
        self.one_way = one_way
        """Seconds that every octet is held back, in either direction."""
        self.silent = False
        """Nothing passes in either direction, and nobody is told: what comes is thrown away."""
        self.asked = 0
        """How often a client sent something after it had heard, which is one round trip each."""
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._clients: set[asyncio.StreamWriter] = set()
        self._servers: set[asyncio.StreamWriter] = set()
        self._stranded: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def strand(self) -> None:
        """Ends all connections of clients; the server is not told, and goes on waiting for them."""
        self._call(self._strand())

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for writer in (*self._clients, *self._servers, *self._stranded):
            writer.transport.abort()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _strand(self) -> None:
        self._stranded |= self._servers
        self._servers.clear()
        for writer in tuple(self._clients):
            writer.transport.abort()
        self._clients.clear()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await self._reach()
        except OSError:
            writer.transport.abort()
            return
        self._clients.add(writer)
        self._servers.add(back)
        heard = [True]
        self._start(self._way(reader, back, heard, asks=True))
        self._start(self._way(there, writer, heard, asks=False))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _reach(self) -> Streams:
        if isinstance(self._target, str):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection("127.0.0.1", self._target)

    async def _way(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: list[bool], *, asks: bool
    ) -> None:
        """What comes leaves `one_way` later, however much of it is under way."""
        road: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arriving = self._start(self._arrive(road, writer))
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                if asks and heard[0]:
                    self.asked += 1
                heard[0] = not asks
                road.put_nowait((self._loop.time() + self.one_way, data))
        if not self.silent and writer not in self._stranded:
            road.put_nowait((self._loop.time() + self.one_way, b""))
            await arriving
        arriving.cancel()

    async def _arrive(self, road: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        while True:
            due, data = await road.get()
            if (left := due - self._loop.time()) > 0:
                await asyncio.sleep(left)
            if self.silent or writer in self._stranded:
                continue
            if not data:
                writer.close()
                return
            with suppress(ConnectionError):
                writer.write(data)
                await writer.drain()
