"""Charts: who stands where, where they stood a week ago, and who is new."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.models.counts import Basis, Point, Row, Snapshot, TrendKind, TrendSource
from app.stages.collect.harvest import Before
from app.stages.collect.ranking import comparable, moved, ranked
from tests.conftest import NOON

WEEK = timedelta(days=7)
LONG_AGO = NOON - timedelta(days=900)


def row(external_id: str, count: int = 1_000, **more: Any) -> Row:
    made = {"name": f"org{external_id}/it", "url": "", "created_at": LONG_AGO, **more}
    return Row(external_id=external_id, count=count, **made)


def counted(**then: int) -> Before:
    """What was counted a week ago, by id."""
    return Before({external_id.strip("_"): [Point(NOON - WEEK, count)] for external_id, count in then.items()})


def week_ago(*rows: Row, complete: bool = True) -> Snapshot:
    at = NOON - WEEK
    return Snapshot(TrendSource.GITHUB, TrendKind.REPOSITORY, at.date(), at, complete, rows)


def ranks(rows: tuple[Row, ...]) -> dict[str, int | None]:
    return {one.external_id: one.rank for one in rows}


def test_the_chart_is_by_the_gain_of_the_week_not_by_the_total() -> None:
    """Our own counts a week apart decide; who gained nothing, or nobody knows what, has no rank."""
    rows = (row("a", 90_000), row("b", 1_200), row("c", 500), row("d", 7_000), row("e", 70))
    chart = ranked(rows, counted(a=89_900, b=200, c=500, e=90), NOON)
    assert ranks(chart) == {"b": 1, "a": 2, "c": None, "d": None, "e": None}
    assert [one.gained for one in chart] == [1_000, 100, 0, None, None]


def test_equal_gains_share_a_rank_and_stand_by_name() -> None:
    """1, 2, 2, 4."""
    rows = (row("d", 110, name="z/z"), row("c", 150, name="b/b"), row("b", 150, name="a/a"), row("a", 200))
    chart = ranked(rows, counted(a=100, b=100, c=100, d=100), NOON)
    assert [(one.external_id, one.rank) for one in chart] == [("a", 1), ("b", 2), ("c", 2), ("d", 4)]


def test_where_the_source_measures_the_week_its_measure_is_the_order() -> None:
    """Hugging Face ranks by its score; the gain printed is ours where we counted a week ago, else its estimate."""
    rows = (
        row("a", 1_000, score=40.5, gained=41, basis=Basis.ESTIMATE),
        row("b", 9_000, score=90.0, gained=90, basis=Basis.ESTIMATE),
        row("c", 9_000, score=0.0, gained=0, basis=Basis.ESTIMATE),
    )
    chart = ranked(rows, counted(a=900), NOON)
    assert ranks(chart) == {"b": 1, "a": 2, "c": None}
    assert [(one.gained, one.basis) for one in chart[:2]] == [(90, Basis.ESTIMATE), (100, Basis.COUNTED)]


def test_what_is_younger_than_a_week_gained_all_it_has() -> None:
    """No scaling up of three days to seven."""
    young = row("a", 320, created_at=NOON - timedelta(days=5))
    (only,) = ranked([young], Before({"a": [Point(NOON - timedelta(days=5.6), 10)]}), NOON)
    assert (only.gained, only.basis) == (320, Basis.COUNTED)


def test_a_gain_is_never_more_than_the_total_nor_below_nothing() -> None:
    """A count that fell is no gain, and a scaled one does not pass what is there."""
    scaled = ranked([row("a", 100)], Before({"a": [Point(NOON - timedelta(days=6), 0)]}), NOON)
    fallen = ranked([row("a", 100)], counted(a=21_000), NOON)
    assert (scaled[0].gained, scaled[0].basis) == (100, Basis.NEAREST)
    assert (fallen[0].gained, fallen[0].basis, fallen[0].rank) == (None, None, None)


def test_arrows_need_a_chart_of_at_least_half_the_rows() -> None:
    """Against a chart of three, everything would seem to come from nowhere."""
    today = [row(str(n), rank=n) for n in range(1, 9)]
    assert comparable(today, week_ago(*today[:4]))
    assert not comparable(today, week_ago(*today[:3], row("9", rank=None)))
    assert not comparable(today, None)
    assert not comparable([], week_ago(*today))


def test_ranks_of_a_week_ago_are_looked_up_by_id_so_a_rename_changes_no_number() -> None:
    """The name is new, the place it came from is not."""
    chart = moved(
        [row("a", name="new-owner/it", rank=1)], week_ago(row("a", name="old-owner/it", rank=9)), {"a": 9}, NOON
    )
    assert (chart[0].was, chart[0].new) == (9, False)


def test_new_is_only_what_was_never_on_a_chart() -> None:
    """Not who comes back, not who was counted all along without a known week, and not what has no rank."""
    young = NOON - timedelta(days=20)
    rows = [
        row("stranger", rank=1),
        row("returned", rank=2),
        row("counted", rank=3),
        row("young", rank=4, created_at=young),
        row("unranked"),
    ]
    peaks = {"returned": 12, "counted": None, "young": None}
    chart = moved(rows, week_ago(row("counted", rank=None), row("young", rank=None)), peaks, NOON)
    assert [one.external_id for one in chart if one.new] == ["stranger", "young"]


def test_nothing_is_new_against_a_chart_that_was_not_whole() -> None:
    """Absence proves nothing there."""
    chart = moved([row("a", rank=1)], week_ago(row("b", rank=1), complete=False), {}, NOON)
    assert not chart[0].new


_ROWS = st.lists(
    st.tuples(st.integers(0, 30_000), st.integers(0, 30_000), st.sampled_from(["a/a", "a/b", "b/a", "é/x"])),
    min_size=1,
    max_size=12,
)


@given(_ROWS.flatmap(lambda counts: st.tuples(st.just(counts), st.permutations(range(len(counts))))))
def test_the_order_of_the_rows_changes_nothing_and_no_figure_is_below_zero(case: Any) -> None:
    """The same counts give the same chart; ranks follow gains."""
    counts, order = case
    rows = [row(str(n), now, name=name) for n, (now, _, name) in enumerate(counts)]
    before = Before({str(n): [Point(NOON - WEEK, then)] for n, (_, then, _) in enumerate(counts)})
    chart = ranked(rows, before, NOON)
    assert chart == ranked([rows[index] for index in order], before, NOON)
    assert all(one.gained is None or 0 <= one.gained <= one.count for one in chart)
    placed = [one for one in chart if one.rank is not None]
    gains = [one.gained or 0 for one in placed]
    assert gains == sorted(gains, reverse=True)


@given(_ROWS)
def test_a_rename_changes_no_number(counts: Any) -> None:
    """Every row under a new name: the same gains and ranks, id by id."""
    rows = [row(str(n), now, name=name) for n, (now, _, name) in enumerate(counts)]
    before = Before({str(n): [Point(NOON - WEEK, then)] for n, (_, then, _) in enumerate(counts)})

    def figures(rows: list[Row]) -> dict[str, Any]:
        return {one.external_id: (one.rank, one.gained, one.basis) for one in ranked(rows, before, NOON)}

    assert figures(rows) == figures([replace(one, name=f"moved/{one.external_id}") for one in rows])
