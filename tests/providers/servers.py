"""The stand-ins in a thread of their own, for tests whose other parts are processes."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar


class StandIn(Protocol):
    """`SmtpServer` or `ResendServer`."""

    port: int

    async def start(self, port: int = 0) -> None: ...
    async def stop(self) -> None: ...


S = TypeVar("S", bound=StandIn)


@contextmanager
def in_thread(server: S) -> Iterator[S]:
    """`server`, listening on a free port of 127.0.0.1 until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
