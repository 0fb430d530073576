"""A mail server that keeps its last answer to itself keeps nobody waiting but whom it is about, on both engines."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.mail.message import Message
from app.core.mail.provider import Outgoing
from app.core.mail.receipt import Accepted
from app.core.settings import load_settings
from app.jobs.mailroom import Mailroom
from app.models import Delivery, TransactionalEmail
from app.models.states import DeliveryStatus as Status
from app.models.states import EditionStatus
from app.stages.audience.consent import CONFIRMATION
from app.stages.render.freeze import freeze
from app.stages.send import patience, release
from app.store import transactional
from tests.people import NOON, add_edition, add_reader, add_readers
from tests.stages.send.scripted import Scripted


class Slow(Scripted):
    """Two lines; whoever `stalls` names gets no answer until `answer` is set."""

    def __init__(self, stalls: Callable[[Message], bool]) -> None:
        super().__init__(connections=2)
        self._stalls = stalls
        self.answer = asyncio.Event()

    async def drain(self, outgoing: Outgoing) -> None:
        async def line() -> None:
            while messages := await outgoing.take(1):
                for message in messages:
                    self.sent.append(message)
                    if self._stalls(message):
                        await self.answer.wait()
                    outgoing.settle(message, Accepted())

        await asyncio.gather(line(), line())


@pytest.fixture
async def container(database_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Container]:
    monkeypatch.setattr(patience, "TAIL_AFTER", 0.2)
    made = build(load_settings(database_url=database_url, secret_keys="k" * 40), clock)
    yield made
    await made.close()


async def confirm(container: Container, address: str) -> None:
    reader = await add_reader(container.db, address, confirmed_at=None)
    async with container.db.write() as session:
        await transactional.owe(
            session,
            kind=CONFIRMATION,
            subscriber_id=reader,
            ref=f"confirm-{reader}",
            parameters={},
            now=NOON,
            until=NOON + timedelta(days=1),
        )


async def test_a_confirmation_does_not_wait_for_the_answer_to_another(container: Container) -> None:
    """The stream goes on without what is in the air; its answer, when it comes, is written down as ever."""
    slow = Slow(lambda message: message.recipient == "ada@example.org")
    room = Mailroom(replace(container, providers=(slow,)), "a", asyncio.Event())
    await confirm(container, "ada@example.org")
    async with asyncio.timeout(60):
        await room.post()
    await confirm(container, "ben@example.org")
    async with asyncio.timeout(60):
        await room.post()

    async def states() -> list[Status]:
        async with container.db.read() as session:
            found = await session.scalars(select(TransactionalEmail.status).order_by(TransactionalEmail.id))
            return list(found)

    assert await states() == [Status.UNKNOWN, Status.ACCEPTED]
    slow.answer.set()
    await asyncio.gather(*room.tails)
    assert await states() == [Status.ACCEPTED, Status.ACCEPTED]
    assert [message.recipient for message in slow.sent] == ["ada@example.org", "ben@example.org"]


async def test_a_second_edition_does_not_wait_for_the_last_answer_of_the_first(container: Container) -> None:
    """Nor do readers of the same edition whose morning comes meanwhile."""
    await add_readers(container.db, 3)
    first = await add_edition(container.db, status=EditionStatus.READY)
    publication = container.settings.publication
    await freeze(container.db, first.id, publication, NOON, force=True)
    await release.send_now(container.db, first.id, container.settings, NOON)
    slow = Slow(lambda message: message.recipient == "reader0@example.org")
    room = Mailroom(replace(container, providers=(slow,)), "a", asyncio.Event())
    async with asyncio.timeout(60):
        await room.papers()
    assert len(room.tails) == 1
    for name in ("ben", "eve"):
        await add_reader(container.db, f"{name}@example.org")
    await release.send_now(container.db, first.id, container.settings, NOON)
    async with asyncio.timeout(60):
        await room.papers()

    async def states() -> list[Status]:
        async with container.db.read() as session:
            return list(await session.scalars(select(Delivery.status).order_by(Delivery.subscriber_id)))

    assert await states() == [Status.SENDING, *[Status.ACCEPTED] * 4]
    slow.answer.set()
    await asyncio.gather(*room.tails)
    assert await states() == [Status.ACCEPTED] * 5
    assert len(slow.sent) == 5


async def test_slow_papers_leave_service_mail_its_own_places(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many papers wait for answers, a confirmation that is not answered keeps no other waiting."""
    monkeypatch.setattr("app.jobs.mailroom.MOST_TAILS", 1)
    await add_readers(container.db, 1)
    edition = await add_edition(container.db, status=EditionStatus.READY)
    await freeze(container.db, edition.id, container.settings.publication, NOON, force=True)
    await release.send_now(container.db, edition.id, container.settings, NOON)
    slow = Slow(lambda message: message.recipient != "ben@example.org")
    room = Mailroom(replace(container, providers=(slow,)), "a", asyncio.Event())
    async with asyncio.timeout(20):
        await room.papers()
    await confirm(container, "ada@example.org")
    async with asyncio.timeout(20):
        await room.post()
    assert len(room.tails) == 2
    await confirm(container, "ben@example.org")
    async with asyncio.timeout(20):
        await room.post()
    assert [message.recipient for message in slow.sent] == ["reader0@example.org", "ada@example.org", "ben@example.org"]
    slow.answer.set()
    await asyncio.gather(*room.tails)
