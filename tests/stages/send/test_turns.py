"""Which readers each of a date's two editions is for, as a table; and both let go at once, on both engines."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.core.db import Database
from app.core.settings import load_settings
from app.models import Delivery, Edition
from app.models.content import EditionKind
from app.models.states import EditionStatus, Frequency
from app.stages.send import release
from app.stages.send.turns import WAITED_FOR, Approval, readers_of
from tests.people import DAY, add_edition, add_readers, prefer

SATURDAY, SUNDAY = date(2026, 11, 28), date(2026, 11, 29)
BEGINS = datetime(2026, 11, 28, 5, 30, tzinfo=UTC)
DAILY, WEEKLY, WEEKDAYS = Frequency.DAILY, Frequency.WEEKLY, Frequency.WEEKDAYS


def edition(
    kind: EditionKind, status: EditionStatus, day: date = SATURDAY, approved_at: datetime | None = None
) -> Edition:
    return Edition(
        kind=kind, status=status, date=day, composed_at=BEGINS - timedelta(minutes=30), approved_at=approved_at
    )


def of_the_daily(weekly: Edition | None, approval: Approval = "auto", now: datetime = BEGINS) -> frozenset[Frequency]:
    daily = edition(EditionKind.DAILY, EditionStatus.SENDING)
    return readers_of(daily, [one for one in (daily, weekly) if one], approval, BEGINS, now)


@pytest.mark.parametrize("status", EditionStatus)
def test_a_saturdays_daily_stands_in_for_a_weekly_that_does_not_stand(status: EditionStatus) -> None:
    """Absent, a draft, held or cancelled: weekly readers get the daily. Frozen or about to be: the weekly alone."""
    stands = status not in (EditionStatus.DRAFT, EditionStatus.HELD, EditionStatus.CANCELLED)
    assert of_the_daily(edition(EditionKind.WEEKLY, status)) == ({DAILY} if stands else {DAILY, WEEKLY})
    assert of_the_daily(None) == {DAILY, WEEKLY}


def test_a_weekly_that_is_about_to_be_frozen_is_waited_for_an_hour() -> None:
    """Counted from the window's begin, its composing or its approval, whichever came last."""
    ready = edition(EditionKind.WEEKLY, EditionStatus.READY)
    assert of_the_daily(ready, now=BEGINS + WAITED_FOR - timedelta(seconds=1)) == {DAILY}
    assert of_the_daily(ready, now=BEGINS + WAITED_FOR) == {DAILY, WEEKLY}
    assert of_the_daily(ready, "manual") == {DAILY, WEEKLY}
    late = BEGINS + timedelta(hours=3)
    approved = edition(EditionKind.WEEKLY, EditionStatus.READY, approved_at=late)
    assert of_the_daily(approved, "manual", late) == {DAILY}


def test_other_days_are_as_they_were() -> None:
    """A weekly goes to weekly readers alone; Monday's daily to those of weekdays too; Sunday's to daily readers."""
    weekly = edition(EditionKind.WEEKLY, EditionStatus.FROZEN)
    assert readers_of(weekly, [weekly], "auto", BEGINS, BEGINS) == {WEEKLY}
    for day, whose in ((DAY, {DAILY, WEEKDAYS}), (SUNDAY, {DAILY})):
        daily = edition(EditionKind.DAILY, EditionStatus.FROZEN, day)
        assert readers_of(daily, [daily], "auto", BEGINS, BEGINS) == whose


async def test_both_let_go_at_once_give_each_reader_one(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if each were for everybody: whoever has a place in one is left out of the other."""
    monkeypatch.setattr(release, "readers_of", lambda *_: frozenset(Frequency))
    monkeypatch.setattr(release, "CHUNK", 2)
    readers = await add_readers(db, 9)
    daily = await add_edition(db, SATURDAY)
    weekly = await add_edition(db, SATURDAY, kind=EditionKind.WEEKLY)
    made = load_settings(secret_keys=("x" * 40,))
    counts = await asyncio.gather(
        *(release.send_now(db, one.id, made, BEGINS) for one in (daily, weekly, weekly, daily))
    )
    # Each says how many were released since it was asked, by whomever: of two that send one edition the first says all.
    assert max(counts[0], counts[3]) + max(counts[1], counts[2]) == len(readers)
    async with db.read() as session:
        rows = await session.execute(select(Delivery.subscriber_id, func.count()).group_by(Delivery.subscriber_id))
        assert dict(rows.all()) == dict.fromkeys(readers, 1)


async def test_whoever_changes_their_mind_between_the_two_gets_no_second_paper(db: Database) -> None:
    """A daily reader who turns weekly after breakfast has had Saturday's paper."""
    (reader,) = await add_readers(db, 1)
    daily = await add_edition(db, SATURDAY)
    weekly = await add_edition(db, SATURDAY, kind=EditionKind.WEEKLY)
    made = load_settings(secret_keys=("x" * 40,))
    assert await release.send_now(db, daily.id, made, BEGINS) == 1
    await prefer(db, reader, Frequency.WEEKLY)
    assert await release.send_now(db, weekly.id, made, BEGINS) == 0
