"""What was counted each day: one capture stands for a day, and nothing is half-written."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.core.db import Database
from app.core.errors import StorageError
from app.models import TrendItem
from app.models.counts import Basis, Row, Snapshot, TrendKind, TrendSource
from app.store import trends

DAY = date(2026, 11, 23)
GITHUB, REPOSITORY = TrendSource.GITHUB, TrendKind.REPOSITORY


def at(day: date, hour: int = 5) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def row(external_id: str, rank: int | None = 1, count: int = 100) -> Row:
    return Row(external_id=external_id, name=f"org/{external_id}", url="https://example.org/", count=count, rank=rank)


def capture(*rows: Row, day: date = DAY, hour: int = 5, complete: bool = True) -> Snapshot:
    return Snapshot(GITHUB, REPOSITORY, day, at(day, hour), complete, rows)


async def save(db: Database, *snapshots: Snapshot) -> list[bool]:
    async with db.write() as session:
        return [await trends.save(session, one) for one in snapshots]


async def of_day(db: Database, day: date = DAY) -> Snapshot:
    async with db.read() as session:
        return (await trends.of_day(session, GITHUB, day))[REPOSITORY]


async def test_a_capture_comes_back_as_it_was_saved(db: Database) -> None:
    """Every field of a row and of its capture survives the way to the table and back."""
    full = Row(
        external_id="101", name="gristmill/grist", url="https://github.com/gristmill/grist", detail="Grinds – ça va",
        count=61_000, rank=2, was=7, new=True, gained=2_940, basis=Basis.NEAREST, usual=1_190.5, score=41.25,
        forks=7_000, downloads=90_000, variants=6, created_at=at(date(2025, 1, 2)), kind=REPOSITORY, confirmed=False,
        held=True, remark="2,940 stars came with 3 forks", spark=(0, 12, *[400] * 12),
    )  # fmt: skip
    snapshot = replace(capture(row("1", 1), full, row("3", None)), since=DAY)
    assert await save(db, snapshot) == [True]
    assert await of_day(db) == snapshot


async def test_rows_come_in_order_of_rank_then_name_with_the_unranked_last(db: Database) -> None:
    """The order does not depend on the engine's own idea of the alphabet."""
    await save(db, capture(row("b", None), row("Z", 2), row("a", 2), row("é", 2), row("x", 1)))
    assert [one.external_id for one in (await of_day(db)).rows] == ["x", "Z", "a", "é", "b"]


async def test_a_later_capture_of_the_day_takes_the_place_of_the_earlier(db: Database) -> None:
    """Rows that are gone from the later one do not linger."""
    await save(db, capture(row("1"), row("2"), hour=5))
    assert await save(db, capture(row("2", count=120), hour=6)) == [True]
    found = await of_day(db)
    assert found.captured_at == at(DAY, 6)
    assert [(one.external_id, one.count) for one in found.rows] == [("2", 120)]


@pytest.mark.parametrize(
    ("second", "stands"),
    [
        (capture(row("2"), hour=6, complete=False), "1"),
        (capture(row("2"), hour=4), "1"),
        (capture(row("2"), hour=5), "2"),
    ],
    ids=["not whole", "an older one that comes late", "the same instant again"],
)
async def test_a_capture_that_knows_less_does_not_replace_one_that_knows_more(
    db: Database, second: Snapshot, stands: str
) -> None:
    """A whole capture of the day outlives a partial one, and a late writer never turns the clock back."""
    await save(db, capture(row("1"), hour=5))
    assert await save(db, second) == [stands == "2"]
    assert [one.external_id for one in (await of_day(db)).rows] == [stands]


async def test_a_partial_capture_gives_way_to_any_later_one(db: Database) -> None:
    """First partial, then partial again, then whole."""
    for hour, complete in ((5, False), (6, False), (7, True)):
        assert await save(db, capture(row(str(hour)), hour=hour, complete=complete)) == [True]
    assert [one.external_id for one in (await of_day(db)).rows] == ["7"]


