"""Two things at once, in an order that is certain: the first stops at a chosen call until the second had its turn."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

A_TURN = 0.5
"""Seconds that the second gets; where it waits for a lock of the first, the first goes on then."""


class Stop:
    """The call at which the first stops: `reached` once it is there; it goes on after `go_on`."""

    def __init__(self, call: int = 1) -> None:
        self._call = call
        self.reached = asyncio.Event()
        self._open = asyncio.Event()
        self.times = 0

    def go_on(self) -> None:
        self._open.set()

    async def wait(self) -> None:
        self.times += 1
        if self.times == self._call:
            self.reached.set()
            await self._open.wait()


def stop_at(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, *, after: bool = False, call: int = 1) -> Stop:
    """A call of `module.name`, an async function, stops before it begins, or once it is done (`after`).

    `call` says which: the first is 1.
    """
    stop, original = Stop(call), getattr(module, name)

    async def stopped(*args: Any, **kwargs: Any) -> Any:
        if not after:
            await stop.wait()
        result = await original(*args, **kwargs)
        if after:
            await stop.wait()
        return result

    monkeypatch.setattr(module, name, stopped)
    return stop


async def at_once(stop: Stop, first: Coroutine[Any, Any, Any], second: Callable[[], Awaitable[Any]]) -> tuple[Any, Any]:
    """Runs `first` up to `stop`, then `second` to its end or until it waits for `first`, then both to their ends.

    Gives what each returned or raised. A `first` that never comes to the stop is an AssertionError: the test would
    show nothing.
    """
    one = asyncio.create_task(first)
    arrived = asyncio.create_task(stop.reached.wait())
    await asyncio.wait({one, arrived}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    arrived.cancel()
    if not stop.reached.is_set():
        one.cancel()
        with suppress(asyncio.CancelledError):
            raise AssertionError(f"the first never stopped: {await one!r}")
    other = asyncio.ensure_future(second())
    await asyncio.wait({other}, timeout=A_TURN)
    stop.go_on()
    returned = await asyncio.wait_for(asyncio.gather(one, other, return_exceptions=True), 60)
    return returned[0], returned[1]
