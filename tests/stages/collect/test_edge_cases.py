"""What real weeks do to a chart, case by case: holes, renames, purges, star drives, twins, failures, ties."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.content import Move
from app.models.counts import Basis, Point, Row, Ruling, Snapshot, TrendKind, TrendSource
from app.stages.collect.history import counts_before
from app.stages.collect.measure import Counted, Facts
from app.stages.collect.movers import movers
from app.stages.collect.ranking import Chart, by_gain
from app.stages.collect.repositories import row_of
from app.stages.collect.series import spark
from app.stages.compose.standing import Past
from app.stages.compose.trends import charts as printed_charts
from app.stages.compose.trends import movers as printed_movers
from tests.conftest import NOON
from tests.stages.collect.test_github import item
from tests.stages.collect.weeks import FACTS, counted, counted_daily, thing, without

DAY = timedelta(days=1)
GITHUB, REPOSITORY, MOVERS = TrendSource.GITHUB, TrendKind.REPOSITORY, TrendKind.MOVERS
CROWD = [counted(f"crowd{n}", gain=900 - 40 * n, before=900 - 40 * n, usual=900) for n in range(8)]
"""Steady neighbours, so that a chart has somewhere to move."""
RISER = counted("riser", gain=4_000, before=300, usual=280)


def rows(chart: Chart) -> dict[str, Row]:
    return {row.external_id: row for row in chart.rows}


def chart_of(*things: Counted, facts: Facts = FACTS) -> dict[str, Row]:
    return rows(by_gain([*CROWD, *things], facts))


def snapshot(chart: Chart, *, kind: TrendKind = REPOSITORY, at: Any = NOON) -> Snapshot:
    return Snapshot(GITHUB, kind, at.date(), at, True, chart.rows, None if chart.compared else at.date())


def moving(*things: Counted, facts: Facts = FACTS) -> Sequence[Row]:
    chart = by_gain([*CROWD, *things], facts)
    return movers([snapshot(chart)], chart.cooled)[0]


def names(several: Sequence[Row]) -> list[str]:
    return [row.external_id for row in several]


def test_a_first_week_is_filled_from_history() -> None:
    """Counted today for the first time, with what each day brought: gain, usual week, arrow and sparkline are there."""
    days = {NOON.date() - back * DAY: 40 if back > 7 else 600 for back in range(80)}
    days[NOON.date()] = 300  # until noon

    def told(key: str, share: int) -> Counted:
        mine = {day: gain // share for day, gain in days.items()}
        row = thing(key, 90_000)
        return Counted(row, [*counts_before(mine, 90_000, NOON, None), Point(NOON, 90_000)])

    found = rows(by_gain([told("a", 1), told("b", 2), told("c", 3)], FACTS))
    assert (found["a"].gained, found["a"].basis, found["a"].usual) == (4_200, Basis.HISTORY, 280)
    assert (found["a"].rank, found["a"].was) == (1, 1)
    assert found["a"].spark is not None
    assert found["a"].spark == (*[40] * 6, 320, *[600] * 7)


def test_a_first_week_without_history_compares_nothing() -> None:
    """Totals only: "measuring since" stands in the place of arrows."""
    chart = by_gain([Counted(thing("a", 500), [Point(NOON, 500)])], FACTS)
    assert (chart.compared, chart.rows[0].gained, chart.rows[0].rank) == (False, None, None)
    assert movers([snapshot(chart)]) == ((), NOON.date())


@pytest.mark.parametrize("missing", [(7,), (14,), (7, 14), (6, 7, 8), (7, 8)])
def test_a_comparison_day_that_is_missing_for_everything_makes_nobody_new(missing: tuple[int, ...]) -> None:
    """The nearest day on which there was a collection stands in for it; steady things keep their places."""
    holed = by_gain([without(one, *missing) for one in [*CROWD, RISER]], FACTS)
    assert holed.compared
    assert not any(row.new for row in holed.rows)
    places = {key: row.was for key, row in rows(holed).items() if key != "riser" and row.was is not None}
    assert sorted(places, key=lambda key: places[key] or 0) == [one.row.external_id for one in CROWD][: len(places)]


def test_a_missing_day_scales_the_gain_and_says_so() -> None:
    """Six or eight days are made seven; without either there is no number."""
    holed = chart_of(without(RISER, 7))["riser"]
    assert holed.basis is Basis.NEAREST
    assert holed.gained == pytest.approx(4_000, rel=0.15)
    assert chart_of(without(RISER, 6, 7, 8))["riser"].gained is None


def test_when_todays_collection_failed_the_last_chart_stands_with_its_date_and_without_arrows() -> None:
    """Nothing is computed; 48 hours later it is left out."""
    yesterday = NOON - DAY
    old = snapshot(by_gain([*CROWD, RISER], FACTS), at=yesterday)
    (chart,) = printed_charts({(GITHUB, REPOSITORY): old}, NOON, Past(NOON.date()))
    assert (chart.stale, chart.as_of) == (True, yesterday)
    assert {row.move for row in chart.rows} == {Move.UNKNOWN}
    assert printed_charts({(GITHUB, REPOSITORY): old}, NOON + 2 * DAY, Past(NOON.date())) == ()


def test_one_source_down_costs_that_column_only() -> None:
    """The other site's chart is printed as ever."""
    good = snapshot(by_gain([*CROWD, RISER], FACTS))
    old = replace(good, source=TrendSource.HUGGINGFACE, kind=TrendKind.MODEL, captured_at=NOON - 3 * DAY)
    found = printed_charts({(old.source, old.kind): old, (GITHUB, REPOSITORY): good}, NOON, Past(NOON.date()))
    assert [chart.key for chart in found] == ["github-repositories"]