async def test_a_capture_that_the_database_refuses_leaves_the_earlier_one_whole(db: Database) -> None:
    """The same thing twice in one capture is refused, and the morning's figures still stand."""
    await save(db, capture(row("1"), hour=5))
    with pytest.raises(StorageError):
        await save(db, capture(row("2"), row("2"), hour=6))
    found = await of_day(db)
    assert found.captured_at == at(DAY, 5)
    assert [one.external_id for one in found.rows] == ["1"]


async def test_the_latest_capture_of_each_chart_is_found_unless_it_is_too_old(db: Database) -> None:
    """One answer a chart: the newest day's, where it was captured in time."""
    models = Snapshot(TrendSource.HUGGINGFACE, TrendKind.MODEL, date(2026, 11, 20), at(date(2026, 11, 20)), True, ())
    await save(db, capture(row("1"), day=date(2026, 11, 22)), capture(row("2")), models)
    async with db.read() as session:
        found = await trends.latest(session, at(date(2026, 11, 21)))
        older = await trends.latest(session, at(date(2026, 11, 20)))
        none = await trends.latest(session, at(date(2026, 11, 24)))
    assert [one.rows[0].external_id for one in found.values()] == ["2"]
    assert set(older) == {(GITHUB, REPOSITORY), (TrendSource.HUGGINGFACE, TrendKind.MODEL)}
    assert none == {}


async def test_the_capture_nearest_to_an_instant_is_found_a_whole_one_first(db: Database) -> None:
    """A partial capture of the very day yields to a whole one of the day before."""
    await save(
        db,
        capture(row("a"), day=date(2026, 11, 14)),
        capture(row("b"), day=date(2026, 11, 15)),
        capture(row("c"), day=date(2026, 11, 16), complete=False),
    )
    async with db.read() as session:

        async def nearest(day: date) -> str | None:
            found = await trends.nearest(session, GITHUB, REPOSITORY, at(day), timedelta(hours=36))
            return found.rows[0].external_id if found else None

        assert await nearest(date(2026, 11, 15)) == "b"
        assert await nearest(date(2026, 11, 16)) == "b"
        assert await nearest(date(2026, 11, 17)) == "c"
        assert await nearest(date(2026, 11, 18)) is None
        other = await trends.nearest(session, GITHUB, TrendKind.MOVERS, at(date(2026, 11, 15)), timedelta(hours=36))
        assert other is None


async def test_the_first_day_measured_is_found_from_a_given_day_on(db: Database) -> None:
    """None where nothing was measured since."""
    await save(db, capture(day=date(2026, 11, 1)), capture(day=date(2026, 11, 20)), capture())
    async with db.read() as session:
        assert await trends.first_day(session, GITHUB, REPOSITORY, date(2026, 1, 1)) == date(2026, 11, 1)
        assert await trends.first_day(session, GITHUB, REPOSITORY, date(2026, 11, 2)) == date(2026, 11, 20)
        assert await trends.first_day(session, GITHUB, TrendKind.MOVERS, date(2026, 1, 1)) is None


async def test_the_days_that_have_a_chart_say_whether_it_was_whole(db: Database) -> None:
    """From a given day on."""
    await save(db, capture(day=date(2026, 11, 1)), capture(day=date(2026, 11, 20), complete=False), capture())
    async with db.read() as session:
        found = await trends.whole_days(session, GITHUB, REPOSITORY, date(2026, 11, 2))
    assert found == {date(2026, 11, 20): False, DAY: True}


async def test_pruning_takes_captures_older_than_400_days_with_their_rows(db: Database) -> None:
    """The four hundredth day stays."""
    old, kept = DAY - timedelta(days=401), DAY - timedelta(days=400)
    await save(db, capture(row("1"), row("2"), day=old), capture(row("3"), day=kept), capture(row("4")))
    async with db.write() as session:
        assert await trends.prune(session, DAY) == 1
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(TrendItem)) == 2
        assert await trends.of_day(session, GITHUB, old) == {}
