"""Stored charts and movers as an edition prints them."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.db import Database
from app.models.content import Chart, Move, Mover, Movers
from app.models.counts import Basis, Note, NoteKind, Row, Snapshot, Thing, TrendKind, TrendSource
from app.stages.compose.standing import Past
from app.stages.compose.trending import trending
from app.stages.compose.trends import charts, listings, movers
from app.stages.compose.why import Reason, reason
from app.store import trends
from app.store.listings import Memory
from tests.conftest import NOON

PAST = Past(NOON.date())
HUB, GITHUB = TrendSource.HUGGINGFACE, TrendSource.GITHUB
MODEL, DATASET, REPOSITORY, MOVERS = TrendKind.MODEL, TrendKind.DATASET, TrendKind.REPOSITORY, TrendKind.MOVERS


def row(name: str, rank: int | None, gained: int | None = 100, **more: Any) -> Row:
    return Row(
        external_id=name, name=name, url=f"https://example.org/{name}", count=5_000, rank=rank, gained=gained, **more
    )


def stored(*snapshots: Snapshot) -> dict[tuple[TrendSource, TrendKind], Snapshot]:
    return {(one.source, one.kind): one for one in snapshots}


def capture(
    source: TrendSource, kind: TrendKind, *rows: Row, at: datetime = NOON, since: date | None = None
) -> Snapshot:
    return Snapshot(source, kind, at.date(), at, True, rows, since)


def repositories(*rows: Row, at: datetime = NOON) -> Chart:
    (chart,) = charts(stored(capture(GITHUB, REPOSITORY, *rows, at=at)), NOON, PAST)
    return chart


def ranked(count: int, prefix: str = "org") -> tuple[Row, ...]:
    return tuple(row(f"{prefix}{n}/it", n, 1_000 - n) for n in range(1, count + 1))


def test_the_three_charts_stand_in_the_papers_order_with_their_own_lengths() -> None:
    """Five models, three datasets, five repositories."""
    found = charts(
        stored(
            capture(GITHUB, REPOSITORY, *ranked(9)),
            capture(HUB, DATASET, *ranked(9)),
            capture(HUB, MODEL, *ranked(9)),
            capture(HUB, MOVERS, *ranked(9)),
        ),
        NOON,
        PAST,
    )
    assert [(one.key, one.title, one.unit, len(one.rows)) for one in found] == [
        ("huggingface-models", "Hugging Face models", "likes", 5),
        ("huggingface-datasets", "Hugging Face datasets", "likes", 3),
        ("github-repositories", "GitHub repositories", "stars", 5),
    ]


def test_a_model_goes_by_its_name_with_its_owner_in_the_detail() -> None:
    """A repository goes by both; an old model without an owner by all it has."""
    models = capture(
        HUB, MODEL, row("lab/wick-12b", 1, detail="text generation", variants=6), row("gpt9", 2, detail="fill mask"),
        row("lab/mute", 3),
    )  # fmt: skip
    (chart,) = charts(stored(models), NOON, PAST)
    assert [(one.name, one.detail, one.variants) for one in chart.rows] == [
        ("wick-12b", "lab · text generation", 6),
        ("gpt9", "fill mask", 0),
        ("mute", "lab", 0),
    ]
    assert repositories(row("lab/wick", 1, detail="Burns slowly.")).rows[0].name == "lab/wick"


@pytest.mark.parametrize(
    ("was", "new", "move", "places"),
    [
        (44, False, Move.UP, 41),
        (1, False, Move.DOWN, 2),
        (3, False, Move.SAME, 0),
        (None, True, Move.NEW, 0),
        (None, False, Move.UNKNOWN, 0),
    ],
)
def test_the_arrow_is_the_rank_of_a_week_ago_against_todays(
    was: int | None, new: bool, move: Move, places: int
) -> None:
    """Not known prints as nothing, never as "same"."""
    found = repositories(row("a/a", 3, was=was, new=new)).rows[0]
    assert (found.rank, found.move, found.places) == (3, move, places)


@pytest.mark.parametrize(
    ("basis", "approximate"),
    [(Basis.COUNTED, False), (Basis.HISTORY, False), (Basis.NEAREST, True), (Basis.ESTIMATE, True), (None, False)],
)
def test_a_gain_that_nobody_counted_says_so(basis: Basis | None, approximate: bool) -> None:
    """The Hub's own measure, and a week scaled from six days."""
    assert repositories(row("a/a", 1, basis=basis)).rows[0].approximate is approximate


