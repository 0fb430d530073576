"""Fresh links: what a forwarded paper must not be able to do is done by a link mailed to the person, for an hour.

A preferences link stands in every paper, and papers are passed on. So it only ever asks for such a letter, which goes
to the reader's own address and to no other.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from app.core.db import Session
from app.core.errors import Conflict, InvalidInput, InvalidToken
from app.core.language import say
from app.core.signing import Purpose, Signer, opaque_reference
from app.models import Subscriber
from app.models.states import SubscriberStatus
from app.stages.audience import held
from app.stages.audience.held import Opened
from app.store import subscribers, transactional

WORKS_FOR: Mapping[Purpose, timedelta] = {
    Purpose.DOWNLOAD: timedelta(hours=1),
    Purpose.ERASE: timedelta(hours=1),
    Purpose.MOVE: timedelta(hours=1),
    Purpose.NEW_ADDRESS: timedelta(days=1),
    Purpose.OLD_ADDRESS: timedelta(days=7),
}
"""To the second: the token itself is good until the hour is full. The letter says the same."""
ASKABLE = (Purpose.DOWNLOAD, Purpose.ERASE, Purpose.MOVE)
READDRESSING = (Purpose.NEW_ADDRESS, Purpose.OLD_ADDRESS)
ONE_EVERY = timedelta(minutes=10)
MOST_A_DAY = 5
_RUN_OUT = say("This link has run out.")
_READING = (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)


async def ask(session: Session, signer: Signer, token: str, what: str, now: datetime) -> Subscriber:
    """Owes the letter for `what` (one of ASKABLE) to the reader of a preferences link, whom it gives.

    Pressed again within ten minutes it writes nothing: the letter is on its way. Five a day is the most.
    Raises InvalidToken, InvalidInput, and Conflict where somebody without a paper would move it.
    """
    reader = await subscribers.hold_ref(session, signer.read(Purpose.PREFERENCES, token, now))
    if reader is None:
        raise InvalidToken
    if what not in ASKABLE:
        raise InvalidInput(say("This page has no such button."), "what")
    if what == Purpose.MOVE and reader.status not in _READING:
        raise Conflict(say("No paper comes to you now, so there is none to send elsewhere."))
    sent = await transactional.history(session, what, reader.id, now - timedelta(days=1), now)
    if sent.count < MOST_A_DAY and (sent.last is None or now - sent.last >= ONE_EVERY):
        await transactional.owe(
            session,
            kind=what,
            subscriber_id=reader.id,
            recipient=reader.address,
            ref=opaque_reference(),
            parameters={},
            now=now,
            until=now + WORKS_FOR[Purpose(what)],
        )
    return reader


async def open_letter(session: Session, signer: Signer, purpose: Purpose, token: str, now: datetime) -> Opened:
    """The letter that a link came with, and its reader. Raises InvalidToken, also past its time."""
    return _check(await held.find(session, signer.read(purpose, token, now)), purpose, now)


async def hold_letter(session: Session, signer: Signer, purpose: Purpose, token: str, now: datetime) -> Opened:
    """As `open_letter`, with the reader held and, where the letter is about a change of address, both mailboxes."""
    ref = signer.read(purpose, token, now)
    to = await transactional.recipient_of(session, ref) if purpose in READDRESSING else None
    return _check(await held.hold(session, ref, beside=[to.casefold()] if to else ()), purpose, now)


def _check(opened: Opened | None, purpose: Purpose, now: datetime) -> Opened:
    if opened is None or opened.letter.kind != purpose:
        raise InvalidToken
    if now >= opened.letter.created_at + WORKS_FOR[purpose]:
        raise InvalidToken(_RUN_OUT, expired=True)
    # A letter to an address that the reader has given up since opens nothing of theirs.
    if purpose in ASKABLE and opened.letter.recipient != opened.reader.address:
        raise InvalidToken(_RUN_OUT, expired=True)
    return opened


async def erased_already(session: Session, signer: Signer, token: str, now: datetime) -> bool:
    """Is this a good link to erase somebody of whom nothing is left?"""
    return await transactional.find_ref(session, signer.read(Purpose.ERASE, token, now)) is None
