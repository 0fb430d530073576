"""People who asked and did not press the button, on both engines."""

import asyncio
from datetime import timedelta

from sqlalchemy import select

from app.core.db import Database
from app.core.signing import Purpose, Suppressor
from app.models import Consent, Subscriber, TransactionalEmail
from app.stages.audience import consent, pending
from app.stages.audience.domains import DomainRules
from app.stages.audience.visitor import Visitor
from app.store import subscribers, suppressions, transactional
from tests.people import NOON, SIGNER, add_reader

SUPPRESSOR = Suppressor("a key of the tests that hashes are made under")
DAYS = timedelta(days=1)


async def ask(db: Database, address: str = "ada@example.org") -> None:
    async with db.write() as session:
        await consent.subscribe(
            session,
            address=address,
            method="form",
            suppressor=SUPPRESSOR,
            domains=DomainRules(),
            visitor=Visitor(),
            now=NOON,
        )


async def letters(db: Database) -> list[TransactionalEmail]:
    async with db.read() as session:
        return list((await session.scalars(select(TransactionalEmail).order_by(TransactionalEmail.id))).all())


async def count(db: Database, table: type[Subscriber | Consent]) -> int:
    async with db.read() as session:
        return len((await session.scalars(select(table))).all())


async def test_one_reminder_two_days_on_and_no_more(db: Database) -> None:
    """Not earlier, not twice, not to readers who are in."""
    await ask(db)
    await add_reader(db, "in@example.org")
    assert await pending.remind(db, NOON + 1.9 * DAYS) == "0 reminders"
    assert await pending.remind(db, NOON + 2 * DAYS) == "1 reminders"
    assert await pending.remind(db, NOON + 4.5 * DAYS) == "0 reminders"
    assert [one.kind for one in await letters(db)] == ["confirmation", "reminder"]


async def test_the_reminders_link_confirms(db: Database) -> None:
    """It is a link of its own, good for seven days more."""
    await ask(db)
    await pending.remind(db, NOON + 2 * DAYS)
    letter = (await letters(db))[-1]
    token = SIGNER.sign(Purpose.CONFIRM, letter.ref, letter.created_at + consent.CONFIRM_WITHIN)
    async with db.write() as session:
        assert not (await consent.confirm(session, SIGNER, SUPPRESSOR, token, Visitor(), NOON + 8 * DAYS)).already
    assert [one.kind for one in await letters(db)] == ["confirmation", "reminder", "welcome"]


async def test_an_unconfirmed_sign_up_is_forgotten_after_a_month(db: Database) -> None:
    """With its consents and mails; a reader who is in stays."""
    await ask(db)
    await add_reader(db, "in@example.org")
    assert await pending.forget(db, NOON + 29 * DAYS) == "0 unconfirmed sign-ups forgotten"
    assert await pending.forget(db, NOON + 31 * DAYS) == "1 unconfirmed sign-ups forgotten"
    assert await count(db, Subscriber) == 1
    assert await count(db, Consent) == 0
    assert await letters(db) == []


async def test_however_many_there_are_they_are_forgotten_the_same_day(db: Database) -> None:
    """A few a transaction, until none is left: a large import that asked in vain keeps nobody past the month."""
    for number in range(5):
        await ask(db, f"reader{number}@example.org")
    assert await pending.forget(db, NOON + 31 * DAYS, most=2) == "5 unconfirmed sign-ups forgotten"
    assert await pending.forget(db, NOON + 31 * DAYS, most=2) == "0 unconfirmed sign-ups forgotten"
    assert await count(db, Subscriber) == 0


async def test_who_signs_up_again_in_that_moment_is_not_forgotten(db: Database) -> None:
    """The job passes over whoever is held by a sign-up; afterwards they were asked anew, and stay."""
    await ask(db)
    later = NOON + 31 * DAYS
    async with db.write() as session:
        await subscribers.hold_key(session, "ada@example.org")
        job = asyncio.create_task(pending.forget(db, later))
        await asyncio.wait({job}, timeout=0.3)
        await transactional.owe(
            session,
            kind="confirmation",
            subscriber_id=(await session.scalars(select(Subscriber.id))).one(),
            ref="a-second-one",
            parameters={},
            now=later,
            until=later + 7 * DAYS,
        )
    assert await job == "0 unconfirmed sign-ups forgotten"
    assert [one.ref for one in await letters(db)][1:] == ["a-second-one"]


async def test_who_did_not_ask_is_barred_by_hash_alone(db: Database) -> None:
    """Nothing readable of the address is left in any table."""
    await ask(db)
    letter = (await letters(db))[0]
    token = SIGNER.sign(Purpose.CONFIRM, letter.ref, letter.created_at + consent.CONFIRM_WITHIN)
    async with db.write() as session:
        assert await pending.refuse(session, SIGNER, SUPPRESSOR, token, NOON)
    assert await count(db, Subscriber) == 0
    async with db.read() as session:
        assert await suppressions.reason(session, SUPPRESSOR.hash("ada@example.org")) == "not-asked"
        assert await suppressions.reason(session, SUPPRESSOR.hash("bob@example.org")) is None
