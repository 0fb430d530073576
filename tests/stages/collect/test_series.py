"""What a series of daily counts says about its week, with the holes and slips that real series have."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.counts import Basis, Point
from app.stages.collect.series import cleaned, gain, near_week_ago, usual
from tests.conftest import NOON


def points(counts: dict[float, int]) -> list[Point]:
    """Counts by days before noon, the oldest first."""
    return [Point(NOON - timedelta(days=back), counts[back]) for back in sorted(counts, reverse=True)]


def steady(pace: int, days: int, start: int = 1_000) -> dict[float, int]:
    return {float(back): start + pace * (days - back) for back in range(days + 1)}


@pytest.mark.parametrize(
    ("counts", "gained"),
    [
        ({7: 100, 0: 240}, (140, Basis.COUNTED)),
        ({7.1: 100, 0: 240}, (140, Basis.COUNTED)),
        ({7.4: 100, 0: 248}, (140, Basis.COUNTED)),
        ({8: 100, 0: 260}, (140, Basis.NEAREST)),
        ({6: 100, 0: 220}, (140, Basis.NEAREST)),
        ({8: 90, 7: 100, 6: 110, 0: 170}, (70, Basis.COUNTED)),
        ({7: 240, 0: 100}, (-140, Basis.COUNTED)),
        ({9: 100, 5: 150, 0: 200}, None),
        ({0: 200}, None),
        ({}, None),
    ],
)
def test_the_week_is_measured_against_the_nearest_count_of_a_week_ago(
    counts: dict[float, int], gained: tuple[int, Basis] | None
) -> None:
    """Scaled by hours when the captures lie further from seven days apart than three hours."""
    assert gain(points(counts)) == gained


def test_of_two_counts_equally_near_the_older_is_taken() -> None:
    """So that the same input gives the same mail."""
    found = near_week_ago(points({8: 1, 6: 2}), NOON)
    assert found is not None
    assert found.count == 1


def test_a_usual_week_is_the_median_day_of_the_four_weeks_before_times_seven() -> None:
    """Days of the week itself do not count, and one wild day does not either."""
    counts = steady(20, 35)
    counts |= {float(back): counts[7.0] + 900 * (7 - back) for back in range(7)}
    assert usual(points(counts), NOON) == 140
    wild = {back: count + (5_000 if back < 20 else 0) for back, count in counts.items()}
    assert usual(points(wild), NOON) == 140


def test_a_usual_week_needs_fourteen_known_days() -> None:
    """Thirteen are not enough; a hole makes the days at its edges unknown."""
    assert usual(points(steady(10, 21)), NOON) == 70
    assert usual(points(steady(10, 20)), NOON) is None
    holed = {back: count for back, count in steady(10, 21).items() if back != 15}
    assert usual(points(holed), NOON) is None


def test_a_usual_week_is_never_below_zero() -> None:
    """A repository that loses stars usually loses none in print."""
    assert usual(points(steady(-10, 35, 9_000)), NOON) == 0


@given(back=st.integers(1, 34), slip=st.floats(0.5, 1.5), pace=st.integers(0, 500))
def test_one_wrong_day_changes_no_number(back: int, slip: float, pace: int) -> None:
    """Any day but today and the very first: the neighbours outvote it."""
    right = steady(pace, 35, 20_000)
    wrong = right | {float(back): int(right[float(back)] * slip)}
    before, after = cleaned(points(right)), cleaned(points(wrong))
    told, found = gain(before), gain(after)
    assert told is not None
    assert found is not None
    assert abs(found[0] - told[0]) <= pace
    assert usual(after, NOON) == usual(before, NOON)


def test_a_hole_of_days_is_not_smoothed_over() -> None:
    """Neighbours more than four days apart say nothing about the day between."""
    counts = points({10: 100, 7: 500, 0: 520})
    assert cleaned(counts) == tuple(counts)