def test_totals_stand_with_repositories_and_wherever_the_gain_is_missing() -> None:
    """Models are printed by their week alone."""
    models = capture(HUB, MODEL, row("a/a", 1), row("b/b", 2, None))
    (chart,) = charts(stored(models), NOON, PAST)
    assert [one.total for one in chart.rows] == [None, 5_000]
    assert repositories(row("a/a", 1)).rows[0].total == 5_000


@pytest.mark.parametrize(
    ("age", "printed", "stale"),
    [
        (timedelta(0), True, False),
        (timedelta(hours=5), True, False),
        (timedelta(hours=11, minutes=59), True, False),
        (timedelta(hours=12, minutes=1), True, True),
        (timedelta(hours=48), True, True),
        (timedelta(hours=48, seconds=1), False, True),
    ],
)
def test_figures_of_another_day_say_so_and_after_two_days_are_left_out(
    age: timedelta, printed: bool, stale: bool
) -> None:
    """Old figures come with their own stamp and without arrows: nothing was compared today."""
    found = charts(stored(capture(GITHUB, REPOSITORY, row("a/a", 1, was=9), at=NOON - age)), NOON, PAST)
    assert bool(found) is printed
    for chart in found:
        assert (chart.stale, chart.as_of) == (stale, NOON - age)
        assert chart.rows[0].move is (Move.UNKNOWN if stale else Move.UP)


def test_figures_from_before_midnight_are_fresh_in_the_small_hours() -> None:
    """The day changed in UTC; the source did not fail."""
    midnight = NOON.replace(hour=0, minute=20)
    snapshot = capture(GITHUB, REPOSITORY, row("a/a", 1, was=9), at=midnight - timedelta(hours=1))
    assert not charts(stored(snapshot), midnight, PAST)[0].stale


def test_without_enough_known_weeks_repositories_stand_by_their_totals() -> None:
    """Star histories were out of reach: a chart by stars is still true, arrows would not be."""
    few = (
        row("a/a", 1, 900, was=5),
        replace(row("b/b", None, None), count=9_000),
        replace(row("c/c", None, None), count=70_000),
    )
    found = repositories(*few).rows
    assert [(one.rank, one.name, one.gained, one.total, one.move) for one in found] == [
        (1, "c/c", None, 70_000, Move.UNKNOWN),
        (2, "b/b", None, 9_000, Move.UNKNOWN),
        (3, "a/a", 900, 5_000, Move.UNKNOWN),
    ]


def test_an_empty_chart_is_no_chart() -> None:
    """Never a title above nothing."""
    assert charts(stored(capture(GITHUB, REPOSITORY)), NOON, PAST) == ()
    assert charts({}, NOON, PAST) == ()


def remembered(ref: str, **more: Any) -> Past:
    return replace(PAST, listed={ref: Memory(**more)})


WEEK_AGO = NOON.date() - timedelta(days=7)


@pytest.mark.parametrize(
    ("since", "move", "reentry"),
    [
        (None, Move.NEW, False),
        (WEEK_AGO + timedelta(days=1), Move.NEW, False),
        (WEEK_AGO, Move.UNKNOWN, True),
        (date(2026, 3, 2), Move.UNKNOWN, True),
    ],
)
def test_new_or_back_is_told_by_the_charts_of_earlier_editions(since: date | None, move: Move, reentry: bool) -> None:
    """NEW for the whole of its first week; RE where an edition before that week had it on its chart."""
    past = remembered("github:repository:a/a", charted=0 if since is None else 3, charted_since=since)
    (chart,) = charts(stored(capture(GITHUB, REPOSITORY, row("a/a", 3, new=True))), NOON, past)
    assert (chart.rows[0].move, chart.rows[0].reentry) == (move, reentry)
    lane = movers(stored(capture(GITHUB, MOVERS, row("a/a", 3, new=True, kind=REPOSITORY))), NOON, past)
    assert lane is not None
    assert [(one.new, one.reentry) for one in lane.new] == [(not reentry, reentry)]


def test_a_row_with_an_arrow_is_neither_new_nor_back() -> None:
    """It stood on last week's chart, whatever earlier editions say."""
    past = remembered("github:repository:a/a", charted=40, charted_since=date(2026, 3, 2))
    (chart,) = charts(stored(capture(GITHUB, REPOSITORY, row("a/a", 3, was=5))), NOON, past)
    assert (chart.rows[0].move, chart.rows[0].reentry) == (Move.UP, False)


