"""What the timetable owes at which hour, on both engines: on time, late, twice, by hand."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.settings import load_settings
from app.jobs import tasks
from app.jobs.ahead import take_back
from app.jobs.mailroom import Mailroom
from app.models import Delivery, Edition
from app.models.content import Section
from app.models.states import EditionStatus
from app.stages.collect import stories as desk
from app.store import clocks, editions, leases, progress
from tests.people import DAY, NOON, add_reader
from tests.stages.collect.standin import closed_port

FIVE = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


@pytest.fixture
async def container(database_url: str, clock: FixedClock) -> AsyncIterator[Container]:
    nobody = closed_port()
    made = build(
        load_settings(
            database_url=database_url, secret_keys="k" * 40, huggingface_url=nobody, github_url=nobody, approval="auto"
        ),
        clock,
    )
    clock.move(FIVE)
    async with made.db.write() as session:
        for section in (Section.LEAD, Section.TOOLS):
            fields = {"section": section, "headline": f"A {section.value} story", "standfirst": "It stands first."}
            await desk.create(session, desk.parse(fields), NOON)
    yield made
    await made.close()


async def edition(container: Container) -> Edition | None:
    async with container.db.read() as session:
        return await editions.of_day(session, DAY)


async def status(container: Container) -> EditionStatus | None:
    found = await edition(container)
    return found.status if found else None


async def test_a_morning_by_the_clock(container: Container, clock: FixedClock) -> None:
    """Nothing early; compose at 05:00, freeze at 05:30, release at 06:30, hand over, end. Sources that are down

    cost their own sections and nothing else; each tick may come twice.
    """
    await add_reader(container.db, "ada@example.org")
    clock.move(FIVE - timedelta(minutes=1))
    await tasks.compose(container, "a")
    assert await status(container) is None
    clock.move(FIVE)
    for owner in ("a", "b"):
        await tasks.compose(container, owner)
    assert await status(container) is EditionStatus.READY
    await tasks.freeze(container, "a")
    assert await status(container) is EditionStatus.READY
    clock.move(FIVE + timedelta(minutes=30))
    for owner in ("a", "b"):
        await tasks.freeze(container, owner)
    assert await status(container) is EditionStatus.FROZEN
    planned: dict[int, datetime] = {}
    await tasks.let_go(container, planned)
    assert await status(container) is EditionStatus.FROZEN
    clock.move(FIVE + timedelta(minutes=90))
    await tasks.let_go(container, planned)
    assert await status(container) is EditionStatus.SENDING
    await Mailroom(container, "a", asyncio.Event()).papers()
    await tasks.let_go(container, planned)
    assert await status(container) is EditionStatus.SENT


async def test_two_schedulers_at_once_make_one_morning(
    container: Container, clock: FixedClock, database_url: str
) -> None:
    """Each tick of both at the same instant, over two pools of connections: one edition, one mail a reader."""
    readers = [f"reader{number}@example.org" for number in range(25)]
    for address in readers:
        await add_reader(container.db, address)
    other = build(container.settings, clock)
    both = ((container, "a"), (other, "b"))
    rooms = [Mailroom(*one, asyncio.Event()) for one in both]
    planned: list[dict[int, datetime]] = [{}, {}]
    try:
        for minutes in (0, 30, 90):
            clock.move(FIVE + timedelta(minutes=minutes))
            await asyncio.gather(*(tasks.compose(*one) for one in both))
            await asyncio.gather(*(tasks.freeze(*one) for one in both))
            await asyncio.gather(*(tasks.let_go(one, plan) for (one, _), plan in zip(both, planned, strict=True)))
            await asyncio.gather(*(room.papers() for room in rooms))
        await asyncio.gather(*(tasks.let_go(one, plan) for (one, _), plan in zip(both, planned, strict=True)))
    finally:
        await other.close()
    async with container.db.read() as session:
        assert [one.status for one in await session.scalars(select(Edition))] == [EditionStatus.SENT]
        assert await session.scalar(select(func.count()).select_from(Delivery)) == len(readers)
    mails = [path.read_bytes() for path in Path("var/outbox/new").glob("*.eml")]
    addressed = [re.search(rb"(?m)^To: <?([^>\r\n]+)", mail) for mail in mails]
    assert sorted(found[1].decode() for found in addressed if found) == sorted(readers)


async def test_links_are_looked_up_once_for_each_content(container: Container, clock: FixedClock) -> None:
    """After composing, by whoever comes first; nothing where it is switched off or frozen already."""
    await tasks.links(container, "a")
    await tasks.compose(container, "a")
    found = await edition(container)
    assert found is not None
    for owner in ("a", "b"):
        await tasks.links(replace(container, links=None), owner)
        await tasks.links(container, owner)
    async with container.db.read() as session:
        assert await leases.is_finished(session, "links", f"{DAY}-{found.content_hash[:16]}")


async def test_downtime_loses_no_slot(container: Container, clock: FixedClock) -> None:
    """A worker that wakes at nine composes, freezes and releases what was owed since five."""
    await add_reader(container.db, "ada@example.org")
    clock.move(FIVE + timedelta(hours=4))
    await tasks.compose(container, "a")
    await tasks.freeze(container, "a")
    await tasks.let_go(container, {})
    found = await edition(container)
    assert found is not None
    async with container.db.read() as session:
        assert (await progress.total(session, found.id)).released == 1


async def test_a_day_that_is_over_is_not_made_up_for(container: Container, clock: FixedClock) -> None:
    """Half a day after the freeze yesterday's news is not printed any more."""
    clock.move(FIVE + timedelta(hours=13))
    await tasks.compose(container, "a")
    assert await status(container) is None


