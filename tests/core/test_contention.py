"""A transaction that lost against another one is tried again, a few times."""

import asyncio

import pytest
from sqlalchemy import text

from app.core import contention
from app.core.contention import TRIES, retried
from app.core.db import Database
from app.core.errors import StorageContention, StorageUnavailable
from tests.conftest import Postgres


class Step:
    """Fails so many times with `error`, then gives how often it was called."""

    def __init__(self, failures: int, error: type[Exception] = StorageContention) -> None:
        self.failures = failures
        self.error = error
        self.calls = 0

    async def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error("in the way")
        return self.calls


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contention, "_PAUSE", 0.0)


async def test_a_step_is_tried_until_it_succeeds() -> None:
    assert await retried(Step(TRIES - 1)) == TRIES


async def test_the_last_failure_is_raised() -> None:
    step = Step(TRIES)
    with pytest.raises(StorageContention):
        await retried(step)
    assert step.calls == TRIES


async def test_a_database_that_is_away_is_not_asked_again_and_again() -> None:
    """Only a transaction that lost against another one may succeed at once."""
    step = Step(1, StorageUnavailable)
    with pytest.raises(StorageUnavailable):
        await retried(step)
    assert step.calls == 1


async def test_a_deadlock_of_postgresql_is_contention(postgres: Postgres) -> None:
    """Of two transactions that wait for each other one is broken off, and says so; the other is kept."""
    with postgres.database() as url:
        db = Database(url)
        async with db.write() as session:
            await session.execute(text("CREATE TABLE pair (id integer PRIMARY KEY, times integer)"))
            await session.execute(text("INSERT INTO pair VALUES (1, 0), (2, 0)"))
        both = asyncio.Barrier(2)

        async def touch(first: int, second: int) -> None:
            async with db.write() as session:
                await session.execute(text("UPDATE pair SET times = times + 1 WHERE id = :id"), {"id": first})
                await both.wait()
                await session.execute(text("UPDATE pair SET times = times + 1 WHERE id = :id"), {"id": second})

        results = await asyncio.gather(touch(1, 2), touch(2, 1), return_exceptions=True)
        async with db.read() as session:
            times = (await session.scalars(text("SELECT times FROM pair"))).all()
        await db.close()
    assert [type(one) for one in results if one] == [StorageContention]
    assert times == [1, 1]