def test_a_row_says_how_long_it_is_on_the_chart_and_how_often_it_was_listed() -> None:
    """Today counts as a day on the chart; listings are those before this one."""
    past = remembered("github:repository:a/a", charted=11, charted_since=date(2026, 3, 2), printed=3,
                      printed_since=date(2026, 3, 9), name="a/a")  # fmt: skip
    rows = (row("a/a", 3, was=5, spark=(1,) * 14, basis=Basis.HISTORY), row("b/b", 4))
    (chart,) = charts(stored(capture(GITHUB, REPOSITORY, *rows)), NOON, past)
    known, fresh = chart.rows
    assert (known.ref, known.days_on_chart, known.listed, known.listed_since) == (
        "github:repository:a/a", 12, 3, date(2026, 3, 9),
    )  # fmt: skip
    assert (known.spark, known.basis, known.renamed_from) == ((1,) * 14, Basis.HISTORY, "")
    assert (fresh.days_on_chart, fresh.listed, fresh.listed_since) == (1, 0, None)


@pytest.mark.parametrize(("last", "told"), [("old/it", "old/it"), ("New/it", ""), ("new/it", ""), ("", "")])
def test_a_new_name_is_told_once_after_the_old_one_was_printed(last: str, told: str) -> None:
    """The last edition that printed it had another name; a change of capitals is none."""
    past = remembered("github:repository:7", charted=2, printed=2, name=last)
    renamed = replace(row("new/it", 1), external_id="7")
    (chart,) = charts(stored(capture(GITHUB, REPOSITORY, renamed)), NOON, past)
    assert chart.rows[0].renamed_from == told


def test_a_held_row_is_not_printed_and_leaves_no_gap() -> None:
    """It has no rank; the editor sees it, the reader does not."""
    held = row("h/h", None, 9_000, held=True, remark="9,000 stars came with 4 forks")
    chart = repositories(row("a/a", 1), row("b/b", 2), held)
    assert [(one.rank, one.name) for one in chart.rows] == [(1, "a/a"), (2, "b/b")]


def test_what_cooled_is_named_with_its_place_of_a_week_ago() -> None:
    """Three at most; old figures say nothing of who left."""
    gone = [row(f"o{n}/r", None, None, was=n, kind=REPOSITORY) for n in (4, 2, 9, 3)]
    snapshot = capture(GITHUB, MOVERS, row("a/a", 1, was=3, kind=REPOSITORY), *gone)
    assert [(one.name, one.was) for one in read(snapshot).cooled] == [("o2/r", 2), ("o3/r", 3), ("o4/r", 4)]
    assert names(read(snapshot).rows) == ["a/a"]
    old = read(replace(snapshot, day=NOON.date() - timedelta(days=1), captured_at=NOON - timedelta(days=1)))
    assert (old.stale, old.cooled, old.rows[0].was) == (True, (), None)


def test_the_edition_remembers_its_charts_and_what_it_printed_of_them() -> None:
    """Figures of another day were remembered by that day's edition."""
    today = capture(GITHUB, REPOSITORY, row("a/a", 1), row("b/b", 2), row("c/c", None))
    old = capture(HUB, MODEL, row("m/m", 1), row("n/n", 2), at=NOON - timedelta(days=1))
    both = stored(today, old)
    printed = [replace_ref for chart in charts(both, NOON, PAST) for replace_ref in chart.rows[:1]]
    assert [(one.ref, one.rank, one.printed, one.name) for one in listings(both, printed, NOON)] == [
        ("github:repository:a/a", 1, True, "a/a"),
        ("github:repository:b/b", 2, False, ""),
        ("huggingface:model:m/m", None, True, "m/m"),
    ]


PAPER = Thing(
    external_id="2611.00102", name="Stepping Offline", url="https://huggingface.co/papers/2611.00102",
    created_at=NOON - timedelta(days=3), first_day=NOON.date(), last_day=NOON.date(),
)  # fmt: skip
RELEASE = Note("7", NoteKind.RELEASE, "v2.0", "https://github.com/a/a/releases/tag/v2.0", NOON - timedelta(days=2))


