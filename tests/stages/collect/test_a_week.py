"""Sixteen days of collecting and composing by a moving clock: arrows, NEW and back, days on the chart, listings."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pytest

from app.core.clock import FixedClock
from app.core.db import Database
from app.models.content import ChartRow, EditionContent, Move, Section
from app.stages.collect import stories as desk
from app.stages.collect.snapshot import collect, sources
from app.stages.compose import draft
from app.store import editions
from tests.conftest import NOON
from tests.people import freeze
from tests.stages.collect.servers import both
from tests.stages.collect.world import DAY, Growth, Paper, Repository, World

DAYS = 16
BEGAN = NOON.replace(hour=0) - 60 * DAY
"""The first edition is of the world's sixtieth day; every day is counted and printed at noon."""


@dataclass(frozen=True)
class Phases(Growth):
    """Another pace from each of some days on: (day of the world, stars a day)."""

    phases: tuple[tuple[float, float], ...] = ()

    def at(self, days: float) -> int:
        total, since, pace = float(self.start), 0.0, self.pace
        for day, then in (*self.phases, (days, 0.0)):
            total += pace * max(0.0, min(day, days) - since)
            since, pace = max(since, min(day, days)), then
        return int(total)


def world() -> World:
    """A steady one, one that rises, one that goes still and comes back, one that is born, and two small ones."""
    return World(
        BEGAN,
        papers=(Paper("2611.00102", "Stepping Offline", 63, 41, "https://github.com/sail/halyard"),),
        repositories=[
            Repository(1, "mill/grist", Growth(61_000, 400), "Grinds long documents into short answers."),
            Repository(2, "sail/halyard", Phases(4_200, 90, phases=((64, 1_500),)), "Runs agents offline, by steps."),
            Repository(3, "tidal/ebb", Phases(9_000, 200, phases=((60, 0), (68, 900))), "Sums that come and go."),
            Repository(4, "leaf/fresh", Phases(0, 0, phases=((65, 500),)), "Green from the first day on.", born_day=65),
            Repository(5, "stone/steady", Growth(7_000, 60), "Stays where it was put."),
            Repository(6, "moss/slow", Growth(3_000, 20), "Grows on the north side.", releases=((71, "v3.1"),)),
        ],
    )


async def play(db: Database) -> list[EditionContent]:
    """Counts, composes and freezes every day; gives what was printed. One repository is renamed on the tenth day."""
    clock, there = FixedClock(NOON), world()
    with both(there, clock.now) as server:
        places = sources(huggingface_url=server.url, github_url=server.url, contact="x", github_token="ghp_x")
        for index in range(DAYS):
            clock.move(NOON + index * DAY)
            if index == 10:
                there.rename(5, "Quarry/Steady")
            for _ in range(2 if index == 3 else 1):  # twice on one day: it changes nothing
                report = await collect(db, places, clock.now(), 30)
                assert report.sources[1].problems == ()
            await print_edition(db, clock.now())
    return await printed(db)


async def print_edition(db: Database, now: datetime) -> None:
    async with db.write() as session:
        for section in (Section.LEAD, Section.TOOLS):
            fields = {
                "section": section,
                "headline": f"A {section.value} of {now:%d}",
                "standfirst": "It stands first.",
            }
            await desk.create(session, desk.parse(fields), now)
    made = await draft.compose(db, now.date(), now)
    async with db.write() as session:
        edition = await editions.get(session, made.edition_id)
        assert edition is not None
        await freeze(session, edition.id, now=now)


async def printed(db: Database) -> list[EditionContent]:
    async with db.read() as session:
        found = [await editions.of_day(session, (NOON + index * DAY).date()) for index in range(DAYS)]
    return [EditionContent.model_validate(one.content) for one in found if one is not None]


