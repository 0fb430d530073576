"""A request that comes twice is carried out once, on both engines."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.core.clock import FixedClock
from app.core.db import Database
from app.core.errors import Conflict, InvalidInput
from app.operations import idempotency
from tests.people import NOON


async def test_the_second_is_answered_as_the_first(db: Database, clock: FixedClock) -> None:
    """And the work is done once."""
    asked = idempotency.describe(1, "k", "POST", "/send", b"{}")
    done: list[int] = []

    async def work() -> dict[str, Any]:
        done.append(1)
        return {"released": len(done)}

    assert await idempotency.once(db, clock, asked, work) == {"released": 1}
    assert await idempotency.once(db, clock, asked, work) == {"released": 1}
    other = idempotency.describe(1, "k", "POST", "/send", b'{"to": "x"}')
    with pytest.raises(InvalidInput, match="another request"):
        await idempotency.once(db, clock, other, work)
    assert done == [1]


async def test_while_it_is_carried_out_a_repeat_is_told_so(db: Database, clock: FixedClock) -> None:
    """Until it was abandoned two minutes ago: then the repeat does the work."""
    asked = idempotency.describe(1, "k", "POST", "/send", b"{}")
    going = asyncio.Event()

    async def hang() -> dict[str, Any]:
        going.set()
        await asyncio.sleep(60)
        return {}

    async def work() -> dict[str, Any]:
        return {"released": 7}

    first = asyncio.create_task(idempotency.once(db, clock, asked, hang))
    await going.wait()
    with pytest.raises(Conflict, match="being carried out"):
        await idempotency.once(db, clock, asked, work)
    first.cancel()
    clock.move(NOON + timedelta(minutes=3))
    assert await idempotency.once(db, clock, asked, work) == {"released": 7}


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb"])
def test_an_unusable_key_is_refused(key: str) -> None:
    """1 to 200 printable characters."""
    with pytest.raises(InvalidInput, match="Idempotency-Key"):
        idempotency.describe(1, key, "POST", "/send", b"")
