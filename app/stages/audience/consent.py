"""Double opt-in: asking writes down a wish, pressing the button behind the mailed link makes it so."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.core.calendar import zone_named
from app.core.db import Session
from app.core.errors import InvalidToken
from app.core.language import say
from app.core.languages import find
from app.core.signing import Purpose, Signer, Suppressor, opaque_reference
from app.models import Subscriber
from app.models.content import EditionKind
from app.models.states import Frequency, SubscriberStatus
from app.stages.audience import address as addresses
from app.stages.audience import held
from app.stages.audience.domains import DomainRules
from app.stages.audience.early import Early
from app.stages.audience.held import Opened
from app.stages.audience.origin import Origin
from app.stages.audience.visitor import Visitor
from app.store import consents, counters, placements, published, subscribers, suppressions, transactional
from app.store.consents import Act
from app.store.transactional import History

CONFIRMATION, REMINDER, WELCOME, ALREADY = "confirmation", "reminder", "welcome", "already"
IN = (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)
"""Readers of the paper, also those who let it rest: there is nothing left for them to confirm."""
CONFIRM_WITHIN = timedelta(days=7)
WELCOME_WITHIN = timedelta(days=1)
ONE_EVERY = timedelta(days=1)
MOST_UNANSWERED = 3
BARRED = frozenset({"not-asked", "operator"})
"""Suppressed for good: no sign-up and no press lifts these reasons."""
LIFTED = frozenset({"erased", "moved"})
"""What the person's own confirmation lifts."""
_RUN_OUT = say("This link has run out.")
_UNTOLD, _UNCHOSEN = Origin(), Early()


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a confirmation link finds: the reader's state, masked address and name in other links."""

    status: SubscriberStatus
    address: str
    ref: str
    language: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Who is in now, and when their paper comes. `already` is true where nothing had to change."""

    ref: str
    address: str
    zone: str
    minute: int | None
    already: bool
    language: str


async def subscribe(
    session: Session,
    *,
    address: str,
    zone: str = "",
    method: Literal["form", "api"],
    origin: Origin = _UNTOLD,
    language: str = "",
    early: Early = _UNCHOSEN,
    wording: str = "",
    suppressor: Suppressor,
    domains: DomainRules,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Writes a sign-up down and owes a confirmation mail, or one that says that the paper comes already.

    Does the same, to the eye, for every address.

    `zone` is an IANA name from the browser, `language` the tag of the form's; one we do not know counts as none.
    Who may be written to decides only what the last statement writes, never which statements run or what is answered.
    A placement's code that we do not know is kept as the source: the sign-up stands, and no number is false.
    Raises InvalidInput with a sentence on `email`, or on each wrong field of `origin` or `early`.
    """
    parsed = addresses.parse(address)
    domains.check(parsed)
    origin, chosen = origin.check(), early.read()
    placement = origin.placement if await placements.exists(session, origin.placement) else None
    spoken = find(language)
    known = zone if zone and len(zone) <= 64 and zone_named(zone) else ""
    reader = await subscribers.sign_up(
        session, address=parsed.mail, key=parsed.key, ref=opaque_reference(), zone=known, now=now
    )
    if chosen:
        await subscribers.choose_early(session, reader.id, chosen)
    source = origin.source or ("" if placement else origin.placement)
    act = Act("asked", method, wording, source, visitor.ip, visitor.user_agent, "", placement, origin.utm)
    await consents.record(session, reader.id, act, now)
    await subscribers.speak(session, reader.id, spoken.tag if spoken else reader.language)
    barred = await suppressions.reason(session, suppressor.hash(parsed.key)) in BARRED
    kind, since = (ALREADY, None) if reader.status in IN else (CONFIRMATION, reader.confirmed_at)
    asked = await transactional.history(session, kind, reader.id, since, now)
    await transactional.owe_if(
        session,
        not barred and _may_ask(asked, now),
        kind=kind,
        subscriber_id=reader.id,
        ref=opaque_reference(),
        now=_after_leaving(reader, now),
        until=now + CONFIRM_WITHIN,
    )
    await counters.add(session, {counters.SIGN_UPS: 1})