def test_who_was_counted_last_week_without_a_place_has_entered() -> None:
    """Certainly not on that chart: the editions then tell new from back."""
    quiet = counted("quiet", gain=5_000, before=0, usual=None)
    assert (chart_of(quiet)["quiet"].was, chart_of(quiet)["quiet"].new) == (None, True)


@pytest.mark.parametrize(("whole", "new"), [(True, True), (False, False)])
def test_who_was_not_counted_last_week_is_new_only_if_that_day_was_whole(whole: bool, new: bool) -> None:
    """`incomplete_results`: not seen is not the same as not there."""
    late = counted_daily("late", [900] * 5)
    told = counts_before({NOON.date() - back * DAY: 900 for back in range(6)}, late.row.count, NOON, None)
    facts = replace(FACTS, whole={(NOON - 7 * DAY).date(): whole})
    row = chart_of(replace(late, points=[*told[:-4], *late.points[-4:]]), facts=facts)["late"]
    assert row.gained is None
    young = counted_daily("young", [900] * 5, start=0, created_at=NOON - 5 * DAY)
    assert chart_of(young, facts=facts)["young"].new
    estimated = replace(late, row=replace(late.row, gained=4_500, basis=Basis.ESTIMATE))
    assert chart_of(estimated, facts=facts)["late"].new is new


def test_who_left_the_chart_has_cooled() -> None:
    """It was among the first and has no place now; "left our chart" is all that is said."""
    gone = counted("gone", gain=0, before=5_000, usual=900)
    chart = by_gain([*CROWD, gone], FACTS)
    assert [(row.external_id, row.was, row.rank, row.gained) for row in chart.cooled] == [("gone", 1, None, None)]
    assert [(row.external_id, row.rank) for row in movers([snapshot(chart)], chart.cooled)[0]] == [("gone", None)]


def test_who_was_not_seen_today_has_not_cooled() -> None:
    """A count of two days ago says nothing of today."""
    gone = counted("gone", gain=0, before=5_000, usual=900)
    unseen = replace(gone, points=[point for point in gone.points if point.at < NOON - 2 * DAY])
    assert by_gain([*CROWD, unseen], FACTS).cooled == ()


def test_a_rename_or_transfer_carries_the_history() -> None:
    """By number: the same places under the new name, and a rename that only changes capitals as well."""
    before = chart_of(RISER)["riser"]
    for name in ("new-owner/it", "ORGriser/IT"):
        after = chart_of(replace(RISER, row=replace(RISER.row, name=name)))["riser"]
        assert replace(after, name=before.name) == before


def test_an_old_name_taken_by_another_is_another_series() -> None:
    """Two numbers under one name: the newcomer inherits nothing."""
    taken = counted_daily("impostor", [300] * 3, start=0, name=RISER.row.name, created_at=NOON - 3 * DAY)
    found = chart_of(RISER, taken)
    assert (found["riser"].was, found["riser"].gained) == (9, 4_000)
    assert (found["impostor"].new, found["impostor"].gained) == (True, 900)


@pytest.mark.parametrize("flag", ["archived", "disabled", "private"])
def test_what_is_archived_or_gone_is_no_news(flag: str) -> None:
    """It is not counted any more; its series closes."""
    assert row_of(item(**{flag: True}), known=True) is None


