"""Tokens in rows, shared by workers, on both engines."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.core.db import Database, Session
from app.core.mail.message import Message
from app.core.mail.receipt import Accepted, NotSent, Receipt
from app.core.mail.tokens import SECOND, Limits
from app.models.states import DeliveryStatus as Status
from app.stages.send.throttle import LOOK_AGAIN, ProviderThrottle
from app.store import buckets
from tests.people import NOON
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import Desk, desk

UTC_ZONE = ZoneInfo("UTC")
Instant = Callable[[Session], Awaitable[int]]


class Hand:
    """The database's clock, moved by hand."""

    def __init__(self, at: datetime = NOON) -> None:
        self.now = int(at.timestamp()) * SECOND

    async def __call__(self, _: Session) -> int:
        return self.now


def throttle(db: Database, limits: Limits, instant: Instant, *, service: bool = False) -> ProviderThrottle:
    return ProviderThrottle(db, "scripted", limits, UTC_ZONE, service=service, instant=instant)


async def used(db: Database) -> int:
    async with db.read() as session:
        return (await buckets.levels(session))["scripted"].used


async def send(at: Desk, provider: Scripted, one: ProviderThrottle) -> int:
    return await at.send(provider, throttle=one)


async def at_once(one: ProviderThrottle, most: int) -> int:
    """What is granted without waiting."""
    return (await one._reserve(most, {})).count


async def test_two_workers_keep_to_one_rate(db: Database) -> None:
    """Over ten seconds that are moved by hand, they get together what the setting says, within a twentieth."""
    clock = Hand()
    workers = [throttle(db, Limits(rate=40), clock) for _ in range(2)]
    given = 0
    for _ in range(100):
        given += sum(await asyncio.gather(*(at_once(one, 7) for one in workers)))
        clock.now += SECOND // 10
    assert given == pytest.approx(400, rel=0.05)


async def test_whoever_was_slower_takes_of_what_is_left(db: Database) -> None:
    """A bucket that another worker changes between the look and the change is looked at again; none is locked."""
    clock = Hand()
    one, other = (throttle(db, Limits(per_day=10), clock) for _ in range(2))
    looked, given = buckets.look, list[int]()

    async def meanwhile(*of: Any) -> Any:
        found = await looked(*of)
        if not given:
            given.append(0)
            given.append(await at_once(other, 6))
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(buckets, "look", meanwhile)
        given.append(await at_once(one, 6))
    assert given == [0, 6, 4]
    assert await used(db) == 10


async def test_who_is_always_slower_waits(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is granted that was not taken, and what was left over is not lost."""
    one = throttle(db, Limits(rate=4), Hand())
    one.refund(3)

    async def nothing(*_: Any) -> set[str]:
        return set()

    with monkeypatch.context() as patched:
        patched.setattr(buckets, "exchange", nothing)
        assert await one.grant(5) == 0
        assert 0 < one.wait < 1
        assert one.rest is None
    assert one._unused == 3
    await one.close()
    assert one._unused == 0


async def test_the_database_tells_the_time(db: Database) -> None:
    """In microseconds, and it is this century."""
    async with db.read() as session:
        now = await buckets.instant(session)
    assert now > datetime(2020, 1, 1, tzinfo=NOON.tzinfo).timestamp() * SECOND


async def test_a_day_that_is_used_up_leaves_the_rest_owed(db: Database, tmp_path: Path) -> None:
    """What fits goes; the others stay queued, and the shard is looked at again in a while."""
    at = await desk(db, tmp_path, readers=7)
    provider = Scripted()
    clock = Hand()
    assert await send(at, provider, throttle(db, Limits(per_day=4), clock)) == 4
    states = await at.states()
    assert (states.count(Status.ACCEPTED), states.count(Status.QUEUED)) == (4, 3)
    assert await send(at, provider, throttle(db, Limits(per_day=4), clock)) == -1
    at.clock.move(NOON + LOOK_AGAIN)
    clock.now += 24 * 3600 * SECOND
    assert await send(at, provider, throttle(db, Limits(per_day=4), clock)) == 3
    assert len({message.recipient for message in provider.sent}) == 7


async def test_what_no_token_came_for_expires(db: Database, tmp_path: Path) -> None:
    """Nothing is handed over late, and nothing is called sent that was not."""
    at = await desk(db, tmp_path, readers=3)
    clock = Hand()
    assert await send(at, Scripted(), throttle(db, Limits(per_day=1), clock)) == 1
    at.clock.move(NOON + timedelta(hours=13))
    await send(at, Scripted(), throttle(db, Limits(per_day=1), clock))
    states = await at.states()
    assert (states.count(Status.ACCEPTED), states.count(Status.EXPIRED)) == (1, 2)


async def test_tokens_of_mail_that_did_not_leave_are_given_back(db: Database, tmp_path: Path) -> None:
    """Of what was not begun, and of what was begun and not written."""
    at = await desk(db, tmp_path, readers=5)

    def script(message: Message) -> Receipt:
        return NotSent() if message.recipient.startswith("reader3") else Accepted()

    await send(at, Scripted(script), throttle(db, Limits(per_day=1000), Hand()))
    assert await used(db) == 4


async def test_service_mail_finds_tokens_when_papers_have_none(db: Database) -> None:
    """Of the rate and of the day."""
    clock = Hand()
    papers, post = (throttle(db, Limits(rate=4, per_day=100), clock, service=service) for service in (False, True))
    assert await papers.grant(100) == 2
    assert await post.grant(100) == 3


async def test_a_warm_up_holds_on_its_first_day(db: Database) -> None:
    """Two hundred, ten of them for service mail."""
    one = throttle(db, Limits(warmup=date(2026, 11, 23)), Hand())
    assert await one.grant(5000) == 190
    assert await one.grant(1) == 0
    assert one.rest == LOOK_AGAIN
