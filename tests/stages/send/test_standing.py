"""What operators see of the ways out, on both engines."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from app.core.db import Database
from app.core.mail.tokens import SECOND, Limits, day_of
from app.stages.send.standing import standings
from app.stages.send.throttle import ProviderThrottle
from app.store import buckets, shares
from tests.people import NOON
from tests.stages.send.scripted import Scripted

ZONE = ZoneInfo("Pacific/Auckland")


async def test_what_is_left_of_today(db: Database) -> None:
    """Of the day's limit, for papers and for service mail; the day is the paper's own."""
    limits = Limits(rate=50, per_day=1000)
    await ProviderThrottle(db, "scripted", limits, ZONE, service=True).grant(30)
    async with db.read() as session:
        today = day_of(await buckets.instant(session), ZONE)
        (one,) = await standings(session, [Scripted()], {"scripted": limits}, ZONE, NOON)
    assert (one.today, one.used_today, one.allowed_today) == (today, 30, 1000)
    assert (one.left_for_papers, one.left_for_service) == (920, 970)
    assert (one.in_use, one.warmup_day) == (True, None)


async def test_a_warm_up_says_its_day(db: Database) -> None:
    """Its allowance too; yesterday's messages are not today's."""
    async with db.read() as session:
        today = day_of(await buckets.instant(session), ZONE)
        limits = {"scripted": Limits(warmup=today - timedelta(days=1))}
        (one,) = await standings(session, [Scripted()], limits, ZONE, NOON)
    assert (one.warmup_day, one.allowed_today, one.used_today) == (2, 237, 0)


async def test_without_limits_nothing_is_counted(db: Database) -> None:
    """And nothing is said to be left."""
    async with db.read() as session:
        (one,) = await standings(session, [Scripted()], {}, ZONE, NOON)
    assert (one.rate, one.used_today, one.left_for_papers) == (None, None, None)


async def test_mailbox_providers_that_slow_us_down_are_shown(db: Database) -> None:
    """With until when, beside the limits; another provider's word says nothing of this one."""
    limits = {"scripted": Limits(groups={"gmail": 40})}
    async with db.write() as session:
        now = await buckets.instant(session)
        for provider, group in (("scripted", "gmail"), ("another", "yahoo")):
            await shares.bar_group(session, provider, group, timedelta(minutes=9), now=now, today=day_of(now, ZONE))
        (one,) = await standings(session, [Scripted()], limits, ZONE, NOON)
    assert one.domain_rates == {"gmail": 40}
    assert one.barred.keys() == {"gmail"}
    assert one.barred["gmail"] - NOON == pytest.approx(timedelta(minutes=9), abs=timedelta(seconds=30))
    assert (one.rate, one.used_today) == (None, None)
    assert one.coming_back == {}


async def test_who_comes_back_is_shown_with_its_pace(db: Database) -> None:
    """An eighth of its rate and twice as much each quiet minute; not any more where that is all there is."""
    limits = {"scripted": Limits(groups={"gmail": 40, "orange": 1})}
    async with db.write() as session:
        now = await buckets.instant(session)
        for group, ago in (("gmail", 70), ("orange", 10), ("yahoo", 10), ("outlook", 900)):
            at, day = now - (ago + 60) * SECOND, day_of(now, ZONE)
            await shares.bar_group(session, "scripted", group, timedelta(minutes=1), now=at, today=day)
        (one,) = await standings(session, [Scripted()], limits, ZONE, NOON)
    assert one.barred == {}
    assert one.coming_back == {"gmail": 10, "yahoo": 5}
