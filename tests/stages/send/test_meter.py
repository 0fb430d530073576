"""What a worker counts of its own hand-overs, and where monitoring finds it."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core.db import Database
from app.core.errors import StorageError
from app.core.mail.provider import Outgoing
from app.core.mail.receipt import Accepted
from app.stages.send.meter import Meter
from app.store import counters, workers
from app.store.figures import Figures, look
from tests.people import NOON
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import desk


async def figures(db: Database) -> Figures:
    async with db.read() as session:
        return await look(session, NOON)


async def test_groups_are_counted_and_the_window_is_seen_in_use(db: Database, tmp_path: Path) -> None:
    """The mail that a provider has in hand is in the gauge, and after the last answer nothing is."""
    paper, meter = await desk(db, tmp_path), Meter()
    in_use: list[int] = []

    class Asked(Scripted):
        async def drain(self, outgoing: Outgoing) -> None:
            (taken,) = await outgoing.take(1)
            await meter.write_down(db, "worker")
            in_use.append((await figures(db)).in_hand)
            outgoing.settle(taken, Accepted("id"))
            await super().drain(outgoing)

    assert await paper.send(Asked(), meter=meter) == 5
    assert in_use == [5]
    await meter.write_down(db, "worker")
    found = await figures(db)
    assert (found.workers, found.in_hand) == (1, 0)
    groups = counters.groups(found.counted)
    assert groups.within[-1] >= 1
    assert groups.seconds > 0
    await meter.write_down(db, "worker")
    assert counters.groups((await figures(db)).counted) == groups


async def test_a_shard_that_another_worker_took_is_a_lost_lease(db: Database, tmp_path: Path) -> None:
    """Once for the shard, however often the fence is asked afterwards."""
    paper, meter = await desk(db, tmp_path), Meter()

    class Slow(Scripted):
        async def drain(self, outgoing: Outgoing) -> None:
            messages = await outgoing.take(1)
            async with db.write() as session:
                await session.execute(text("UPDATE shards SET owner = 'another', epoch = epoch + 1"))
            for message in messages:
                outgoing.settle(message, Accepted())
            await super().drain(outgoing)

    await paper.send(Slow(), meter=meter)
    await meter.leave(db, "worker")
    assert (await figures(db)).counted[counters.LEASES_LOST] == 1


async def test_what_cannot_be_written_is_kept(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away costs no count, and one that is back gets each once."""
    meter = Meter()
    meter.lost()

    async def away(*_: object) -> None:
        raise StorageError("away")

    with monkeypatch.context() as broken:
        broken.setattr(counters, "add", away)
        with pytest.raises(StorageError):
            await meter.write_down(db, "worker")
    assert (await figures(db)).counted == {}
    meter.lost()
    await meter.write_down(db, "worker")
    await meter.write_down(db, "worker")
    assert (await figures(db)).counted == {counters.LEASES_LOST: 2}


async def test_a_worker_that_is_silent_is_not_counted(db: Database) -> None:
    """Killed ones are left out within 15 seconds and forgotten after an hour; those that end leave at once."""
    for owner in ("ends", "killed", "lives"):
        await Meter().write_down(db, owner)
    await Meter().leave(db, "ends")
    assert (await figures(db)).workers == 2
    for silent, left in ((timedelta(seconds=16), 2), (timedelta(minutes=61), 1)):
        async with db.write() as session:
            by = {"by": int(silent.total_seconds() * 1000)}
            await session.execute(text("UPDATE workers SET seen_at = seen_at - :by WHERE owner = 'killed'"), by)
            await workers.prune(session)
            assert await session.scalar(text("SELECT count(*) FROM workers")) == left
        assert (await figures(db)).workers == 1