def test_a_paper_tells_why_before_a_release_does() -> None:
    """With its upvotes, and only in the week in which it was put on the list."""
    assert reason((PAPER, 41), [RELEASE], NOON) == Reason(
        "Paper: Stepping Offline, 41 upvotes on Hugging Face", "https://huggingface.co/papers/2611.00102"
    )
    assert reason((PAPER, 1), [], NOON) == Reason("Paper: Stepping Offline, 1 upvote on Hugging Face", PAPER.url)
    assert reason((PAPER, 0), [], NOON) == Reason("Paper: Stepping Offline", PAPER.url)
    assert reason((replace(PAPER, created_at=NOON - timedelta(days=8)), 41), [], NOON) is None
    long = reason((replace(PAPER, name="On " + "very " * 40 + "long titles"), 0), [], NOON)
    assert long is not None
    assert len(long.text) <= 100
    assert long.text.endswith("very…")


def test_a_release_of_this_week_tells_why() -> None:
    """An older one does not, nor one of tomorrow."""
    assert reason(None, [RELEASE], NOON) == Reason("Released v2.0 on 21 November", RELEASE.url)
    for at in (NOON - timedelta(days=8), NOON + timedelta(days=1)):
        assert reason(None, [replace(RELEASE, at=at)], NOON) is None


def test_the_reason_stands_with_the_row_and_its_link() -> None:
    """In the chart and among the movers."""
    past = replace(PAST, reasons={"github:repository:a/a": Reason("Released v2", "https://github.com/a/a/releases")})
    (chart,) = charts(stored(capture(GITHUB, REPOSITORY, row("a/a", 1), row("b/b", 2))), NOON, past)
    assert [(one.why, one.why_url) for one in chart.rows] == [
        ("Released v2", "https://github.com/a/a/releases"), ("", ""),
    ]  # fmt: skip
    found = movers(stored(capture(GITHUB, MOVERS, row("a/a", 1, was=2, kind=REPOSITORY))), NOON, past)
    assert found is not None
    assert found.rows[0].why == "Released v2"


def read(*snapshots: Snapshot) -> Movers:
    found = movers(stored(*snapshots), NOON, PAST)
    assert found is not None
    return found


def names(rows: tuple[Mover, ...]) -> list[str]:
    return [one.name for one in rows]


def test_movers_of_both_sites_stand_together_by_surprise() -> None:
    """Then by places climbed; a model by its own name, and a multiple only where the usual week is known."""
    found = read(
        capture(GITHUB, MOVERS, row("mill/race", 3, 10_400, was=44, usual=1_214.5, score=253.4)),
        capture(HUB, MOVERS, row("lab/wick", 5, 790, was=14), row("lab/marsh", 9, 702, was=35, usual=0, score=60.2)),
    )
    assert found.as_of == NOON
    assert found.measuring_since is None
    assert [(one.name, one.site, one.unit, one.was, one.now, one.multiple) for one in found.rows] == [
        ("mill/race", "GitHub", "stars", 44, 3, 8.5),
        ("marsh", "Hugging Face", "likes", 35, 9, None),
        ("wick", "Hugging Face", "likes", 14, 5, None),
    ]


def test_one_site_leaves_room_for_the_other() -> None:
    """Stars are many and likes are few: three of one at most, while the other has any."""
    many = [row(f"o{n}/r", n, 9_000, usual=10, score=900.0 - n) for n in range(1, 9)]
    models = [row(f"l{n}/m{n}", n, 90, usual=10, score=9.0 - n) for n in range(1, 9)]
    both = read(capture(GITHUB, MOVERS, *many), capture(HUB, MOVERS, *models))
    assert names(both.rows) == ["o1/r", "o2/r", "o3/r", "m1", "m2"]
    assert names(read(capture(GITHUB, MOVERS, *many), capture(HUB, MOVERS, models[0])).rows) == [
        "o1/r", "o2/r", "o3/r", "o4/r", "m1",
    ]  # fmt: skip
    assert len(read(capture(GITHUB, MOVERS, *many)).rows) == 5


def test_newcomers_are_a_lane_of_their_own() -> None:
    """Two at most, by gain, never with a multiple; who has a usual week is judged with the others."""
    found = read(
        capture(
            GITHUB, MOVERS,
            row("a/known", 7, 900, new=True, usual=100, score=56.0),
            row("b/new", 2, 500, new=True), row("c/new", 1, 82_000, new=True), row("d/new", 4, 60, new=True),
        )
    )  # fmt: skip
    assert [(one.name, one.new, one.multiple) for one in found.rows] == [("a/known", False, 8.3)]
    assert [(one.name, one.new, one.multiple) for one in found.new] == [("c/new", True, None), ("b/new", True, None)]