@pytest.fixture(scope="module")
def papers(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[EditionContent]:
    """The sixteen papers."""
    path = tmp_path_factory.mktemp("week") / "post.db"
    shutil.copy(sqlite_template, path)

    async def work() -> list[EditionContent]:
        database = Database(f"sqlite:///{path}")
        try:
            return await play(database)
        finally:
            await database.close()

    return asyncio.run(work())


def row(content: EditionContent, name: str) -> ChartRow | None:
    chart = {one.key: one for one in content.charts}["github-repositories"]
    return next((one for one in chart.rows if one.name == name), None)


def marks(papers: Sequence[EditionContent], name: str) -> list[str]:
    """A sign for each day: place of a week ago and today's, NEW, RE, "." where it is not printed."""
    found = []
    for content in papers:
        one = row(content, name)
        if one is None:
            found.append(".")
        elif one.move is Move.NEW or one.reentry:
            found.append(f"{'RE' if one.reentry else 'NEW'} {one.rank}")
        else:
            signed = {Move.UP: one.places, Move.DOWN: -one.places, Move.SAME: 0}.get(one.move)
            found.append(f"? {one.rank}" if signed is None else f"{one.rank + signed} {one.rank}")
    return found


def test_arrows_are_the_places_of_a_week_ago(papers: Sequence[EditionContent]) -> None:
    """By the week's gain on that day, which GitHub's history tells from the first morning on."""
    assert len(papers) == DAYS
    assert " ".join(f"[{mark}]" for mark in marks(papers, "mill/grist")) == (
        "[1 1] [1 1] [1 1] [1 1] [1 1] [1 1] [1 2] [1 2] [1 2] [1 2] [1 2] [1 4] [1 4] [2 4] [2 4] [2 4]"
    )
    assert " ".join(f"[{mark}]" for mark in marks(papers, "sail/halyard")) == (
        "[3 3] [3 3] [3 3] [3 3] [3 2] [3 2] [3 1] [3 1] [3 1] [3 1] [3 1] [2 1] [2 1] [1 1] [1 1] [1 1]"
    )


def test_what_is_born_is_new_for_a_week_and_has_an_arrow_then(papers: Sequence[EditionContent]) -> None:
    """Seven days from its first on the chart."""
    fresh = marks(papers, "leaf/fresh")
    assert fresh[:5] == ["."] * 5
    assert all(mark.startswith("NEW") for mark in fresh[5:12])
    assert fresh[12:] == ["5 3", "3 3", "3 3", "3 3"]


def test_what_went_still_leaves_the_chart_and_is_back_when_last_weeks_chart_lacks_it(
    papers: Sequence[EditionContent],
) -> None:
    """RE, never NEW: an edition of two weeks before had it. Its days on the chart are those before and after."""
    ebb = marks(papers, "tidal/ebb")
    assert ebb[7] == "."
    assert ebb[13:] == ["6 2", "RE 2", "4 2"]
    assert "NEW" not in " ".join(ebb)
    back = row(papers[14], "tidal/ebb")
    assert back is not None
    assert (back.days_on_chart, back.listed_since) == (14, NOON.date())


def test_what_was_listed_before_is_what_was_printed_before(papers: Sequence[EditionContent]) -> None:
    """Counted off the papers themselves, row by row; a new name is told once, and nothing is counted anew by it."""
    seen: dict[str, list[date]] = {}
    for content in papers:
        shown = [one for chart in content.charts for one in chart.rows]
        moved = [*content.movers.rows, *content.movers.new] if content.movers else []
        for one in [*shown, *moved]:
            before = seen.get(one.ref, [])
            assert (one.listed, one.listed_since) == (len(before), before[0] if before else None), one.ref
        for ref in {one.ref for one in [*shown, *moved]}:
            seen.setdefault(ref, []).append(content.date)
    told = [[one.renamed_from for one in content.charts[-1].rows if one.name == "Quarry/Steady"] for content in papers]
    assert told == [[]] * 10 + [["stone/steady"]] + [[""]] * 5


def test_the_why_of_a_row_is_joined_from_its_paper_while_that_is_news(papers: Sequence[EditionContent]) -> None:
    """A week long."""
    halyard = [one.why if (one := row(content, "sail/halyard")) else None for content in papers]
    assert halyard == [*[""] * 3, *["Paper: Stepping Offline, 41 upvotes on Hugging Face"] * 7, *[""] * 6]


async def test_the_same_days_give_the_same_bytes_on_every_engine(
    db: Database, papers: Sequence[EditionContent]
) -> None:
    """Played once more: not a digit differs."""
    again = await play(db)
    for one, other in zip(papers, again, strict=True):
        assert json.dumps(one.model_dump(mode="json"), sort_keys=True) == json.dumps(
            other.model_dump(mode="json"), sort_keys=True
        )
