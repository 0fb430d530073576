"""Trying a transaction again that lost against another one."""

import asyncio
from collections.abc import Awaitable, Callable
from random import uniform
from typing import TypeVar

from app.core.errors import StorageContention

T = TypeVar("T")

TRIES = 4
"""How often a transaction is tried, the first time included."""
_PAUSE = 0.05


async def pause(failed: int) -> None:
    """Waits before the next try, after `failed` of them: about 0.05 s, then twice as long each time, with jitter."""
    await asyncio.sleep(uniform(0.5, 1.5) * _PAUSE * 2 ** (failed - 1))  # noqa: S311  # no secret hangs on it


async def retried(step: Callable[[], Awaitable[T]]) -> T:
    """The result of `step`, which is one whole transaction and has no effect outside it.

    After a StorageContention it is called again, `TRIES` times in all; then the error is raised.
    """
    for failed in range(1, TRIES):
        try:
            return await step()
        except StorageContention:
            await pause(failed)
    return await step()
