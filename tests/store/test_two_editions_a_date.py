"""A date with a daily and a weekly: names, lists, the front page. On both engines."""

from datetime import date, timedelta

import pytest

from app.core.db import Database
from app.models.content import EditionKind
from app.models.states import EditionStatus
from app.store import editions, published
from tests.people import add_edition

SATURDAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("slug", "named"),
    [
        ("2026-11-28", (EditionKind.DAILY, SATURDAY)),
        ("2026-11-28-weekly", (EditionKind.WEEKLY, SATURDAY)),
        ("20261128", None),
        ("2026-11-28-daily", None),
        ("2026-11-28-weekly-weekly", None),
        ("weekly", None),
        ("-weekly", None),
    ],
)
def test_a_slug_names_one_edition(slug: str, named: tuple[EditionKind, date] | None) -> None:
    """And only the very name that it was given."""
    assert editions.kind_and_day(slug) == named


async def test_the_daily_stands_before_the_weekly_of_its_date(db: Database) -> None:
    """On the front page and in the archive, whichever came out first; each has its own number and page."""
    weekly = await add_edition(db, SATURDAY, status=EditionStatus.SENDING, kind=EditionKind.WEEKLY)
    async with db.read() as session:
        front = await published.front(session)
    assert front is not None
    assert front.kind is EditionKind.WEEKLY
    daily = await add_edition(db, SATURDAY, status=EditionStatus.SENDING)
    before = await add_edition(db, SATURDAY - timedelta(days=1), status=EditionStatus.SENDING)
    assert len({weekly.number, daily.number, before.number}) == 3
    async with db.read() as session:
        front = await published.front(session)
        listed = await published.listed(session, 5)
        weeklies = await published.listed(session, 5, kind=EditionKind.WEEKLY)
        found = await editions.on(session, SATURDAY)
    assert front is not None
    assert front.kind is EditionKind.DAILY
    assert [one.slug for one in listed] == ["2026-11-28", "2026-11-28-weekly", "2026-11-27"]
    assert [one.slug for one in weeklies] == ["2026-11-28-weekly"]
    assert [one.id for one in found] == [daily.id, weekly.id]


async def test_yesterdays_subject_is_that_of_its_own_kind(db: Database) -> None:
    """Sunday's daily is not compared with Saturday's weekly."""
    await add_edition(db, SATURDAY - timedelta(days=7), kind=EditionKind.WEEKLY)
    async with db.read() as session:
        assert await editions.last_subject(session, SATURDAY) is None
        assert await editions.last_subject(session, SATURDAY, EditionKind.WEEKLY) == "A lead for the tests"