@pytest.mark.parametrize(("fallen", "days_ago", "flagged"), [
    (21_791, 3, True), (21_791, 7, True), (21_791, 9, False), (20, 3, False), (90, 3, False), (150, 3, True),
])  # fmt: skip
def test_a_purge_takes_the_arrow_for_eight_days(fallen: int, days_ago: int, flagged: bool) -> None:
    """Over 20 and over half a percent in a day; the editor sees by how much, and no mover is made of it."""
    gains = [10] * 28 + [30] * 14
    gains[-days_ago] = -fallen
    purged = counted_daily("purged", gains, start=20_000 if fallen < 1_000 else 90_000)
    row = chart_of(purged)["purged"]
    assert bool(row.remark) is flagged
    if flagged:
        assert row.remark == f"the count fell by {fallen:,} in a day; it has no arrow for eight days"
        assert (row.was, row.new) == (None, False)
        assert "purged" not in names(moving(purged))


@given(st.integers(1, 30), st.floats(0.9, 1.1))
def test_a_late_or_cached_counter_changes_nothing(back: int, slip: float) -> None:
    """Ten percent up or down on any one day but today: no purge, the same places, the same gain to within a day's."""
    steady = counted("steady", gain=4_000, before=4_000, usual=4_000)
    points = list(steady.points)
    index = len(points) - 1 - back
    points[index] = replace(points[index], count=round(points[index].count * slip))
    right, wrong = chart_of(steady)["steady"], chart_of(replace(steady, points=points))["steady"]
    assert (wrong.rank, wrong.was, wrong.remark) == (right.rank, right.was, "") == (1, 1, "")
    assert abs((wrong.gained or 0) - (right.gained or 0)) <= 572


@pytest.mark.parametrize(("share", "held"), [(1.0, False), (0.95, False), (0.5, True), (1.6, True)])
def test_a_gain_that_the_sources_history_does_not_bear_out_is_held(share: float, held: bool) -> None:
    """Within a tenth it is borne out; else the editor decides."""
    days = {NOON.date() - back * DAY: round(571 * share) for back in range(9)}
    row = chart_of(RISER, facts=replace(FACTS, histories={"riser": days}))["riser"]
    assert (row.held, row.confirmed, row.rank is None) == (held, not held, held)
    assert ("does not bear it out" in row.remark) is held


def test_what_was_confirmed_this_morning_stays_confirmed() -> None:
    """Until it is asked again; an unasked row is neither."""
    earlier = {"riser": replace(RISER.row, confirmed=False)}
    assert chart_of(RISER, facts=replace(FACTS, earlier=earlier))["riser"].held
    assert chart_of(RISER)["riser"].confirmed is None


def drive(key: str = "drive", forks: int = 31, **more: Any) -> Counted:
    """9,335 stars in a week, with so many forks."""
    one = counted(key, gain=9_335, before=100, usual=100, forks=0.0, **more)
    points = [*one.points[:-1], replace(one.points[-1], forks=forks)]
    return Counted(replace(one.row, forks=forks), points)


@pytest.mark.parametrize(("forks", "held"), [(31, True), (139, True), (141, False), (1_100, False)])
def test_a_star_drive_is_held_for_the_editor_and_never_printed(forks: int, held: bool) -> None:
    """Fewer than 15 forks to a thousand stars, from a thousand stars on. No verdict is given."""
    row = chart_of(drive(forks=forks))["drive"]
    assert row.held is held
    if held:
        assert row.remark == f"9,335 stars came with {forks:,} forks; 120 for every thousand are usual"
        assert row.rank is None
        assert "drive" not in names(moving(drive(forks=forks)))


def test_a_young_repository_is_judged_by_all_its_forks() -> None:
    """Everything it has came this week."""
    young = counted_daily("young", [400] * 5, start=0, forks=0.001, created_at=NOON - 5 * DAY)
    assert chart_of(young)["young"].held
    unknown = Counted(replace(young.row, forks=None), young.points)
    assert not chart_of(unknown)["young"].held


def test_twins_of_one_owner_with_nearly_equal_gains_are_held() -> None:
    """+9,335 and +9,424 in one week; two of other owners, or of unequal gains, are not."""
    one = counted("t1", gain=9_335, before=100, usual=100, name="pair/left")
    two = counted("t2", gain=9_424, before=100, usual=100, name="Pair/right")
    other = counted("t3", gain=9_400, before=100, usual=100, name="else/where")
    more = counted("t4", gain=12_000, before=100, usual=100, name="pair/more")
    found = chart_of(one, two, other, more)
    assert [key for key in ("t1", "t2", "t3", "t4") if found[key].held] == ["t1", "t2"]
    assert found["t1"].remark == "9,335 stars came within a week of 9,424 for Pair/right"


