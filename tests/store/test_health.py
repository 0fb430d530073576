"""The record of a source: what it gave last, what was wrong, and until when it is left alone."""

from datetime import timedelta

from app.core.db import Database
from app.models import SourceHealth
from app.models.breaker import Breaker, state
from app.store import health
from tests.conftest import NOON

HOUR = timedelta(hours=1)


async def record(db: Database, name: str = "github") -> SourceHealth:
    async with db.read() as session:
        found = await health.get(session, name)
    assert found is not None
    return found


async def test_a_success_is_written_down(db: Database) -> None:
    """When, how fast, how new; and what is not said keeps its last value."""
    async with db.write() as session:
        await health.record_success(
            session, "github", NOON, latency_ms=120, data_at=NOON - HOUR, items=40, validators=('"a"', "Mon")
        )
        await health.record_success(session, "github", NOON + HOUR)
    one = await record(db)
    assert (one.succeeded_at, one.asked_at, one.failed_at) == (NOON + HOUR, NOON + HOUR, None)
    assert (one.latency_ms, one.data_at, one.items, one.etag) == (120, NOON - HOUR, 40, '"a"')


async def test_three_failures_open_the_breaker_and_a_success_closes_it(db: Database) -> None:
    """And what was known of the source before stays known."""
    async with db.write() as session:
        await health.record_success(session, "github", NOON, items=40)
    for number in range(1, 4):
        async with db.write() as session:
            await health.record_failure(session, "github", "It did not answer.", NOON + number * HOUR)
        assert ((await record(db)).open_until is not None) is (number == 3)
    one = await record(db)
    assert (one.failures, one.open_until, one.items, one.succeeded_at) == (3, NOON + 4 * HOUR, 40, NOON)
    assert state(one.failures, one.open_until, NOON + 3 * HOUR) is Breaker.OPEN
    async with db.write() as session:
        await health.record_success(session, "github", NOON + 5 * HOUR)
    one = await record(db)
    assert (one.failures, one.open_until, one.problem, one.failed_at) == (0, None, "", NOON + 3 * HOUR)


async def test_a_first_failure_makes_the_record(db: Database) -> None:
    """And a wait that was asked for is kept at once; a long complaint is cut."""
    async with db.write() as session:
        await health.record_failure(session, "github", "No. " * 1000, NOON, retry_after=600)
        await health.record_failure(session, "huggingface", "No.", NOON)
    one = await record(db)
    assert (one.failures, one.open_until) == (1, NOON + timedelta(minutes=10))
    assert len(one.problem) == health.LONGEST_PROBLEM
    async with db.read() as session:
        assert [found.name for found in await health.every(session)] == ["github", "huggingface"]
        assert await health.of_sources(session) == {}
        assert await health.get(session, "never asked") is None
