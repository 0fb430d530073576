"""What is too late is given up where nobody comes by to hand it over, on both engines."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core.db import Database
from app.core.mail.receipt import Unknown
from app.models.states import DeliveryStatus as Status
from app.models.states import EditionStatus
from app.stages.send import control, release
from app.stages.send.lapse import lapse
from app.store import handovers, leases
from app.store.handovers import Wanted
from tests.people import NOON, minutes
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_control import fresh
from tests.stages.send.test_shard import Desk, desk

DAY_AFTER = NOON + timedelta(days=2)


async def begun(paper: Desk, db: Database, *, lease_until: str) -> int:
    """A worker begins one mail and is not heard of again."""
    async with db.write() as session:
        lease = await leases.take_shard(session, "worker", paper.clock.now())
        assert lease is not None
        (row,) = await handovers.begin(session, Wanted(lease, "scripted", 1), NOON)
        await session.execute(text(f"UPDATE shards SET lease_until = {lease_until}"))
    return row.subscriber_id


async def test_an_edition_whose_providers_rest_ends_when_it_is_over(db: Database, tmp_path: Path) -> None:
    """And says who went without it. Before that everybody is still owed the paper."""
    paper = await desk(db, tmp_path, readers=3)
    assert await lapse(db, paper.settings, NOON + minutes(30)) == 0
    assert set(await paper.states()) == {Status.QUEUED}
    assert await lapse(db, paper.settings, DAY_AFTER) == 1
    assert await lapse(db, paper.settings, DAY_AFTER) == 0
    assert set(await paper.states()) == {Status.EXPIRED}
    edition = await fresh(db, paper.edition.id)
    assert await release.try_end(db, edition, paper.settings, DAY_AFTER) is EditionStatus.PARTIALLY_SENT
    assert (await fresh(db, edition.id)).reason == "3 readers went without it"


async def test_a_paused_edition_stays_paused(db: Database, tmp_path: Path) -> None:
    """But its counts do not promise any more what can not be kept."""
    paper = await desk(db, tmp_path, readers=2)
    async with db.write() as session:
        await control.pause(session, paper.edition.id)
    assert await lapse(db, paper.settings, DAY_AFTER) == 1
    assert set(await paper.states()) == {Status.EXPIRED}
    assert (await fresh(db, paper.edition.id)).status is EditionStatus.PAUSED


async def test_what_a_worker_holds_is_its_own(db: Database, tmp_path: Path) -> None:
    """It will give it up by itself."""
    paper = await desk(db, tmp_path, readers=2)
    await begun(paper, db, lease_until="9999999999999")
    assert await lapse(db, paper.settings, DAY_AFTER) == 0
    assert sorted(await paper.states()) == [Status.QUEUED, Status.SENDING]


@pytest.mark.parametrize(("policy", "left"), [("resend", Status.EXPIRED), ("hold", Status.UNKNOWN)])
async def test_what_a_dead_worker_held_is_unknown(db: Database, tmp_path: Path, policy: str, left: Status) -> None:
    """And stays so for an operator to see where it is not sent again; who sleeps begins nothing any more."""
    paper = await desk(db, tmp_path, readers=2, on_unknown=policy)
    held = await begun(paper, db, lease_until="1")
    assert await lapse(db, paper.settings, DAY_AFTER) == 1
    assert {row.subscriber_id: row.status for row in await paper.rows()}[held] is left
    assert sorted(await paper.states()) == sorted([left, Status.EXPIRED])
    await fresh(db, paper.edition.id)
    async with db.write() as session:
        assert not await leases.renew_shard(session, leases.ShardLease(paper.edition.id, 1, 1, "worker"))


@pytest.mark.parametrize("policy", ["resend", "hold"])
async def test_an_edition_ends_of_which_only_a_dead_workers_mail_is_left(
    db: Database, tmp_path: Path, policy: str
) -> None:
    """Nobody else would say what became of it."""
    paper = await desk(db, tmp_path, readers=1, on_unknown=policy)
    await begun(paper, db, lease_until="1")
    assert await lapse(db, paper.settings, DAY_AFTER) == 1
    edition = await fresh(db, paper.edition.id)
    assert await release.try_end(db, edition, paper.settings, DAY_AFTER) is EditionStatus.PARTIALLY_SENT


async def test_a_cancelled_edition_is_not_late(db: Database, tmp_path: Path) -> None:
    """Its readers were spared it, which is another thing."""
    paper = await desk(db, tmp_path, readers=1)
    async with db.write() as session:
        await control.cancel(session, paper.edition.id, "", NOON)
    assert await lapse(db, paper.settings, DAY_AFTER) == 0
    await control.settle(db, DAY_AFTER)
    assert await paper.states() == [Status.SKIPPED]


async def test_what_an_operator_asked_for_afterwards_is_still_owed(db: Database, tmp_path: Path) -> None:
    """An edition that is over may be tried again: that has its own time, and its shard is due as before."""
    paper = await desk(db, tmp_path, readers=2)
    first = (await paper.rows())[0].subscriber_id
    async with db.write() as session:
        await session.execute(
            text("UPDATE deliveries SET expires_at = :later WHERE subscriber_id = :first"),
            {"later": f"{DAY_AFTER + timedelta(hours=9):%Y-%m-%d %H:%M:%S+00}", "first": first},
        )
    assert await lapse(db, paper.settings, DAY_AFTER) == 1
    assert await lapse(db, paper.settings, DAY_AFTER) == 0
    paper.clock.move(DAY_AFTER)
    provider = Scripted(lambda _: Unknown("?"))
    assert await paper.send(provider) == 1
    assert [message.key for message in provider.sent] == [first]