def _after_leaving(reader: Subscriber, now: datetime) -> datetime:
    """A mail that is asked for after a leaving was committed is younger than it, whatever the clocks of two requests
    or machines say: else its link would count as one of before.
    """
    return now if reader.left_at is None else max(now, reader.left_at + timedelta(microseconds=1))


def _may_ask(asked: History, now: datetime) -> bool:
    """One mail of a kind a day, three ever; `asked` begins at the reader's last press of the button."""
    if asked.owed or asked.count >= MOST_UNANSWERED:
        return False
    return asked.last is None or now - asked.last >= ONE_EVERY


async def look_up(session: Session, signer: Signer, suppressor: Suppressor, token: str, now: datetime) -> Confirmation:
    """What the page behind a link may show; changes nothing. Raises InvalidToken."""
    opened = await held.find(session, signer.read(Purpose.CONFIRM, token, now))
    reader = (await _check(session, suppressor, opened)).reader
    return Confirmation(reader.status, addresses.mask(reader.address), reader.ref, reader.language)


async def confirm(
    session: Session, signer: Signer, suppressor: Suppressor, token: str, visitor: Visitor, now: datetime
) -> Confirmed:
    """Makes the reader active and writes the consent; pressing twice is pressing once.

    Raises InvalidToken, also where the reader has left, or the address was barred, since the mail was asked for.
    """
    opened = await held.hold(session, signer.read(Purpose.CONFIRM, token, now))
    opened = await _check(session, suppressor, opened)
    mail, reader = opened.letter, opened.reader
    already = reader.status in IN
    if not already:
        if not await subscribers.activate(session, reader, now):
            raise InvalidToken(_RUN_OUT, expired=True)
        await transactional.withdraw(session, reader.id, (CONFIRMATION, REMINDER), "confirmed")
        placement = await placements.of_asking(session, reader.id, mail.created_at)
        act = Act("confirmed", "link", "", "", visitor.ip, visitor.user_agent, mail.ref, placement)
        await consents.record(session, reader.id, act, now)
        await _welcome(session, reader, now)
        await suppressions.lift(session, suppressor.hash(reader.address_key), LIFTED)
        await counters.add(session, {counters.CONFIRMATIONS: 1})
    return Confirmed(
        reader.ref,
        addresses.mask(reader.address),
        reader.zone,
        reader.minute,
        already=already,
        language=reader.language,
    )


async def _welcome(session: Session, reader: Subscriber, now: datetime) -> None:
    """Owes the mail that says when the first paper comes, with the latest one that is out: of its kind, if any is."""
    weekly = EditionKind.WEEKLY if reader.frequency is Frequency.WEEKLY else None
    latest = await published.listed(session, 1, kind=weekly) or await published.listed(session, 1)
    await transactional.owe(
        session,
        kind=WELCOME,
        subscriber_id=reader.id,
        ref=opaque_reference(),
        parameters={"edition": latest[0].slug} if latest else {},
        now=now,
        until=now + WELCOME_WITHIN,
    )


async def _check(session: Session, suppressor: Suppressor, opened: Opened | None) -> Opened:
    if opened is None:
        raise InvalidToken
    mail, reader = opened.letter, opened.reader
    # Whoever left after asking has changed their mind; only a new sign-up brings them back.
    if reader.status is SubscriberStatus.LEFT and reader.left_at is not None and mail.created_at <= reader.left_at:
        raise InvalidToken(_RUN_OUT, expired=True)
    if await suppressions.reason(session, suppressor.hash(reader.address_key)) in BARRED:
        raise InvalidToken(_RUN_OUT, expired=True)
    return opened
