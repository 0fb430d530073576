"""Charts: who stands where, where they stood a week ago, and of whom it is certain that they are new."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.models.counts import Basis, Point, Row, Snapshot, TrendKind, TrendSource
from app.stages.collect.measure import Counted, Facts
from app.stages.collect.ranking import DEPTH, by_gain, by_score, comparable
from tests.conftest import NOON
from tests.stages.collect.weeks import FACTS, counted, counted_daily

WEEK = timedelta(days=7)
LONG_AGO = NOON - timedelta(days=900)


def row(external_id: str, count: int = 1_000, **more: Any) -> Row:
    made = {"name": f"org{external_id}/it", "url": "", "created_at": LONG_AGO, **more}
    return Row(external_id=external_id, count=count, **made)


def since_week(one: Row, then: int | None) -> Counted:
    """Counted now, and `then` a week ago."""
    earlier = [] if then is None else [Point(NOON - WEEK, then)]
    return Counted(one, [*earlier, Point(NOON, one.count)])


def week_ago(*rows: Row, complete: bool = True) -> Snapshot:
    at = NOON - WEEK
    return Snapshot(TrendSource.GITHUB, TrendKind.REPOSITORY, at.date(), at, complete, rows)


def ranks(rows: Sequence[Row]) -> dict[str, int | None]:
    return {one.external_id: one.rank for one in rows}


def test_the_chart_is_by_the_gain_of_the_week_not_by_the_total() -> None:
    """Our own counts a week apart decide; who gained nothing, or nobody knows what, has no rank."""
    rows = {"a": (90_000, 89_900), "b": (1_200, 200), "c": (500, 500), "d": (7_000, None), "e": (70, 90)}
    chart = by_gain([since_week(row(key, now), then) for key, (now, then) in rows.items()], FACTS).rows
    assert ranks(chart) == {"b": 1, "a": 2, "c": None, "d": None, "e": None}
    assert [one.gained for one in chart] == [1_000, 100, 0, None, None]


def test_equal_gains_share_a_rank_and_stand_by_name() -> None:
    """1, 2, 2, 4."""
    rows = (row("d", 110, name="z/z"), row("c", 150, name="b/b"), row("b", 150, name="a/a"), row("a", 200))
    chart = by_gain([since_week(one, 100) for one in rows], FACTS).rows
    assert [(one.external_id, one.rank) for one in chart] == [("a", 1), ("b", 2), ("c", 2), ("d", 4)]


def test_where_the_source_measures_the_week_its_measure_is_the_order() -> None:
    """Hugging Face ranks by its score; the gain printed is ours where we counted a week ago, else its estimate."""
    rows = (
        row("a", 1_000, score=40.5, gained=41, basis=Basis.ESTIMATE),
        row("b", 9_000, score=90.0, gained=90, basis=Basis.ESTIMATE),
        row("c", 9_000, score=0.0, gained=0, basis=Basis.ESTIMATE),
    )
    things = [since_week(one, 900 if one.external_id == "a" else None) for one in rows]
    chart = by_score(things, FACTS, None).rows
    assert ranks(chart) == {"b": 1, "a": 2, "c": None}
    assert [(one.gained, one.basis) for one in chart[:2]] == [(90, Basis.ESTIMATE), (100, Basis.COUNTED)]


def test_where_the_source_gives_an_order_and_no_measure_its_order_stands() -> None:
    """The Hub's short list: what its home page shows, first to last."""
    things = [since_week(row(key, count), None) for key, count in (("a", 9_000), ("b", 10), ("c", 400))]
    assert ranks(by_score(things, FACTS, None, ["b", "c", "a"]).rows) == {"b": 1, "c": 2, "a": 3}


def test_what_is_younger_than_a_week_gained_all_it_has() -> None:
    """No scaling up of three days to seven."""
    young = row("a", 320, created_at=NOON - timedelta(days=5))
    (only,) = by_gain([Counted(young, [Point(NOON - timedelta(days=4.6), 10), Point(NOON, 320)])], FACTS).rows
    assert (only.gained, only.basis) == (320, Basis.COUNTED)


def test_a_gain_is_never_more_than_the_total_nor_below_nothing() -> None:
    """A count that fell is no gain, and a scaled one does not pass what is there."""
    scaled = by_gain([Counted(row("a", 100), [Point(NOON - timedelta(days=6), 0), Point(NOON, 100)])], FACTS).rows
    fallen = by_gain([since_week(row("a", 100), 21_000)], FACTS).rows
    assert (scaled[0].gained, scaled[0].basis) == (100, Basis.NEAREST)
    assert (fallen[0].gained, fallen[0].basis, fallen[0].rank) == (None, None, None)


def test_arrows_of_the_hub_need_a_stored_chart_of_at_least_half_the_rows() -> None:
    """Against a chart of three, everything would seem to come from nowhere."""
    today = [row(str(n), rank=n) for n in range(1, 9)]
    assert comparable(today, week_ago(*today[:4]))
    assert not comparable(today, week_ago(*today[:3], row("9", rank=None)))
    assert not comparable(today, None)
    assert not comparable([], week_ago(*today))


