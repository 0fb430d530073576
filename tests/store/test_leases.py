"""Leases and their fence, on both engines."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from app.core.db import Database
from app.models.states import EditionStatus, Frequency
from app.store import editions, leases, releases
from tests.people import NOON, add_edition, add_readers, minutes


async def shards(db: Database, readers: int = 2) -> int:
    """An edition that is sending, with one shard; gives its id."""
    await add_readers(db, readers)
    edition = await add_edition(db, status=EditionStatus.SENDING)
    async with db.write() as session:
        chunk = await releases.release_chunk(
            session,
            edition.id,
            [],
            pair=releases.EVERYBODY,
            frequencies=list(Frequency),
            confirmed_before=NOON,
            after=0,
            most=100,
            due_at=NOON,
            lasts=timedelta(hours=12),
        )
    assert chunk.count == readers
    return edition.id


async def take(db: Database, owner: str = "a") -> leases.ShardLease | None:
    async with db.write() as session:
        return await leases.take_shard(session, owner, NOON)


async def test_a_shard_has_one_owner_at_a_time(db: Database) -> None:
    """A second worker gets nothing until the first gives back; then it gets a later epoch."""
    edition = await shards(db)
    first = await take(db)
    assert first == leases.ShardLease(edition, 1, 1, "a")
    assert await take(db, "b") is None
    async with db.write() as session:
        await leases.give_back_shard(session, first, NOON)
    second = await take(db, "b")
    assert second is not None
    assert second.epoch == 2
    async with db.write() as session:
        assert not await leases.renew_shard(session, first)
        assert await leases.renew_shard(session, second)


async def test_two_workers_at_once_do_not_share_a_shard(db: Database) -> None:
    """However they race, exactly one gets it."""
    await shards(db)
    taken = await asyncio.gather(*(take(db, f"worker {index}") for index in range(6)))
    assert len([one for one in taken if one]) == 1


async def test_a_shard_is_not_taken_before_it_is_due_or_while_paused(db: Database) -> None:
    """`next_at` and the edition's state decide."""
    edition = await shards(db)
    async with db.write() as session:
        assert await leases.take_shard(session, "a", NOON - minutes(1)) is None
        await editions.move(session, edition, EditionStatus.SENDING, EditionStatus.PAUSED, "")
        assert await leases.take_shard(session, "a", NOON) is None


async def test_an_expired_lease_can_be_taken_over(db: Database) -> None:
    """The database's own clock decides when: the lease below was already over when it began."""
    await shards(db)
    lease = await take(db)
    assert lease is not None
    async with db.write() as session:
        await session.execute(text("UPDATE shards SET lease_until = lease_until - 10001"))
    second = await take(db, "b")
    assert second is not None
    assert second.epoch == lease.epoch + 1


async def test_a_slot_is_done_once(db: Database) -> None:
    """Leased once, finished once, never taken again."""
    async with db.write() as session:
        epoch = await leases.take_slot(session, "compose", "2026-11-23", "a", NOON)
        assert epoch == 1
    async with db.write() as session:
        assert await leases.take_slot(session, "compose", "2026-11-23", "b", NOON) is None
        assert await leases.renew_slot(session, "compose", "2026-11-23", epoch)
        await leases.finish_slot(session, "compose", "2026-11-23", epoch, "ready", NOON)
    async with db.write() as session:
        assert await leases.take_slot(session, "compose", "2026-11-23", "b", NOON) is None
        assert await leases.is_finished(session, "compose", "2026-11-23")


async def test_a_slot_given_back_is_still_owed(db: Database) -> None:
    """Not yet is not done: somebody may take it at once, with a later epoch."""
    async with db.write() as session:
        epoch = await leases.take_slot(session, "freeze", "2026-11-23", "a", NOON)
        assert epoch == 1
        await leases.give_back_slot(session, "freeze", "2026-11-23", epoch)
    async with db.write() as session:
        assert await leases.take_slot(session, "freeze", "2026-11-23", "b", NOON) == 2
        assert not await leases.renew_slot(session, "freeze", "2026-11-23", 1)
