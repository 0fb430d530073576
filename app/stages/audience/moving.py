"""A change of address: asked for by a fresh link, agreed to at the new address, told to the old one, which may object.

Nothing here tells the asker whether the new address is known: that is said only to whoever opens its mail.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.db import Session
from app.core.errors import Conflict, InvalidInput, InvalidToken
from app.core.language import say
from app.core.signing import Purpose, Signer, Suppressor, opaque_reference
from app.models import Subscriber
from app.models.states import SubscriberStatus
from app.stages.audience import address as addresses
from app.stages.audience.consent import BARRED, LIFTED
from app.stages.audience.domains import DomainRules
from app.stages.audience.erasure import erase
from app.stages.audience.fresh import ASKABLE, READDRESSING, WORKS_FOR, hold_letter, open_letter
from app.stages.audience.held import Opened
from app.stages.audience.visitor import Visitor
from app.store import consents, erasure, subscribers, suppressions, transactional
from app.store.consents import Act

MOVED = "moved"
MOST_A_DAY = 3
_READING = (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)
_RUN_OUT = say("This link has run out.")


@dataclass(frozen=True, slots=True)
class Readdressed:
    """Where the paper goes now, masked; its reader's name in links and language. `already`: nothing had to change."""

    address: str
    ref: str
    language: str
    already: bool


async def ask(
    session: Session,
    signer: Signer,
    suppressor: Suppressor,
    domains: DomainRules,
    token: str,
    typed: str,
    now: datetime,
) -> tuple[Subscriber, str]:
    """Owes a letter to the address that the reader typed; gives the reader and the address as it is written to.

    Raises InvalidToken, InvalidInput on `email`, Conflict where no paper comes any more.
    """
    reader = (await hold_letter(session, signer, Purpose.MOVE, token, now)).reader
    if reader.status not in _READING:
        raise Conflict(say("No paper comes to you now, so there is none to send elsewhere."))
    new = addresses.parse(typed)
    domains.check(new)
    if new.key == reader.address_key:
        raise InvalidInput(say("The paper comes to that address already."), "email")
    barred = await suppressions.reason(session, suppressor.hash(new.key)) in BARRED
    kind = Purpose.NEW_ADDRESS.value
    asked = await transactional.history(session, kind, reader.id, now - timedelta(days=1), now)
    if not barred and asked.count < MOST_A_DAY:
        await _owe(session, Purpose.NEW_ADDRESS, reader.id, new.mail, {"from": reader.address}, now)
    return reader, new.mail


async def look_up(session: Session, signer: Signer, purpose: Purpose, token: str, now: datetime) -> Readdressed:
    """What the page behind the letter to the new or the old address may show; changes nothing. Raises InvalidToken."""
    opened = await open_letter(session, signer, purpose, token, now)
    to = _recipient(opened)
    return Readdressed(
        addresses.mask(to.mail), opened.reader.ref, opened.reader.language, opened.reader.address_key == to.key
    )


async def move(
    session: Session, signer: Signer, suppressor: Suppressor, token: str, visitor: Visitor, now: datetime
) -> Readdressed:
    """Sends the paper to the new address from now on, and owes the letter to the old one. Twice is once.

    Raises InvalidToken, also where another change was asked for or made since; Conflict where a paper of its own comes
    to the new address.
    """
    opened = await hold_letter(session, signer, Purpose.NEW_ADDRESS, token, now)
    letter, reader, new = opened.letter, opened.reader, _recipient(opened)
    done = Readdressed(addresses.mask(new.mail), reader.ref, reader.language, reader.address_key == new.key)
    if done.already:
        return done
    newest = await transactional.newest(session, letter.kind, reader.id)
    if newest != letter.id or letter.parameters["from"] != reader.address or reader.status not in _READING:
        raise InvalidToken(_RUN_OUT, expired=True)
    old = addresses.Address(reader.address, reader.address_key)
    await _readdress(session, suppressor, opened, Act(MOVED, "link", "", "", *_who(visitor), letter.ref), now)
    # An import of an old list must not bring the same person in a second time.
    await suppressions.add(session, suppressor.hash(old.key), MOVED, now)
    await _owe(session, Purpose.OLD_ADDRESS, reader.id, old.mail, {"to": done.address}, now)
    return done


async def put_back(
    session: Session, signer: Signer, suppressor: Suppressor, token: str, visitor: Visitor, now: datetime
) -> Readdressed:
    """Sends the paper to the old address again, and takes back every letter that the change led to. Twice is once.

    Raises InvalidToken, also where the old address is barred; Conflict where another paper comes to it by now.
    """
    opened = await hold_letter(session, signer, Purpose.OLD_ADDRESS, token, now)
    letter, reader, old = opened.letter, opened.reader, _recipient(opened)
    done = Readdressed(addresses.mask(old.mail), reader.ref, reader.language, reader.address_key == old.key)
    if not done.already:
        await _readdress(session, suppressor, opened, Act("put back", "link", "", "", *_who(visitor), letter.ref), now)
        void = (*ASKABLE, *READDRESSING)
        await transactional.remove_after(session, letter.id, reader.id, void)
        await erasure.owe_truncation(session, now)
    return done


def _recipient(opened: Opened) -> addresses.Address:
    mail = opened.letter.recipient or ""
    return addresses.Address(mail, mail.casefold())


def _who(visitor: Visitor) -> tuple[str, str]:
    return visitor.ip, visitor.user_agent


async def _readdress(session: Session, suppressor: Suppressor, opened: Opened, act: Act, now: datetime) -> None:
    """The caller holds both mailboxes and their readers."""
    reader, to = opened.reader, _recipient(opened)
    if await suppressions.reason(session, suppressor.hash(to.key)) not in (None, *LIFTED):
        raise InvalidToken(_RUN_OUT, expired=True)
    await _make_room(session, suppressor, to.key, now)
    if not await subscribers.readdress(session, reader.id, reader.address_key, to.mail, to.key):
        raise InvalidToken(_RUN_OUT, expired=True)
    await suppressions.lift(session, suppressor.hash(to.key), LIFTED)
    await consents.record(session, reader.id, act, now)


async def _make_room(session: Session, suppressor: Suppressor, key: str, now: datetime) -> None:
    """Whoever never confirmed there, or has left, gives way: the one mailbox pressed the button for both."""
    other = await subscribers.find_key(session, key)
    if other is None:
        return
    if other.status in _READING:
        raise Conflict(say("That address has a paper of its own already, so nothing was changed."))
    await erase(session, suppressor, other, "link", now)


async def _owe(
    session: Session, purpose: Purpose, subscriber_id: int, recipient: str, parameters: dict[str, str], now: datetime
) -> None:
    await transactional.owe(
        session,
        kind=purpose.value,
        subscriber_id=subscriber_id,
        recipient=recipient,
        ref=opaque_reference(),
        parameters=parameters,
        now=now,
        until=now + WORKS_FOR[purpose],
    )