def test_arrows_of_repositories_need_to_know_the_week_before_of_at_least_half() -> None:
    """Worked out from the counts as they are known today; what was not born then does not count against it."""
    known = [counted(str(n), gain=10 + n, before=20 - n) for n in range(3)]
    unknown = [since_week(row(f"u{n}"), 900) for n in range(4)]
    young = [Counted(row(f"y{n}", 60, created_at=NOON - timedelta(days=2)), [Point(NOON, 60)]) for n in range(9)]
    assert not by_gain([*known, *unknown, *young], FACTS).compared
    chart = by_gain([*known, *unknown[:3], *young], FACTS)
    assert chart.compared
    assert {one.external_id: one.was for one in chart.rows if one.external_id in "012"} == {"2": 3, "1": 2, "0": 1}


def test_ranks_of_a_week_ago_are_looked_up_by_id_so_a_rename_changes_no_number() -> None:
    """The name is new, the place it came from is not."""
    then = week_ago(row("a", name="old-owner/it", rank=9))
    chart = by_score([since_week(row("a", name="new-owner/it", score=5.0), 990)], FACTS, then).rows
    assert (chart[0].was, chart[0].new) == (9, False)


def test_entered_is_only_who_certainly_was_not_on_the_hubs_chart() -> None:
    """Where the chart of a week ago was not whole, only who was counted without a rank, or is younger than it."""
    rows = [row("stranger", score=4.0), row("counted", score=3.0), row("there", score=2.0), row("unranked", score=0.0),
            row("young", score=1.0, created_at=NOON - timedelta(days=2))]  # fmt: skip
    things = [since_week(one, None) for one in rows]

    def entered(complete: bool) -> list[str]:
        then = week_ago(row("counted"), row("there", rank=1), row("w", rank=2), complete=complete)
        return [one.external_id for one in by_score(things, FACTS, then).rows if one.new]

    assert entered(complete=True) == ["stranger", "counted", "young"]
    assert entered(complete=False) == ["counted", "young"]


def test_only_the_first_hundred_are_a_chart() -> None:
    """From place 140 to place 1 is no arrow; it was counted then, so it has certainly entered."""
    many = [counted(f"{n:03}", gain=1_000 - n, before=1_000 - n) for n in range(DEPTH + 40)]
    last = replace(many[-1], points=[*many[-1].points[:-1], Point(NOON, many[-1].points[-1].count + 90_000)])
    chart = by_gain([*many[:-1], replace(last, row=replace(last.row, count=last.points[-1].count))], FACTS)
    assert (chart.rows[0].external_id, chart.rows[0].was, chart.rows[0].new) == (last.row.external_id, None, True)
    assert [one.external_id for one in chart.cooled] == [f"{DEPTH - 1:03}"]
    assert chart.cooled[0].was == DEPTH


_COUNTS = st.lists(
    st.tuples(st.integers(0, 3_000), st.integers(0, 3_000), st.sampled_from(["a/a", "a/b", "b/a", "é/x"])),
    min_size=1,
    max_size=12,
)


def figures(rows: Sequence[Row]) -> Mapping[str, Any]:
    return {one.external_id: (one.rank, one.was, one.new, one.gained, one.basis, one.held) for one in rows}


@given(_COUNTS.flatmap(lambda counts: st.tuples(st.just(counts), st.permutations(range(len(counts))))))
def test_the_order_of_the_things_changes_nothing_and_no_figure_is_below_zero(case: Any) -> None:
    """The same counts give the same chart; ranks follow gains."""
    counts, order = case
    things = [counted(str(n), gain=gain, before=before, name=name) for n, (gain, before, name) in enumerate(counts)]
    chart = by_gain(things, FACTS)
    assert chart == by_gain([things[index] for index in order], FACTS)
    assert all(one.gained is None or 0 <= one.gained <= one.count for one in chart.rows)
    placed = [one for one in chart.rows if one.rank is not None]
    assert [one.gained or 0 for one in placed] == sorted((one.gained or 0 for one in placed), reverse=True)


@given(_COUNTS)
def test_a_rename_changes_no_number(counts: Any) -> None:
    """Everything under a new name, of an owner of its own: the same gains and ranks, id by id."""
    things = [counted(str(n), gain=gain, before=before, name=f"o{n}/x") for n, (gain, before, _) in enumerate(counts)]
    moved = [replace(one, row=replace(one.row, name=f"moved{one.row.external_id}/y")) for one in things]
    assert figures(by_gain(things, FACTS).rows) == figures(by_gain(moved, FACTS).rows)


@given(st.lists(st.integers(5, 400), min_size=4, max_size=9), st.integers(1, 30), st.floats(0.9, 1.1))
def test_a_wrong_day_of_the_past_changes_no_printed_number(paces: list[int], back: int, slip: float) -> None:
    """A counter that showed ten percent too many or too few on any day but today."""
    right = [counted_daily(str(n), [pace] * 50) for n, pace in enumerate(paces)]
    wrong = []
    for one in right:
        points = list(one.points)
        index = len(points) - 1 - back
        points[index] = Point(points[index].at, round(points[index].count * slip))
        wrong.append(replace(one, points=points))
    facts = Facts(NOON)
    clean, slipped = by_gain(right, facts).rows, by_gain(wrong, facts).rows
    assert [one.external_id for one in clean] == [one.external_id for one in slipped]
    assert all(abs((a.gained or 0) - (b.gained or 0)) <= max(paces) for a, b in zip(clean, slipped, strict=True))
