"""How often an address is written to, and that nothing tells which are known."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select, update

from app.core.db import Database
from app.core.errors import InvalidToken
from app.core.signing import Purpose
from app.models import Subscriber, TransactionalEmail
from app.models.states import DeliveryStatus, SubscriberStatus
from app.stages.audience import consent, leaving
from app.stages.audience.domains import DomainRules
from app.stages.audience.visitor import Visitor
from app.store import streams, subscribers, suppressions, transactional
from app.store.streams import Outcome
from tests.people import NOON, SIGNER, SUPPRESSOR, add_reader

ADA = "ada@example.org"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def ask(db: Database, at: datetime, address: str = ADA) -> None:
    async with db.write() as session:
        await consent.subscribe(
            session,
            address=address,
            method="form",
            suppressor=SUPPRESSOR,
            domains=DomainRules(),
            visitor=Visitor(),
            now=at,
        )


async def asked(db: Database, address: str = ADA) -> list[TransactionalEmail]:
    async with db.read() as session:
        rows = select(TransactionalEmail).join(Subscriber)
        rows = rows.where(Subscriber.address_key == address, TransactionalEmail.kind == consent.CONFIRMATION)
        return list((await session.scalars(rows.order_by(TransactionalEmail.id))).all())


async def hand_over(db: Database, at: datetime) -> None:
    """Everything that is owed was accepted."""
    async with db.write() as session:
        for mail in await transactional.begin(session, provider="outbox", epoch=1, most=9, now=at):
            outcome = Outcome(mail.id, mail.attempt, DeliveryStatus.ACCEPTED, None, None, "", "")
            await streams.settle(session, TransactionalEmail, [outcome])


async def press(db: Database, mail: TransactionalEmail, at: datetime) -> None:
    token = SIGNER.sign(Purpose.CONFIRM, mail.ref, mail.created_at + consent.CONFIRM_WITHIN)
    async with db.write() as session:
        await consent.confirm(session, SIGNER, SUPPRESSOR, token, Visitor(), at)


async def suppress(db: Database, reason: str, address: str = ADA) -> None:
    async with db.write() as session:
        await suppressions.add(session, SUPPRESSOR.hash(address), reason, NOON)


async def test_one_confirmation_a_day(db: Database) -> None:
    """However often somebody asks, and in whatever spelling."""
    for hours in (0, 1, 12, 23):
        await ask(db, NOON + hours * HOUR, ADA.upper())
        await hand_over(db, NOON + hours * HOUR)
    assert len(await asked(db)) == 1
    await ask(db, NOON + DAY)
    assert len(await asked(db)) == 2


async def test_three_confirmations_ever_without_a_press(db: Database) -> None:
    """Also when the service mail of long ago was tidied away."""
    for days in range(10):
        await ask(db, NOON + days * DAY)
        await hand_over(db, NOON + days * DAY)
    assert len(await asked(db)) == 3
    year = NOON + 365 * DAY
    async with db.write() as session:
        assert await transactional.prune(session, 30 * DAY, year, kept=consent.CONFIRMATION) == 0
    await ask(db, year)
    assert len(await asked(db)) == 3


async def test_a_press_begins_the_count_anew(db: Database) -> None:
    """Who confirmed and left may come back the same day; their old mails are then tidied away."""
    for days in range(3):
        await ask(db, NOON + days * DAY)
        await hand_over(db, NOON + days * DAY)
    at = NOON + 2 * DAY + HOUR
    await press(db, (await asked(db))[-1], at)
    async with db.write() as session:
        reader = await subscribers.find_key(session, ADA)
        assert reader is not None
        token = SIGNER.sign(Purpose.UNSUBSCRIBE, reader.ref)
        await leaving.leave(session, SIGNER, token, "link", Visitor(), at + HOUR)
    await ask(db, at + 2 * HOUR)
    assert len(await asked(db)) == 4
    async with db.write() as session:
        await transactional.prune(session, 30 * DAY, NOON + 60 * DAY, kept=consent.CONFIRMATION)
    assert [one.status for one in await asked(db)] == [DeliveryStatus.QUEUED]


async def test_a_mail_still_on_its_way_is_not_doubled(db: Database) -> None:
    """A provider that has been down for two days does not earn the reader two mails."""
    await ask(db, NOON)
    await ask(db, NOON + 2 * DAY)
    assert len(await asked(db)) == 1


@pytest.mark.parametrize("reason", sorted(consent.BARRED))
async def test_a_barred_address_is_sent_nothing_and_no_old_link_lets_it_in(db: Database, reason: str) -> None:
    """The sign-up is taken as ever; a link mailed before the bar has run out."""
    await ask(db, NOON, "grace@example.org")
    (mail,) = await asked(db, "grace@example.org")
    for address in (ADA, "grace@example.org"):
        await suppress(db, reason, address)
    await ask(db, NOON + 2 * DAY)
    assert await asked(db) == []
    with pytest.raises(InvalidToken):
        await press(db, mail, NOON + HOUR)
    async with db.read() as session:
        assert await suppressions.reason(session, SUPPRESSOR.hash("grace@example.org")) == reason


async def test_who_was_erased_may_come_back_by_confirming(db: Database) -> None:
    """Asking lifts nothing; the press in their own mail does."""
    await suppress(db, "erased")
    await ask(db, NOON)
    (mail,) = await asked(db)
    async with db.read() as session:
        assert await suppressions.reason(session, SUPPRESSOR.hash(ADA)) == "erased"
    await press(db, mail, NOON + HOUR)
    async with db.read() as session:
        assert await suppressions.reason(session, SUPPRESSOR.hash(ADA)) is None
        reader = await subscribers.find_key(session, ADA)
    assert reader is not None
    assert reader.status is SubscriberStatus.ACTIVE


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    """What the database is asked while this is open, without the values."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(re.sub(r"\s+", " ", str(arguments[2])))

    engines = {id(engine.sync_engine): engine.sync_engine for engine in (db._writer, db._reader)}.values()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield seen
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


async def test_known_and_unknown_addresses_cost_the_same_statements(db: Database) -> None:
    """New, pending, active, resting, left, used up, barred, erased: the same text of each, in the same order."""
    await add_reader(db, "active@example.org")
    await add_reader(db, "pending@example.org", confirmed_at=None)
    for status in (SubscriberStatus.PAUSED, SubscriberStatus.LEFT):
        reader = await add_reader(db, f"{status}@example.org")
        async with db.write() as session:
            await session.execute(update(Subscriber).where(Subscriber.id == reader).values(status=status))
    for days in range(3):
        await ask(db, NOON + days * DAY, "used-up@example.org")
        await hand_over(db, NOON + days * DAY)
    await suppress(db, "not-asked", "barred@example.org")
    await suppress(db, "operator", "suppressed@example.org")
    await suppress(db, "erased", "erased@example.org")
    ran = {}
    for who in ("new", "active", "pending", "paused", "left", "used-up", "barred", "suppressed", "erased"):
        with statements(db) as seen:
            await ask(db, NOON + 9 * DAY, f"{who}@example.org")
        ran[who] = list(seen)
    assert len(ran["new"]) >= 6
    assert {who for who, seen in ran.items() if seen != ran["new"]} == set()
