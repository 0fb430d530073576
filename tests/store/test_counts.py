"""What is counted each day: things by number, counts by day, questions, notes, rulings; all of it safe to repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text

from app.core.db import Database
from app.models import TrendAsk, TrendCount, TrendThing
from app.models.counts import Asked, Note, NoteKind, Point, Row, Ruling, TrendKind, TrendSource
from app.store import counts

GITHUB, REPOSITORY = TrendSource.GITHUB, TrendKind.REPOSITORY
HUB, PAPER = TrendSource.HUGGINGFACE, TrendKind.PAPER
AT = datetime(2026, 11, 23, 5, 40, tzinfo=UTC)
DAY = timedelta(days=1)


def row(key: str, count: int = 100, **more: Any) -> Row:
    return Row(external_id=key, count=count, **{"name": f"org/{key}", "url": f"https://example.org/{key}", **more})


async def record(db: Database, *rows: Row, at: datetime = AT, kind: TrendKind = REPOSITORY) -> Mapping[str, int]:
    async with db.write() as session:
        return await counts.record(session, HUB if kind is PAPER else GITHUB, kind, rows, at)


async def series(db: Database, first: date = date(2020, 1, 1)) -> Mapping[str, Sequence[Point]]:
    async with db.read() as session:
        return await counts.series(session, GITHUB, REPOSITORY, first)


async def things(db: Database, not_before: date = date(2020, 1, 1)) -> Mapping[str, Any]:
    async with db.read() as session:
        return await counts.things(session, GITHUB, REPOSITORY, not_before)


async def test_a_count_a_day_is_kept_the_latest_of_each(db: Database) -> None:
    """Several captures of a day update the same day, and a late writer never turns the clock back."""
    await record(db, row("1", 100, forks=7), at=AT - DAY)
    await record(db, row("1", 110, forks=8))
    await record(db, row("1", 120), at=AT + timedelta(hours=2))
    await record(db, row("1", 90), at=AT + timedelta(hours=1))
    assert (await series(db))["1"] == [
        Point(AT - DAY, 100, 7),
        Point(AT + timedelta(hours=2), 120, 8),
    ]
    assert (await series(db, AT.date()))["1"] == [Point(AT + timedelta(hours=2), 120, 8)]


async def test_counting_twice_is_counting_once(db: Database) -> None:
    """The same rows at the same instant, as two workers would."""
    for _ in range(2):
        await record(db, row("1"), row("2"))
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(TrendThing)) == 2
        assert await session.scalar(select(func.count()).select_from(TrendCount)) == 2


async def test_what_history_tells_never_replaces_a_count_of_ours(db: Database) -> None:
    """It fills holes; and once we count that day ourselves, ours stands."""
    ids = await record(db, row("1", 100), at=AT - DAY)
    told = [Point(AT - 2 * DAY, 80, told=True), Point(AT - DAY, 999, told=True), Point(AT, 999, told=True)]
    for _ in range(2):
        async with db.write() as session:
            await counts.fill_in(session, ids, {"1": told, "unknown": told})
    assert [(point.count, point.told) for point in (await series(db))["1"]] == [(80, True), (100, False), (999, True)]
    await record(db, row("1", 120), at=AT - timedelta(hours=3))
    assert [(point.count, point.told) for point in (await series(db))["1"]][-1] == (120, False)


async def test_a_rename_changes_the_name_of_the_thing_and_nothing_else(db: Database) -> None:
    """What a shorter answer does not know stays as it was."""
    made = datetime(2025, 1, 2, tzinfo=UTC)
    await record(db, row("1", detail="Grinds.", node_id="R_1", created_at=made), at=AT - DAY)
    await record(db, row("1", name="new/1", url="https://example.org/new"))
    thing = (await things(db))["1"]
    assert (thing.name, thing.url, thing.detail, thing.node_id, thing.created_at) == (
        "new/1", "https://example.org/new", "Grinds.", "R_1", made,
    )  # fmt: skip
    assert (thing.first_day, thing.last_day) == ((AT - DAY).date(), AT.date())


async def test_a_closed_thing_opens_again_when_it_is_counted(db: Database) -> None:
    """Gone, then back: the series goes on."""
    await record(db, row("1"), row("2"), at=AT - DAY)
    async with db.write() as session:
        await counts.close(session, GITHUB, REPOSITORY, {"1"}, AT.date())
    assert {key: thing.closed_on for key, thing in (await things(db)).items()} == {"1": AT.date(), "2": None}
    await record(db, row("1"))
    assert (await things(db))["1"].closed_on is None


async def test_a_thing_is_found_by_name_or_number_and_keeps_its_ruling(db: Database) -> None:
    """Whatever the capitals; a ruling outlives the days on which nothing is counted."""
    await record(db, row("1", name="GristMill/grist"), at=AT - 90 * DAY)
    async with db.write() as session:
        ((thing_id, _, _, _),) = await counts.named(session, "gristmill/GRIST")
        assert (await counts.named(session, "1"))[0][0] == thing_id
        await counts.rule(session, thing_id, Ruling.BLOCK)
        assert [(kind, thing.ruling) for _, _, kind, thing in await counts.ruled(session)] == [
            (REPOSITORY, Ruling.BLOCK)
        ]
    assert (await things(db, AT.date()))["1"].ruling is Ruling.BLOCK
    async with db.write() as session:
        await counts.rule(session, thing_id, None)
    assert await things(db, AT.date()) == {}


async def test_a_question_remembers_when_it_was_last_answered_whole(db: Database) -> None:
    """Also where it was asked in vain since; an older record never replaces a newer one."""
    for asked in (Asked(AT, AT), Asked(AT + DAY), Asked(AT - DAY, AT - DAY)):
        async with db.write() as session:
            await counts.remember(session, GITHUB, {"search:newborn:llm": asked})
    async with db.read() as session:
        assert await counts.asked(session, GITHUB) == {"search:newborn:llm": Asked(AT + DAY, AT)}
        assert await counts.asked(session, HUB) == {}


async def test_the_newest_release_of_a_thing_is_kept(db: Database) -> None:
    """Found by the things that are asked about, from a given day on."""
    ids = await record(db, row("1"), row("2"))
    new = Note("1", NoteKind.RELEASE, "v2", "https://github.com/org/1/releases/tag/v2", AT - DAY)
    for note in (new, replace(new, title="v1", at=AT - 9 * DAY), replace(new, external_id="stranger")):
        async with db.write() as session:
            await counts.note(session, ids, [note])
    async with db.read() as session:
        assert await counts.notes(session, GITHUB, REPOSITORY, {"1", "2"}, AT - 7 * DAY) == {"1": [new]}
        assert await counts.notes(session, GITHUB, REPOSITORY, {"1", "2"}, AT) == {}


async def test_the_paper_with_most_upvotes_stands_for_its_repository(db: Database) -> None:
    """By its newest count, and only if it was counted of late."""
    link = {"link": "org/one"}
    await record(db, row("2611.00001", 90, **link), at=AT - DAY, kind=PAPER)
    await record(db, row("2611.00001", 12, **link), row("2611.00002", 40, **link), row("2611.00003", 99), kind=PAPER)
    await record(db, row("2610.00009", 500, **link), at=AT - 20 * DAY, kind=PAPER)
    async with db.read() as session:
        found = await counts.papers_about(session, {"org/one", "org/two"}, (AT - 7 * DAY).date())
    assert [(name, thing.external_id, upvotes) for name, (thing, upvotes) in found.items()] == [
        ("org/one", "2611.00002", 40)
    ]


async def test_counts_are_forgotten_after_400_days(db: Database) -> None:
    """The four hundredth stays; a thing without counts goes with them, a ruled one and a counted one stay."""
    await record(db, row("old"), row("ruled"), at=AT - 401 * DAY)
    await record(db, row("kept"), at=AT - 400 * DAY)
    await record(db, row("both"), at=AT - 401 * DAY)
    await record(db, row("both"))
    async with db.write() as session:
        ((thing_id, _, _, _),) = await counts.named(session, "ruled")
        await counts.rule(session, thing_id, Ruling.BLOCK)
        await counts.remember(session, GITHUB, {"history:1": Asked(AT - 15 * DAY), "history:2": Asked(AT)})
    for _ in range(2):
        async with db.write() as session:
            await counts.prune(session, AT)
    assert {key: len(points) for key, points in (await series(db)).items()} == {"kept": 1, "both": 1}
    assert set(await things(db)) == {"ruled", "kept", "both"}
    async with db.read() as session:
        assert (await session.scalars(select(TrendAsk.subject))).all() == ["history:2"]


async def test_old_counts_are_found_by_the_primary_key(db: Database) -> None:
    """On SQLite a plan that reads the whole table of counts would grow with the year."""
    async with db.read() as session:
        if session.get_bind().dialect.name != "sqlite":
            return
        plan = await session.execute(
            text(
                "EXPLAIN QUERY PLAN DELETE FROM trend_counts"
                " WHERE thing_id IN (SELECT id FROM trend_things) AND day < 20000"
            )
        )
        steps = [str(step[-1]) for step in plan]
    assert any("SEARCH trend_counts USING PRIMARY KEY (thing_id=? AND day<?)" in step for step in steps), steps
