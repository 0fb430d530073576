"""A source that fails is left alone for longer and longer; one that answers may still have gone quiet."""

from datetime import UTC, datetime, timedelta

import pytest

from app.models.breaker import Breaker, opened_until, quiet, state

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("failures", "retry_after", "expected"),
    [
        (1, None, None),
        (2, None, None),
        (3, None, HOUR),
        (4, None, 2 * HOUR),
        (5, None, 4 * HOUR),
        (6, None, 4 * HOUR),
        (10_000, None, 4 * HOUR),
        (1, 90.0, timedelta(seconds=90)),
        (3, 90.0, HOUR),
        (3, 7_200.0, 2 * HOUR),
        (1, 10.0**9, 24 * HOUR),
    ],
)
def test_how_long_a_failing_source_is_left_alone(
    failures: int, retry_after: float | None, expected: timedelta | None
) -> None:
    """From the third on, doubling to four hours: it has its chance before every paper. A wait it asks for is kept."""
    assert opened_until(failures, retry_after, NOW) == (None if expected is None else NOW + expected)


def test_the_three_states_of_a_breaker() -> None:
    """Open until its moment has come; then the next answer decides."""
    assert state(0, None, NOW) is Breaker.CLOSED
    assert state(2, None, NOW) is Breaker.CLOSED
    assert state(3, NOW + HOUR, NOW) is Breaker.OPEN
    assert state(3, NOW, NOW) is Breaker.HALF_OPEN


@pytest.mark.parametrize(
    ("age", "gap", "expected"),
    [
        (timedelta(days=3), None, False),
        (timedelta(days=5), None, True),
        (timedelta(days=5), 3_600.0, True),
        (timedelta(days=20), 7 * 86_400.0, False),
        (timedelta(days=29), 7 * 86_400.0, True),
    ],
)
def test_when_a_source_has_gone_quiet(age: timedelta, gap: float | None, expected: bool) -> None:
    """After four times its usual gap, and never within a long weekend."""
    assert quiet(NOW - age, gap, NOW) is expected
    assert not quiet(None, gap, NOW)
