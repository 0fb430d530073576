"""Works through a list of requests at the pace that their host asks for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from app.stages.collect.deadline import Deadline

_LEISURELY = 30.0
"""A run that has more seconds than that is one that nobody waits for."""
_Item = TypeVar("_Item")


def abreast(deadline: Deadline) -> int:
    """How many requests at a time: one after another, as GitHub's good manners ask; three where somebody waits.

    The limit that GitHub enforces is a hundred.
    """
    return 1 if deadline.left > _LEISURELY else 3


async def each(
    items: Iterable[_Item], deed: Callable[[_Item], Awaitable[bool]], deadline: Deadline, lanes: int
) -> None:
    """Does `deed` to each item, in order, until one answers False ("no use in going on") or the time is up."""
    queue = iter(items)
    stopped = False

    async def lane() -> None:
        nonlocal stopped
        for item in queue:
            if stopped or not deadline.left:
                return
            if not await deed(item):
                stopped = True

    async with asyncio.TaskGroup() as group:
        for _ in range(lanes):
            group.create_task(lane())