async def test_manual_approval_waits_for_the_operator(
    database_url: str, container: Container, clock: FixedClock
) -> None:
    """The freeze comes with the first tick after the approval."""
    manual = build(load_settings(database_url=database_url, secret_keys="k" * 40, approval="manual"), clock)
    await tasks.compose(container, "a")
    clock.move(FIVE + timedelta(hours=1))
    await tasks.freeze(manual, "a")
    assert await status(container) is EditionStatus.READY
    found = await edition(container)
    assert found is not None
    async with container.db.write() as session:
        await editions.approve(session, found, clock.now())
    await tasks.freeze(manual, "a")
    await manual.close()
    assert await status(container) is EditionStatus.FROZEN


async def test_the_hourly_jobs_run_once_an_hour(container: Container, clock: FixedClock) -> None:
    """Collecting, sweeping and tidying may be asked for by every replica at every tick."""
    for _ in range(2):
        await tasks.collect(container, "a")
        await tasks.sweep(container, "a")
        await tasks.tidy(container, "a")


async def test_what_a_clock_that_was_ahead_froze_is_composed_again_at_its_own_time(
    container: Container, clock: FixedClock
) -> None:
    """Its stories come free for the edition of today; taking it back twice is taking it back once."""
    await add_reader(container.db, "ada@example.org")
    tomorrow = FIVE + timedelta(days=1)
    for at in (tomorrow, tomorrow + timedelta(minutes=30)):
        clock.move(at)
        await tasks.compose(container, "a")
        await tasks.freeze(container, "a")
    clock.move(FIVE)
    for _ in range(2):
        async with container.db.write() as session:
            await clocks.reopen_slots(session, clock.now())
        await take_back(container)
    await tasks.compose(container, "a")
    assert await status(container) is EditionStatus.READY
    clock.move(tomorrow)
    await tasks.compose(container, "a")
    async with container.db.read() as session:
        found = await session.execute(select(Edition.date, Edition.revision, Edition.status).order_by(Edition.id))
        states = [tuple(row) for row in found]
    assert states == [
        (tomorrow.date(), 1, EditionStatus.CANCELLED),
        (tomorrow.date(), 2, EditionStatus.READY),
        (FIVE.date(), 1, EditionStatus.READY),
    ]


async def test_an_edition_that_went_out_is_not_taken_back(container: Container, clock: FixedClock) -> None:
    """Its readers have it."""
    await add_reader(container.db, "ada@example.org")
    clock.move(FIVE + timedelta(days=1))
    await tasks.compose(container, "a")
    clock.move(FIVE + timedelta(days=1, minutes=30))
    await tasks.freeze(container, "a")
    clock.move(FIVE + timedelta(days=1, minutes=90))
    await tasks.let_go(container, {})
    clock.move(FIVE)
    await take_back(container)
    async with container.db.read() as session:
        assert (await session.scalars(select(Edition.status))).all() == [EditionStatus.SENDING]
