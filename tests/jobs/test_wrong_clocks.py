"""On SQLite a machine whose clock is wrong for an hour, and is then put right, loses nobody's edition."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from app.bootstrap import Container, build
from app.core.settings import load_settings
from app.jobs.ahead import take_back
from app.jobs.worker import Worker
from app.models import Delivery, Edition, TransactionalEmail
from app.models.content import Section
from app.models.states import DeliveryStatus, EditionStatus, Frequency
from app.stages.audience.consent import CONFIRMATION
from app.stages.collect import stories as desk
from app.stages.render.freeze import freeze
from app.stages.send import release
from app.store import handovers, leases, transactional
from app.store.handovers import Wanted
from tests.conftest import sqlite_copy
from tests.machine import Machine
from tests.people import DAY, add_edition, add_reader, prefer
from tests.stages.collect.standin import closed_port

HALF = timedelta(minutes=30)
SIX = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
WRONG = {
    "1970": datetime(1970, 1, 1, tzinfo=UTC) - SIX,
    "a day ahead": timedelta(days=1),
    "two hours ahead": timedelta(hours=2),
    "a day behind": timedelta(days=-1),
}


class Service:
    """The worker of a service on one machine, which may crash and boot again."""

    def __init__(self, container: Container, machine: Machine) -> None:
        self.container, self.machine = container, machine

    async def boot(self) -> None:
        """A new process: nothing of the last one's memory is left."""
        self.container = build(self.container.settings, self.machine.clock())
        await self.container.watch.start()
        self.worker = Worker(self.container)
        self.container.watch.sign(partial(take_back, self.container))
        self._asked: dict[str, float] = {}

    async def run(self, *, minutes: float) -> None:
        """Lets the worker's ticks come, each about as often as it does."""
        for _ in range(round(minutes * 2)):
            self.machine.wait(seconds=30)
            for name, every, work in self.worker._ticks():
                if self.machine.monotonic - self._asked.get(name, 0) >= every:
                    self._asked[name] = self.machine.monotonic
                    await work()

    async def crash(self) -> None:
        await self.container.close()

    async def statuses(self, edition: Edition) -> list[DeliveryStatus]:
        """What became of each reader's paper, in the order in which they joined."""
        async with self.container.db.read() as session:
            found = await session.scalars(
                select(Delivery.status).where(Delivery.edition_id == edition.id).order_by(Delivery.subscriber_id)
            )
            return list(found)

    async def editions(self) -> Sequence[Edition]:
        async with self.container.db.read() as session:
            return (await session.scalars(select(Edition).order_by(Edition.date))).all()


@pytest.fixture
async def service(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Service]:
    """At six in the morning, when the paper is read at 06:30; two stories lie on the desk."""
    nobody = closed_port()
    settings = load_settings(
        database_url=sqlite_copy(sqlite_template, tmp_path), secret_keys="k" * 40, huggingface_url=nobody,
        github_url=nobody, check_links="off", deliver_at="06:30", operator_emails="ada@example.org",
    )  # fmt: skip
    machine = Machine(SIX)
    made = Service(build(settings, machine), machine)
    await made.boot()
    yield made
    await made.crash()


async def add_people(service: Service) -> list[int]:
    """Of 06:30, of 06:30, and of eight in the evening."""
    db = service.container.db
    readers = [await add_reader(db, f"{name}@example.org") for name in ("ada", "ben", "carol")]
    await prefer(db, readers[2], Frequency.DAILY, minute=20 * 60, zone="UTC")
    return readers


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
async def test_an_edition_that_goes_out_when_the_power_fails_reaches_everybody(
    service: Service, wrong: timedelta
) -> None:
    """One's is in the air, one's is due, one's hour is to come; the clock is wrong from the next start on."""
    container = service.container
    await add_people(service)
    edition = await add_edition(container.db, DAY, status=EditionStatus.READY)
    await freeze(container.db, edition.id, container.settings.publication, SIX, force=True)
    await service.run(minutes=29)
    service.machine.wait(minutes=1)
    await release.release_due(container.db, edition, container.settings, service.machine.wall)
    async with container.db.write() as session:
        lease = await leases.take_shard(session, "dead", service.machine.wall)
        assert lease is not None
        assert await handovers.begin(session, Wanted(lease, "outbox", 1), SIX + HALF)
        await leases.give_back_shard(session, lease, SIX + HALF)  # by the time of the next start it has run out
    await service.crash()

    service.machine.wait(minutes=3)
    service.machine.wall += wrong
    await service.boot()
    await service.run(minutes=60)
    service.machine.wall -= wrong
    await service.run(minutes=30)
    found = await service.statuses(edition)
    assert found[:2] == [DeliveryStatus.ACCEPTED] * 2
    service.machine.wait(hours=12)
    await service.crash()
    await service.boot()
    await service.run(minutes=10)
    assert await service.statuses(edition) == [DeliveryStatus.ACCEPTED] * 3


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
async def test_an_edition_that_is_to_be_composed_when_the_power_fails_comes_out(
    service: Service, wrong: timedelta
) -> None:
    """The machine boots at a wrong time, and is put right within the morning."""
    await add_people(service)
    async with service.container.db.write() as session:
        for section in (Section.LEAD, Section.TOOLS):
            fields = {"section": section, "headline": f"A {section.value} story", "standfirst": "It stands first."}
            await desk.create(session, desk.parse(fields), SIX)
        yesterday = await leases.take_slot(session, "compose", "2026-11-22", "me", SIX)
        assert yesterday is not None
        await leases.finish_slot(session, "compose", "2026-11-22", yesterday, "ready", SIX - timedelta(days=1))
    await service.crash()
    service.machine.wall = SIX - timedelta(minutes=70)
    await service.boot()
    await service.run(minutes=5)
    assert await service.editions() == []
    await service.crash()
    service.machine.wait(minutes=3)
    service.machine.wall += wrong
    await service.boot()
    await service.run(minutes=60)
    service.machine.wall -= wrong
    await service.run(minutes=45)
    edition = next(one for one in await service.editions() if one.date == DAY)
    assert (await service.statuses(edition))[:2] == [DeliveryStatus.ACCEPTED] * 2
    service.machine.wait(hours=13, minutes=20)
    await service.crash()
    await service.boot()
    await service.run(minutes=10)
    assert await service.statuses(edition) == [DeliveryStatus.ACCEPTED] * 3


async def test_a_sign_up_while_the_clock_was_ahead_is_answered_when_it_is_put_right(service: Service) -> None:
    """And not a day later."""
    await service.run(minutes=5)
    service.machine.wall += timedelta(days=1)
    await service.run(minutes=5)
    now = service.container.clock.now()
    assert now == service.machine.wall
    reader = await add_reader(service.container.db, "dan@example.org", confirmed_at=None)
    async with service.container.db.write() as session:
        await transactional.owe(
            session, kind=CONFIRMATION, subscriber_id=reader, ref="a-ref", parameters={}, now=now,
            until=now + timedelta(days=7),
        )  # fmt: skip
    service.machine.wall -= timedelta(days=1)
    await service.run(minutes=5)
    async with service.container.db.read() as session:
        assert (await session.scalars(select(TransactionalEmail.status))).all() == [DeliveryStatus.ACCEPTED]