def test_an_editor_allows_what_is_held_and_blocks_what_is_not_ours() -> None:
    """The ruling stands until it is taken back."""
    facts = replace(FACTS, rulings={"drive": Ruling.ALLOW, "riser": Ruling.BLOCK})
    found = chart_of(drive(), RISER, facts=facts)
    assert (found["drive"].held, found["drive"].rank) == (False, 1)
    assert (found["riser"].held, found["riser"].remark) == (True, "blocked by an editor")


def test_a_held_row_moves_nobody() -> None:
    """It is on neither chart: the others have the places and arrows that they would have without it."""
    with_it, without_it = chart_of(drive(), RISER), chart_of(RISER)
    assert {key: (row.rank, row.was) for key, row in with_it.items() if key != "drive"} == {
        key: (row.rank, row.was) for key, row in without_it.items()
    }


def test_ties_share_a_rank_and_stand_by_name() -> None:
    """The same input gives the same mail."""
    tied = [counted(key, gain=5_000, before=100, usual=100, name=f"{key}/x") for key in ("zed", "abe", "may")]
    found = rows(by_gain(tied, FACTS))
    assert {key: row.rank for key, row in found.items()} == {"abe": 1, "may": 1, "zed": 1}
    assert names(moving(*tied)) == names(moving(*reversed(tied))) == ["abe", "may", "zed"]


@pytest.mark.parametrize(("hours", "gained"), [(0, 700), (2, 708), (5, 700), (-5, 700), (20, 700)])
def test_a_gain_is_scaled_by_hours_where_the_captures_are_not_seven_days_apart(hours: int, gained: int) -> None:
    """100 a day, counted so many hours too early a week ago; up to three hours are left as they are."""
    then = NOON - 7 * DAY - timedelta(hours=hours)
    count = 9_000 - round(100 * ((NOON - then) / DAY))
    row = rows(by_gain([Counted(thing("a", 9_000), [Point(then, count), Point(NOON, 9_000)])], FACTS))["a"]
    assert row.gained == gained


@pytest.mark.parametrize("more", [
    {"fork": True}, {"mirror_url": "https://x.example/y.git"}, {"full_name": "someone/awesome-llm"},
    {"description": "A keygen for language models"}, {"description": "Short words"}, {"topics": ["automation", "mcp"]},
])  # fmt: skip
def test_forks_mirrors_lists_cheats_and_other_trades_are_not_counted(more: dict[str, Any]) -> None:
    """Nor is what says too little of itself."""
    assert row_of(item(**more)) is None


def test_one_row_an_owner_among_the_movers() -> None:
    """However many of its things move."""
    several = [counted(f"o{n}", gain=3_000 + 700 * n, before=100, usual=100, name=f"Org/{n}") for n in range(3)]
    assert names(moving(*several, RISER)) == ["o2", "riser"]


def test_a_sparkline_holds_fourteen_days_none_below_zero_or_nothing() -> None:
    """A hole of two days is bridged, a longer one is not; un-stars are drawn as nothing."""
    full = counted_daily("a", [10, 20, 30, -5, *[40] * 10])
    assert spark(full.points, None) == (10, 20, 30, 0, *[40] * 10)
    assert spark(without(full, 3, 4).points, None) == (10, 20, 30, 0, *[40] * 10)
    assert spark(without(full, 3, 4, 5).points, None) is None
    assert spark(full.points[1:], None) is None
    assert spark(full.points[5:], NOON - 9 * DAY - timedelta(hours=12)) is not None


def test_the_same_week_printed_twice_is_the_same() -> None:
    """From counts to content."""
    things = [*CROWD, RISER, drive(), counted("quiet", gain=5_000, before=0)]

    def printed(order: Sequence[Counted]) -> Any:
        chart = by_gain(order, FACTS)
        found, _ = movers([snapshot(chart)], chart.cooled)
        moved = replace(snapshot(chart, kind=MOVERS), rows=found)
        stored = {(GITHUB, REPOSITORY): snapshot(chart), (GITHUB, MOVERS): moved}
        past = Past(NOON.date())
        return printed_charts(stored, NOON, past), printed_movers(stored, NOON, past)

    assert printed(things) == printed(things[::-1])
