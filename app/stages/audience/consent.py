"""Double opt-in: asking writes down a wish, pressing the button behind the mailed link makes it so."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.core.calendar import zone_named
from app.core.db import Session
from app.core.errors import InvalidInput, InvalidToken
from app.core.signing import Purpose, Signer, opaque_reference
from app.models import Subscriber, TransactionalEmail
from app.models.states import SubscriberStatus
from app.stages.audience import address as addresses
from app.stages.audience.visitor import Visitor
from app.store import editions, subscribers, transactional
from app.store.subscribers import Act

CONFIRMATION, REMINDER, WELCOME = "confirmation", "reminder", "welcome"
CONFIRM_WITHIN = timedelta(days=7)
WELCOME_WITHIN = timedelta(days=1)
_LONGEST_SOURCE = 120


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a confirmation link finds: the reader's state, masked address and name in other links."""

    status: SubscriberStatus
    address: str
    ref: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Who is in now, and when their paper comes. `already` is true where nothing had to change."""

    ref: str
    address: str
    zone: str
    minute: int | None
    already: bool


async def subscribe(
    session: Session,
    *,
    address: str,
    zone: str = "",
    method: Literal["form", "api"],
    source: str = "",
    wording: str = "",
    visitor: Visitor,
    now: datetime,
) -> None:
    """Writes a sign-up down and owes a confirmation mail. Does the same, to the eye, for every address.

    `zone` is an IANA name from the browser; one we do not know counts as none.
    Raises InvalidInput with a sentence on `email` or `source`.
    """
    parsed = addresses.parse(address)
    source = source.strip()
    if len(source) > _LONGEST_SOURCE or not source.isprintable():
        raise InvalidInput(f"The source must be one line of at most {_LONGEST_SOURCE} characters.", "source")
    known = zone if zone and len(zone) <= 64 and zone_named(zone) else ""
    await subscribers.add_pending(
        session, address=parsed.mail, key=parsed.key, ref=opaque_reference(), zone=known, now=now
    )
    reader = await subscribers.find_key(session, parsed.key)
    assert reader is not None
    act = Act("asked", method, wording, source, visitor.ip, visitor.user_agent)
    await subscribers.record_consent(session, reader.id, act, now)
    if reader.status is SubscriberStatus.ACTIVE or await transactional.is_owed(session, CONFIRMATION, reader.id, now):
        return
    await transactional.owe(
        session,
        kind=CONFIRMATION,
        subscriber_id=reader.id,
        ref=opaque_reference(),
        parameters={},
        now=now,
        until=now + CONFIRM_WITHIN,
    )


async def look_up(session: Session, signer: Signer, token: str, now: datetime) -> Confirmation:
    """What the page behind a link may show; changes nothing. Raises InvalidToken."""
    _, reader = await _open(session, signer, token, now)
    return Confirmation(reader.status, addresses.mask(reader.address), reader.ref)


async def confirm(session: Session, signer: Signer, token: str, visitor: Visitor, now: datetime) -> Confirmed:
    """Makes the reader active and writes the consent; pressing twice is pressing once. Raises InvalidToken."""
    mail, reader = await _open(session, signer, token, now)
    changed = reader.status is not SubscriberStatus.ACTIVE and await subscribers.activate(
        session, reader.id, reader.status, now
    )
    if changed:
        act = Act("confirmed", "link", "", "", visitor.ip, visitor.user_agent, mail.ref)
        await subscribers.record_consent(session, reader.id, act, now)
        await _welcome(session, reader.id, now)
    return Confirmed(reader.ref, addresses.mask(reader.address), reader.zone, reader.minute, already=not changed)


async def _welcome(session: Session, subscriber_id: int, now: datetime) -> None:
    """Owes the mail that says when the first paper comes, with the latest one that is out."""
    latest = await editions.published(session, 1)
    await transactional.owe(
        session,
        kind=WELCOME,
        subscriber_id=subscriber_id,
        ref=opaque_reference(),
        parameters={"edition": latest[0].slug} if latest else {},
        now=now,
        until=now + WELCOME_WITHIN,
    )


async def _open(session: Session, signer: Signer, token: str, now: datetime) -> tuple[TransactionalEmail, Subscriber]:
    mail = await transactional.find_ref(session, signer.read(Purpose.CONFIRM, token, now))
    if mail is None:
        raise InvalidToken
    reader = await subscribers.get(session, mail.subscriber_id)
    if reader is None:
        raise InvalidToken
    # Whoever left after asking has changed their mind; only a new sign-up brings them back.
    if reader.status is SubscriberStatus.LEFT and reader.left_at is not None and mail.created_at <= reader.left_at:
        raise InvalidToken("This link has run out.", expired=True)
    return mail, reader
