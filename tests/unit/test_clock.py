"""The one door to wall time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.core.clock import FixedClock, SystemClock


def test_the_system_clock_gives_aware_utc() -> None:
    """Whatever the machine's zone, the instant carries UTC."""
    assert SystemClock().now().tzinfo is UTC


def test_a_fixed_clock_stands_still_until_it_is_moved() -> None:
    """It gives the same instant, in UTC, as often as it is asked."""
    clock = FixedClock(datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now() == clock.now() == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    clock.move(datetime(2026, 11, 24, tzinfo=UTC))
    assert clock.now() == datetime(2026, 11, 24, tzinfo=UTC)


def test_a_fixed_clock_refuses_naive_instants() -> None:
    """A naive instant would mean the machine's zone."""
    naive = datetime(2026, 11, 23)  # noqa: DTZ001  # that is the point
    with pytest.raises(ValueError, match="timezone-aware"):
        FixedClock(naive)
    with pytest.raises(ValueError, match="timezone-aware"):
        FixedClock(datetime(2026, 11, 23, tzinfo=UTC)).move(naive)
