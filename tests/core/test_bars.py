"""Bars of mailbox providers and the way back, lived through on a clock that is moved."""

from datetime import timedelta
from itertools import pairwise

import pytest

from app.core.mail.bars import BACK_AFTER, BARRED_FOR, BARS_COUNT_FOR, QUIET, Bar, bar, pace
from app.core.mail.tokens import SECOND

START = 1_000_000 * SECOND


def test_a_bar_lasts_longer_each_time_in_a_row() -> None:
    """And is as short as the first one after a while without; many who are told at once are told once."""
    made, now = bar(Bar(), None, START), START
    for times, lasts in enumerate((*BARRED_FOR, BARRED_FOR[-1]), 1):
        assert made == Bar(now + int(lasts.total_seconds()) * SECOND, times)
        assert bar(made, None, now + 1) == made
        now = made.until + SECOND
        made = bar(made, None, now)
    assert bar(made, None, made.until + BARS_COUNT_FOR).times == 1


def test_a_bar_lasts_as_long_as_the_server_says() -> None:
    """Also where it says so while one is on."""
    two_hours = timedelta(hours=2)
    made = bar(Bar(), two_hours, START)
    assert made.until == START + 7200 * SECOND
    assert bar(bar(Bar(), None, START), two_hours, START + 1).until == START + 7200 * SECOND + 1


@pytest.mark.parametrize(
    ("rate", "minutes"),
    [
        (100, [12.5, 25, 50, 100, 100, 100]),
        (20, [2.5, 5, 10, 20, 20, 20]),
        (6, [1, 2, 4, 6, 6, 6]),
        (0.2, [0.2] * 6),
        (None, [5, 10, 20, 40, 80, None]),
    ],
)
def test_after_a_bar_the_pace_doubles_with_each_minute(rate: float | None, minutes: list[float | None]) -> None:
    """From an eighth, or one a second, to the rate; a group without a rate from five a second to no limit."""
    assert [pace(rate, minute * QUIET) for minute in range(6)] == minutes
    assert [pace(rate, (minute + 1) * QUIET - 1) for minute in range(6)] == minutes


@pytest.mark.parametrize("rate", [0.01, 0.9, 1.0, 7.3, 8.0, 50, 1000, None])
def test_the_pace_only_grows_and_never_past_the_rate(rate: float | None) -> None:
    """At each second of the way back, at most doubled from one to the next; and then it is the rate for good."""
    seen = [pace(rate, since) for since in range(-QUIET, BACK_AFTER, SECOND)]
    assert all(one is not None and 0 < one <= (rate or 80) for one in seen)
    assert all(before <= after <= 2 * before for before, after in pairwise(one for one in seen if one is not None))
    assert rate is None or seen[-1] == rate
    assert pace(rate, BACK_AFTER) == pace(rate, START) == rate


def test_a_bar_on_the_way_back_is_the_next_longer_one() -> None:
    """And from its end it begins once more with little."""
    first = bar(Bar(), None, START)
    second = bar(first, None, first.until + BACK_AFTER - SECOND)
    assert second.until - (first.until + BACK_AFTER - SECOND) == int(BARRED_FOR[1].total_seconds()) * SECOND
    assert pace(100, 0) == 12.5
