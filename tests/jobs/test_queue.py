"""Hints are followed by Procrastinate, whatever becomes of its rows."""

import asyncio
import gc
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.core.db import Database
from app.jobs.hints import desk_hint
from app.jobs.queue import Queue
from app.store import hints
from tests.conftest import Postgres


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """PostgreSQL only: SQLite needs no queue."""
    with postgres.database() as url:
        yield url


async def put(db: Database, name: str) -> None:
    async with db.write() as session:
        await hints.put(session, [desk_hint(name)])


async def test_a_job_that_others_threw_away_ends_in_peace(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    """Its worker slept. The chore is done all the same, the next is fetched, and nothing is left in the log."""
    begun, awake, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def desk(name: str) -> None:
        begun.set()
        await awake.wait()
        done.append(name)
        if name == "next":
            stop.set()

    async def paper(_: int, __: int) -> None:
        raise AssertionError("nobody asked for a paper")

    following = asyncio.create_task(Queue(db, paper, desk).run(stop))
    await put(db, "first")
    await asyncio.wait_for(begun.wait(), 30)
    async with db.write() as session:
        assert (await session.execute(text("DELETE FROM procrastinate_jobs RETURNING id"))).all()
    awake.set()
    await put(db, "next")
    await asyncio.wait_for(following, 30)
    gc.collect()  # a task whose error nobody took says so when it is collected
    assert done == ["first", "next"]
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