def test_while_measuring_the_block_says_since_when() -> None:
    """The highest of each chart in turn, without arrows."""
    found = read(
        capture(GITHUB, MOVERS, row("a/a", 1, 14_000), row("b/b", 2, 9_000), since=date(2026, 11, 21)),
        capture(HUB, MOVERS, row("c/c", 1, 900, basis=Basis.ESTIMATE), row("d/d", 2, 40), since=date(2026, 11, 20)),
    )
    assert found.measuring_since == date(2026, 11, 20)
    assert [(one.name, one.was, one.approximate) for one in found.rows] == [
        ("a/a", None, False),
        ("c", None, True),
        ("b/b", None, False),
        ("d", None, False),
    ]
    assert found.new == ()


def test_a_site_that_still_measures_waits_for_its_turn() -> None:
    """Arrows and no arrows are not mixed in one list."""
    found = read(
        capture(GITHUB, MOVERS, row("a/a", 1, 500, was=4)),
        capture(HUB, MOVERS, row("c/c", 1, 900), since=date(2026, 11, 20)),
    )
    assert names(found.rows) == ["a/a"]


def test_a_site_that_failed_today_is_not_mixed_with_one_that_answered() -> None:
    """Yesterday's movers stand only where no source has any of today; after two days none do."""
    yesterday = NOON - timedelta(days=1)
    old = capture(HUB, MOVERS, row("c/c", 1, 900, was=3), at=yesterday)
    assert names(read(capture(GITHUB, MOVERS, row("a/a", 1, 500, was=4)), old).rows) == ["a/a"]
    assert read(old).as_of == yesterday
    assert movers(stored(capture(HUB, MOVERS, row("c/c", 1), at=NOON - timedelta(hours=49))), NOON, PAST) is None


def test_without_a_row_there_are_no_movers() -> None:
    """The section is left out whole."""
    assert movers(stored(capture(HUB, MOVERS), capture(GITHUB, REPOSITORY, *ranked(5))), NOON, PAST) is None


_LANE = st.lists(
    st.builds(
        row,
        st.from_regex(r"[a-f]/[a-z]{1,2}", fullmatch=True),
        st.integers(1, 9),
        st.integers(1, 400),
        was=st.none() | st.integers(1, 9),
        score=st.none() | st.floats(1, 9),
        new=st.booleans(),
    ),
    max_size=9,
    unique_by=lambda one: one.name,
)


@given(_LANE.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_of_stored_rows_changes_nothing(case: Any) -> None:
    """The same rows give the same paper, and no figure in it is negative."""
    rows, shuffled = case
    straight = stored(capture(GITHUB, REPOSITORY, *rows), capture(GITHUB, MOVERS, *rows))
    other = stored(capture(GITHUB, REPOSITORY, *shuffled), capture(GITHUB, MOVERS, *shuffled))
    assert charts(straight, NOON, PAST) == charts(other, NOON, PAST)
    assert movers(straight, NOON, PAST) == movers(other, NOON, PAST)
    printed = [one.gained for chart in charts(straight, NOON, PAST) for one in chart.rows]
    assert all(gained is None or gained >= 0 for gained in printed)


async def test_the_stored_rows_are_read_for_the_edition(db: Database) -> None:
    """The newest capture of each chart, from the tables."""
    yesterday = capture(GITHUB, REPOSITORY, *ranked(2, "old"), at=NOON - timedelta(days=1))
    moved = capture(GITHUB, MOVERS, row("a/a", 1, was=8, kind=REPOSITORY))
    async with db.write() as session:
        for one in (yesterday, capture(GITHUB, REPOSITORY, *ranked(6)), moved):
            assert await trends.save(session, one)
    async with db.read() as session:
        found = await trending(session, NOON, NOON.date())
        nothing = await trending(session, NOON + timedelta(days=3), NOON.date())
    assert [one.name for one in found.charts[0].rows] == ["org1/it", "org2/it", "org3/it", "org4/it", "org5/it"]
    assert found.movers is not None
    assert found.movers.rows[0].was == 8
    assert [(one.ref, one.rank, one.printed) for one in found.listed] == [
        ("github:repository:a/a", None, True),
        *((f"github:repository:org{n}/it", n, n <= 5) for n in range(1, 7)),
    ]
    assert (nothing.charts, nothing.movers, nothing.listed) == ((), None, ())
