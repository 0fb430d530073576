"""Token buckets: a burst, a steady rate after it, and a memory that does not grow."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.buckets import TokenBuckets

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def spend(buckets: TokenBuckets, key: str, now: datetime) -> int:
    """Takes tokens until there are none; gives how many there were."""
    taken = 0
    while not buckets.wait(key, now):
        buckets.take(key, now)
        taken += 1
        assert taken < 1000
    return taken


def test_a_bucket_holds_a_burst_and_then_one_at_a_time() -> None:
    """Four an hour: four at once, then one each quarter, and never more than four saved up."""
    buckets = TokenBuckets(4, HOUR)
    assert spend(buckets, "a", NOON) == 4
    assert buckets.wait("a", NOON) == pytest.approx(900)
    assert spend(buckets, "a", NOON + timedelta(minutes=14, seconds=59)) == 0
    assert spend(buckets, "a", NOON + timedelta(minutes=15)) == 1
    assert spend(buckets, "a", NOON + timedelta(days=3)) == 4


def test_keys_do_not_share_a_bucket() -> None:
    buckets = TokenBuckets(1, HOUR)
    assert spend(buckets, "a", NOON) == 1
    assert spend(buckets, "b", NOON) == 1


def test_looking_takes_nothing() -> None:
    buckets = TokenBuckets(1, HOUR)
    assert [buckets.wait("a", NOON) for _ in range(5)] == [0.0] * 5
    assert len(buckets) == 0


def test_a_clock_that_was_set_back_locks_nobody_out() -> None:
    """At worst the bucket is empty once more."""
    buckets = TokenBuckets(4, HOUR)
    spend(buckets, "a", NOON)
    assert buckets.wait("a", NOON - timedelta(days=2)) == pytest.approx(900)


def test_memory_is_bounded_and_what_is_in_use_is_kept() -> None:
    """A flood of addresses pushes out those that were not touched longest."""
    buckets = TokenBuckets(5, HOUR, keys=100)
    for index in range(10_000):
        buckets.take(f"flood{index}", NOON)
        if index % 50 == 0 and not buckets.wait("steady", NOON):
            buckets.take("steady", NOON)
        elif index % 50 == 0:
            break
    assert len(buckets) <= 100
    assert buckets.wait("steady", NOON) > 0
