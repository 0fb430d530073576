"""Hints on the queue of a fleet."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.db import Database
from app.jobs.hints import FIRST, desk_hint, paper_hint
from app.models.states import EditionStatus
from app.store import editions, hints, leases
from app.store.hints import Hint
from tests.conftest import Postgres
from tests.people import NOON, add_edition


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """PostgreSQL only: SQLite has no queue."""
    with postgres.database() as url:
        yield url


async def put(db: Database, *given: Hint) -> int:
    async with db.write() as session:
        return await hints.put(session, given)


async def waiting(db: Database) -> list[tuple[str, str, int]]:
    """Queue, key and priority of what waits, in the order in which a worker gets it."""
    async with db.read() as session:
        rows = await session.execute(
            text(
                "SELECT queue_name, queueing_lock, priority FROM procrastinate_jobs "
                "WHERE status = 'todo' ORDER BY priority DESC, id"
            )
        )
        return [(one[0], one[1], one[2]) for one in rows]


async def test_a_hint_waits_once_however_often_it_is_given(db: Database) -> None:
    """And those beside it are put there all the same."""
    assert await put(db, paper_hint(1, 1)) == 1
    assert await put(db, paper_hint(1, 1), paper_hint(1, 2)) == 1
    assert await put(db) == 0
    assert await waiting(db) == [("papers", "paper:1:1", 0), ("papers", "paper:1:2", 0)]


async def test_service_mail_goes_before_the_chores(db: Database) -> None:
    """And neither waits behind editions: those have a queue to themselves."""
    await put(db, desk_hint("gather"), desk_hint("post", FIRST), paper_hint(1, 1))
    assert [key for queue, key, _ in await waiting(db) if queue == "desk"] == ["desk:post", "desk:gather"]


async def test_those_who_give_a_hint_at_the_same_moment_spoil_nothing(db: Database) -> None:
    """One of them puts it there; the transactions of the others live on."""

    async def give() -> int:
        async with db.write() as session:
            before = await hints.put(session, [desk_hint("gather")])
            await session.execute(text("SELECT 1"))
            return before

    assert sum(await asyncio.gather(*(give() for _ in range(6)))) == 1
    assert len(await waiting(db)) == 1


async def test_what_is_announced_is_what_is_due_and_free(db: Database) -> None:
    """Of the editions that are sending; a shard that is held, or not yet due, is nobody's business."""
    edition = await add_edition(db, status=EditionStatus.SENDING)
    async with db.write() as session:
        await session.execute(
            text(
                "INSERT INTO shards (edition_id, number, owner, lease_until, epoch, next_at) VALUES "
                "(:id, 1, NULL, 0, 0, :due), (:id, 2, NULL, 0, 0, :later), (:id, 3, NULL, 0, 0, :due), "
                "(:id, 4, NULL, 0, 0, NULL)"
            ),
            {"id": edition.id, "due": NOON, "later": NOON + timedelta(minutes=1)},
        )
        assert await leases.take_shard(session, "somebody", NOON, edition_id=edition.id, shard=1)
    async with db.read() as session:
        assert await leases.free_shards(session, NOON, 10) == [(edition.id, 3)]
        assert await leases.free_shards(session, NOON + timedelta(minutes=1), 1) == [(edition.id, 3)]
    async with db.write() as session:
        assert await leases.take_shard(session, "another", NOON, edition_id=edition.id, shard=1) is None
        await editions.move(session, edition.id, EditionStatus.SENDING, EditionStatus.PAUSED, "")
    async with db.read() as session:
        assert await leases.free_shards(session, NOON, 10) == []
