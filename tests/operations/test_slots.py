"""A slot of work is done once, on both engines."""

import asyncio

import pytest

from app.core.clock import FixedClock
from app.core.db import Database
from app.operations.slots import once


async def test_whoever_comes_second_or_late_does_nothing(db: Database, clock: FixedClock) -> None:
    """Also when both come at the same moment."""
    done: list[str] = []

    async def work() -> str:
        await asyncio.sleep(0.05)
        done.append("work")
        return "done"

    both = await asyncio.gather(*(once(db, clock, "compose", "2026-11-23", name, work) for name in ("a", "b")))
    assert sorted(both) == [False, True]
    assert not await once(db, clock, "compose", "2026-11-23", "c", work)
    assert done == ["work"]


async def test_not_yet_leaves_the_slot_owed(db: Database, clock: FixedClock) -> None:
    """None means not yet: the next who asks does it."""
    answers: list[str | None] = [None, "frozen"]

    async def work() -> str | None:
        return answers.pop(0)

    assert not await once(db, clock, "freeze", "2026-11-23", "a", work)
    assert await once(db, clock, "freeze", "2026-11-23", "b", work)


async def test_a_failure_is_tried_again_but_not_at_once(db: Database, clock: FixedClock) -> None:
    """The error reaches the caller; the slot stays leased for a minute, so that a failing job does not spin."""

    async def fail() -> str:
        raise RuntimeError("out of paper")

    async def work() -> str:
        return "done"

    with pytest.raises(RuntimeError, match="out of paper"):
        await once(db, clock, "compose", "2026-11-23", "a", fail)
    assert not await once(db, clock, "compose", "2026-11-23", "b", work)
