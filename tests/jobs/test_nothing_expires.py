"""While the clock is not to be relied on nothing is expired, released or composed; nor is handed over what is late."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.db import Database
from app.core.mail.receipt import Deferred
from app.core.settings import load_settings
from app.jobs.mailroom import Mailroom
from app.jobs.timetable import TIMETABLE, Entry
from app.jobs.worker import Worker
from app.models import Edition, Shard, TransactionalEmail
from app.models.states import DeliveryStatus as Status
from app.models.states import EditionStatus
from app.stages.audience.consent import CONFIRMATION
from app.stages.send import policy
from app.store import leases, streams, transactional
from tests.people import NOON, add_edition, add_reader, add_readers, minutes
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import desk

DAY_AFTER = NOON + timedelta(days=2)


async def next_at(db: Database) -> Any:
    async with db.read() as session:
        return (await session.scalars(select(Shard.next_at))).one()


async def test_papers_that_are_too_late_wait_for_the_clock(db: Database, tmp_path: Path) -> None:
    """They are neither given up nor handed over; their shard is looked at once a minute, and not all the time."""
    paper = await desk(db, tmp_path, readers=3)
    paper.clock.move(DAY_AFTER)
    paper.clock.may_expire = False
    provider = Scripted()
    assert await paper.send(provider) == 0
    assert await paper.send(provider) == -1
    assert provider.sent == []
    assert await paper.states() == [Status.QUEUED] * 3
    assert await next_at(db) == DAY_AFTER + minutes(1)
    paper.clock.may_expire = True
    paper.clock.move(DAY_AFTER + minutes(1))
    await paper.send(provider)
    assert await paper.states() == [Status.EXPIRED] * 3
    assert provider.sent == []


async def test_a_clock_that_was_ahead_and_is_put_right_has_cost_no_paper(db: Database, tmp_path: Path) -> None:
    """Who would have been too late by it gets theirs."""
    paper = await desk(db, tmp_path, readers=3)
    paper.clock.move(DAY_AFTER)
    paper.clock.may_expire = False
    assert await paper.send(Scripted()) == 0
    paper.clock.move(NOON + minutes(5))
    async with db.write() as session:
        await leases.owe_shard(session, paper.edition.id, 1, NOON)
    provider = Scripted()
    assert await paper.send(provider) == 3
    assert await paper.states() == [Status.ACCEPTED] * 3


async def test_a_deferral_is_tried_again_however_late_that_is(db: Database, tmp_path: Path) -> None:
    """A hand-over that began in time and is answered after a jump."""
    paper = await desk(db, tmp_path, readers=1)
    provider = Scripted(lambda _: Deferred("later"))
    provider.before = lambda _: paper.clock.move(DAY_AFTER)
    paper.clock.may_expire = False
    await paper.send(provider)
    assert await paper.states() == [Status.QUEUED]
    made = policy.decide(Deferred("later"), 1, DAY_AFTER, NOON, 0.5)
    assert made.status is Status.EXPIRED


@pytest.fixture
async def container(database_url: str, clock: FixedClock) -> Any:
    made = build(load_settings(database_url=database_url, secret_keys="k" * 40), clock)
    yield made
    await made.close()


async def test_service_mail_that_is_too_late_waits_for_the_clock(container: Container, clock: FixedClock) -> None:
    """And is no reason to look for something to do."""
    reader = await add_reader(container.db, "carol@example.org", confirmed_at=None)
    async with container.db.write() as session:
        await transactional.owe(
            session, kind=CONFIRMATION, subscriber_id=reader, ref="a-ref", parameters={}, now=NOON,
            until=NOON + minutes(5),
        )  # fmt: skip
    clock.move(NOON + minutes(5))
    clock.may_expire = False

    async def status() -> Status:
        await Mailroom(container, "test", asyncio.Event()).post()
        async with container.db.read() as session:
            return (await session.scalars(select(TransactionalEmail.status))).one()

    assert await status() is Status.QUEUED
    async with container.db.read() as session:
        assert not await streams.any_due(session, TransactionalEmail, clock.now(), expire=False)
        assert await streams.any_due(session, TransactionalEmail, clock.now())
    clock.may_expire = True
    assert await status() is Status.EXPIRED


@pytest.mark.parametrize("entry", TIMETABLE, ids=[entry.name for entry in TIMETABLE])
async def test_the_timetable_asks_the_clock(container: Container, clock: FixedClock, entry: Entry) -> None:
    """All of it waits for a clock that is confirmed, but for what does not go by the time; some wait for longer."""
    ran: list[str] = []

    async def job(_: Container, name: str) -> None:
        ran.append(name)

    asked = Entry(entry.name, entry.every, job, timed=entry.timed, expires=entry.expires)
    await asked.run(container, "all is well")
    clock.may_expire = False
    await asked.run(container, "nothing may expire")
    clock.is_confirmed = False
    await asked.run(container, "the clock is doubted")
    assert ("nothing may expire" in ran) is (entry.name not in {"lapse", "overdue", "forget", "housekeeping", "fold"})
    assert ("the clock is doubted" in ran) is (entry.name == "truncate")
    assert "all is well" in ran


async def test_nobody_is_released_while_the_clock_is_doubted(container: Container, clock: FixedClock) -> None:
    """By the worker's own tick, or on a hint."""
    await add_readers(container.db, 2)
    await add_edition(container.db)
    release: Callable[[], Awaitable[object]] = partial(Worker(container)._release)
    clock.is_confirmed = False

    async def status() -> EditionStatus:
        await release()
        async with container.db.read() as session:
            return (await session.scalars(select(Edition.status))).one()

    assert await status() is EditionStatus.FROZEN
    clock.is_confirmed = True
    assert await status() is EditionStatus.SENDING
