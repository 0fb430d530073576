"""Rates, days and warm-ups, lived through on a clock that is moved."""

from datetime import date, timedelta

import pytest

from app.core.mail.tokens import SECOND, Level, Limits, give_back, take, warm_allowance

DAY = date(2026, 11, 23)
START = 1_000_000 * SECOND


def full() -> Level:
    return Level(START, DAY, 0)


@pytest.mark.parametrize(("rate", "most"), [(0.5, 1), (1, 8), (7.3, 1), (14, 64), (50, 1), (400, 64), (5000, 64)])
def test_over_a_minute_as_many_leave_as_the_rate_says(rate: float, most: int) -> None:
    """Asked every few milliseconds, late as a busy machine asks; within a twentieth, but for one message."""
    level, given, now = full(), 0, START
    while now < START + 60 * SECOND:
        level, grant = take(level, Limits(rate=rate), most, now, DAY, service=False)
        given += grant.count
        now += 7_300 if grant.count == most else max(9_100, min(int(grant.wait * SECOND), SECOND // 2) + 4_000)
    assert given == pytest.approx(rate * 60, rel=0.05, abs=1)


def test_at_most_a_second_is_taken_ahead() -> None:
    """Papers a quarter, service mail a whole one, however much is asked for."""
    limits = Limits(rate=100)
    level, papers = take(full(), limits, 10_000, START, DAY, service=False)
    assert papers.count == 26
    level, service = take(level, limits, 10_000, START, DAY, service=True)
    assert papers.count + service.count == 101
    assert level.full_at <= START + SECOND + SECOND // 100


def test_service_mail_leaves_while_papers_wait() -> None:
    """It takes tokens of the coming second, and the papers pay for it."""
    limits = Limits(rate=10)
    level, _ = take(full(), limits, 10, START, DAY, service=False)
    level, none = take(level, limits, 1, START, DAY, service=False)
    assert (none.count, none.day_over) == (0, False)
    level, service = take(level, limits, 1, START, DAY, service=True)
    assert service.count == 1
    _, later = take(level, limits, 1, START, DAY, service=False)
    assert later.wait == pytest.approx(none.wait + 0.1)


def test_a_day_ends_and_the_next_begins() -> None:
    """Papers leave a twentieth of it to service mail; a machine whose day is yesterday's does not begin it anew."""
    limits = Limits(per_day=100)
    level, papers = take(full(), limits, 500, START, DAY, service=False)
    assert papers.count == 95
    level, over = take(level, limits, 1, START, DAY, service=False)
    assert over.day_over
    level, service = take(level, limits, 500, START, DAY, service=True)
    assert service.count == 5
    level, more = take(level, limits, 500, START, DAY + timedelta(days=1), service=True)
    assert more.count == 100
    level, slow = take(level, limits, 1, START, DAY, service=True)
    assert slow.day_over


def test_what_is_not_used_is_given_back() -> None:
    """To the rate and to the day."""
    limits = Limits(rate=10, per_day=100)
    level, grant = take(full(), limits, 3, START, DAY, service=False)
    assert grant.count == 3
    level = give_back(level, limits, 3)
    assert (level.full_at, level.used) == (START, 0)


def test_a_clock_that_is_set_back_costs_a_second_at_most() -> None:
    """Nobody waits for an hour that comes twice, also who asks again and again."""
    level = Level(START + 3600 * SECOND, DAY, 0)
    level, grant = take(level, Limits(rate=10), 1, START, DAY, service=False)
    assert 0 < grant.wait <= 1
    _, grant = take(level, Limits(rate=10), 1, START + SECOND, DAY, service=False)
    assert grant.count == 1


def test_a_warm_up_grows_from_two_hundred_to_two_hundred_thousand() -> None:
    """Then it is over; before its first day it is as on it. The day's limit caps it."""
    assert [warm_allowance(day) for day in (-3, 0, 1, 7, 41, 42)] == [200, 200, 237, 650, 200_000, None]
    limits = Limits(per_day=600, warmup=DAY)
    assert [limits.allowance(DAY + timedelta(days=day)) for day in (0, 7, 50)] == [200, 600, 600]
    assert Limits(rate=5).allowance(DAY) is None
