"""Old deliveries are folded into counts; what is told of an edition stays true."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.core.db import Database
from app.core.errors import Conflict
from app.core.mail.receipt import Accepted, Fault, Rejected
from app.models import Delivery, DeliveryNote, Release, Shard
from app.operations import retention
from app.stages.send import release, watch
from tests.people import NOON, add_edition
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import Desk, desk

NOTHING = "0 deliveries of 0 editions folded into their counts"


async def old(db: Database, tmp_path: Path) -> Desk:
    """Six readers: five have it, one has a bad address."""
    paper = await desk(db, tmp_path, readers=6)
    odd = (await paper.rows())[2].subscriber_id
    await paper.send(Scripted(lambda one: Rejected("?", Fault.ADDRESS, "5.1.1") if one.key == odd else Accepted()))
    await release.try_end(db, paper.edition, paper.settings, NOON)
    return paper


async def left(db: Database) -> list[int]:
    async with db.read() as session:
        return [
            await session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Delivery, DeliveryNote, Shard, Release)
        ]


async def test_the_counts_outlive_the_deliveries(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In chunks, twice, and not a day too early: progress says the same before and after."""
    monkeypatch.setattr(retention, "CHUNK", 2)
    paper = await old(db, tmp_path)
    async with db.read() as session:
        before = await watch.look(session, paper.edition.id, NOON + timedelta(days=91))
    assert await retention.fold(db, 90, NOON + timedelta(days=89)) == NOTHING
    assert (await left(db))[:3] == [6, 1, 1]
    assert (
        await retention.fold(db, 90, NOON + timedelta(days=91)) == "6 deliveries of 1 editions folded into their counts"
    )
    assert await left(db) == [0, 0, 0, 0]
    assert await retention.fold(db, 90, NOON + timedelta(days=91)) == NOTHING
    async with db.read() as session:
        after = await watch.look(session, paper.edition.id, NOON + timedelta(days=91))
    assert after == before
    assert (after.counts.accepted, after.counts.rejected_address) == (5, 1)


async def test_nobody_is_mailed_an_old_edition_again(db: Database, tmp_path: Path) -> None:
    """Nothing says any more who has it, so nobody is late for it."""
    paper = await old(db, tmp_path)
    now = NOON + timedelta(days=91)
    await retention.fold(db, 90, now)
    with pytest.raises(Conflict, match="too old"):
        await release.late(db, paper.edition.id, paper.settings, now)


async def test_an_edition_that_goes_out_is_left_alone(db: Database, tmp_path: Path) -> None:
    await desk(db, tmp_path, readers=2)
    await add_edition(db, NOON.date() + timedelta(days=1))
    assert (await retention.fold(db, 90, NOON + timedelta(days=400))).startswith("0 deliveries")
