"""People who asked and did not press the button: a new link, one reminder, a bar, and at last to be forgotten."""

from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from app.core.contention import retried
from app.core.db import Database, Session
from app.core.errors import InvalidToken
from app.core.signing import Purpose, Signer, Suppressor, opaque_reference
from app.models.states import SubscriberStatus
from app.stages.audience import held
from app.stages.audience.consent import (
    BARRED,
    CONFIRM_WITHIN,
    CONFIRMATION,
    IN,
    LIFTED,
    ONE_EVERY,
    REMINDER,
)
from app.stages.audience.held import Opened
from app.store import erasure, subscribers, suppressions, transactional, unconfirmed

REMIND_AFTER = timedelta(hours=48)
FORGET_AFTER = timedelta(days=30)
NOT_ASKED = "not-asked"


class Renewal(StrEnum):
    """What came of asking for a new link."""

    SENT = "sent"
    """Or on its way already."""
    CONFIRMED = "confirmed"
    """There is nothing left to confirm."""
    GONE = "gone"
    """The reader has left since, or must not be written to: only a new sign-up asks again."""


async def renew(session: Session, signer: Signer, suppressor: Suppressor, token: str, now: datetime) -> Renewal:
    """Owes a new link in place of one that has run out, at most one a day. Raises InvalidToken.

    Whoever holds the old link reads the mailbox, so they are told what there is to tell.
    """
    reader = (await _hold(session, signer, token, now)).reader
    if reader.status in IN:
        return Renewal.CONFIRMED
    barred = await suppressions.reason(session, suppressor.hash(reader.address_key)) in BARRED
    if barred or reader.status is not SubscriberStatus.PENDING:
        return Renewal.GONE
    asked = await transactional.history(session, CONFIRMATION, reader.id, reader.confirmed_at, now)
    rested = asked.last is None or now - asked.last >= ONE_EVERY
    # Whoever holds an old link reads the mailbox, so three in vain do not bar them; one a day still holds.
    if not asked.owed and rested:
        await _owe(session, CONFIRMATION, reader.id, now)
    return Renewal.SENT


async def refuse(session: Session, signer: Signer, suppressor: Suppressor, token: str, now: datetime) -> bool:
    """“I did not ask for this”: forgets a sign-up and bars its address, by its hash alone.

    False where the reader has confirmed before: whoever reads the paper leaves by its own link. Raises InvalidToken.
    """
    reader = (await _hold(session, signer, token, now)).reader
    if reader.confirmed_at is not None:
        return False
    await suppressions.add(session, suppressor.hash(reader.address_key), NOT_ASKED, now, instead_of=LIFTED)
    await subscribers.forget(session, [reader.id])
    await erasure.owe_truncation(session, now)
    return True


async def remind(db: Database, now: datetime) -> str:
    """Owes one reminder to whoever was asked two days ago and has not answered; safe to repeat."""
    return f"{await retried(partial(_remind, db, now))} reminders"


async def _remind(db: Database, now: datetime) -> int:
    async with db.write() as session:
        silent = await unconfirmed.silent_since(session, now - REMIND_AFTER, now - CONFIRM_WITHIN, REMINDER)
        for subscriber_id in silent:
            await _owe(session, REMINDER, subscriber_id, now)
    return len(silent)


async def forget(db: Database, now: datetime, most: int = 200) -> str:
    """Removes sign-ups that were never confirmed, a month on: all of them, `most` a transaction; safe to repeat."""
    forgotten = 0
    while gone := await retried(partial(_forget_some, db, now, most)):
        forgotten += gone
    return f"{forgotten} unconfirmed sign-ups forgotten"


async def _forget_some(db: Database, now: datetime, most: int) -> int:
    async with db.write() as session:
        gone = await unconfirmed.since(session, now - FORGET_AFTER, most)
        if gone:
            await subscribers.forget(session, gone)
            await erasure.owe_truncation(session, now)
    return len(gone)


async def _owe(session: Session, kind: str, subscriber_id: int, now: datetime) -> None:
    await transactional.owe(
        session,
        kind=kind,
        subscriber_id=subscriber_id,
        ref=opaque_reference(),
        parameters={},
        now=now,
        until=now + CONFIRM_WITHIN,
    )


async def _hold(session: Session, signer: Signer, token: str, now: datetime) -> Opened:
    opened = await held.hold(session, signer.read(Purpose.CONFIRM, token, now, late=True))
    if opened is None:
        raise InvalidToken
    return opened
