"""What a clock that was ahead put off is due when it is put right, on both engines."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, text

from app.core.db import Database
from app.models import Delivery, Shard
from app.models.states import DeliveryStatus as Status
from app.store import clocks, deliveries, handovers, leases
from app.store.handovers import Wanted
from tests.people import NOON
from tests.stages.send.test_shard import desk

AHEAD = NOON + timedelta(days=1)


async def shard_of(db: Database) -> Shard:
    async with db.read() as session:
        return (await session.scalars(select(Shard))).one()


async def bring_forward(db: Database) -> None:
    async with db.write() as session:
        shards = await clocks.bring_forward(session, NOON)
    for one in shards:
        async with db.write() as session:
            await clocks.bring_shard_forward(session, *one, NOON)


async def test_a_mail_without_an_answer_is_due_within_twenty_minutes(db: Database, tmp_path: Path) -> None:
    """And the shard at once. A reader whose hour is to come keeps it."""
    paper = await desk(db, tmp_path, readers=2)
    async with db.write() as session:
        lease = await leases.take_shard(session, "worker", NOON)
        assert lease is not None
        (row,) = await handovers.begin(session, Wanted(lease, "scripted", 1), NOON)
        await deliveries.abandon(session, lease.edition_id, lease.shard, AHEAD + timedelta(minutes=15), AHEAD)
        other = Delivery.subscriber_id != row.subscriber_id
        await session.execute(Delivery.__table__.update().where(other).values(due_at=AHEAD))  # type: ignore[attr-defined]
        await leases.give_back_shard(session, lease, AHEAD)
    for _ in range(2):
        await bring_forward(db)
    assert (await shard_of(db)).next_at == NOON
    found = {one.status: one.due_at for one in await paper.rows()}
    assert found == {Status.UNKNOWN: NOON + clocks.LATEST_AGAIN, Status.QUEUED: AHEAD}


async def test_only_leases_of_those_who_are_gone_end(db: Database, tmp_path: Path) -> None:
    """Who lives has renewed its own since the clock was set back."""
    await desk(db, tmp_path, readers=1)
    async with db.write() as session:
        lease = await leases.take_shard(session, "worker", NOON)
    held = (await shard_of(db)).lease_until
    await bring_forward(db)
    assert (await shard_of(db)).lease_until == held
    async with db.write() as session:
        await session.execute(text("UPDATE shards SET lease_until = lease_until + 86400000"))
    await bring_forward(db)
    assert (await shard_of(db)).lease_until == 0
    async with db.write() as session:
        assert lease is not None
        assert await leases.take_shard(session, "another", NOON) is not None
        assert not await leases.renew_shard(session, lease)
