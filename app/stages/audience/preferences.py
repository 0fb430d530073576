"""What a reader chooses behind a signed link: what comes, how often, when, in which form; rest until a date."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.core.db import Session
from app.core.errors import Conflict, InvalidToken
from app.core.language import say
from app.core.signing import Purpose, Signer
from app.models import Subscriber
from app.models.content import section_bits, sections_of
from app.models.states import SubscriberStatus
from app.stages.audience import address as addresses
from app.stages.audience.visitor import Visitor
from app.stages.audience.wishes import Choices, Wishes, check_rest
from app.store import consents, subscribers
from app.store.consents import Act

_READING = (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)
_GONE = say("Your paper has stopped since this page was opened. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class Standing:
    """What a preferences link finds. `ref` names the reader in other links; `since` is when they confirmed."""

    subscriber_id: int
    ref: str
    address: str
    status: SubscriberStatus
    choices: Choices
    paused_until: date | None
    since: datetime | None


async def look_up(session: Session, signer: Signer, token: str, now: datetime) -> Standing:
    """What the page behind the link may show; changes nothing. Raises InvalidToken."""
    return _standing(await subscribers.find_ref(session, signer.read(Purpose.PREFERENCES, token, now)))


async def hold(session: Session, signer: Signer, token: str, now: datetime) -> Standing:
    """As `look_up`, of a reader whom nobody else changes before this transaction ends. Raises InvalidToken."""
    return _standing(await subscribers.hold_ref(session, signer.read(Purpose.PREFERENCES, token, now)))


async def _hold(session: Session, signer: Signer, token: str, now: datetime) -> Standing:
    """As `hold`; Conflict unless they read or rest."""
    found = await hold(session, signer, token, now)
    _refuse_unless(found.status in _READING)
    return found


def _standing(reader: Subscriber | None) -> Standing:
    if reader is None:
        raise InvalidToken
    return Standing(
        reader.id,
        reader.ref,
        addresses.mask(reader.address),
        reader.status,
        choices_of(reader),
        reader.paused_until,
        reader.confirmed_at,
    )


def choices_of(reader: Subscriber) -> Choices:
    return Choices(
        sections_of(reader.sections),
        reader.frequency,
        reader.minute,
        reader.zone,
        reader.form,
        reader.first_name,
        reader.language,
    )


async def change(
    session: Session, signer: Signer, token: str, wishes: Wishes, visitor: Visitor, now: datetime
) -> Standing:
    """Keeps what the reader wishes from now on. Wishing for what is so already writes nothing.

    Raises InvalidToken, InvalidInput with a sentence for each field, Conflict for one who does not read the paper.
    """
    found = await _hold(session, signer, token, now)
    chosen = wishes.read()
    if chosen == found.choices:
        return found
    _refuse_unless(
        await subscribers.choose(
            session,
            found.subscriber_id,
            sections=section_bits(chosen.sections),
            frequency=chosen.frequency,
            minute=chosen.minute,
            zone=chosen.zone,
            form=chosen.form,
            first_name=chosen.first_name,
            language=chosen.language,
        )
    )
    await _record(session, found, "changed", visitor, now)
    return replace(found, choices=chosen)


async def pause(
    session: Session, signer: Signer, token: str, until: date, paper_zone: ZoneInfo, visitor: Visitor, now: datetime
) -> Standing:
    """Holds the paper until `until`, the first day it comes again; a second pause moves the date.

    Raises InvalidToken, InvalidInput for a day that is not from tomorrow to a year ahead in the reader's zone
    (`paper_zone` where they have none), Conflict for one who does not read the paper.
    """
    found = await _hold(session, signer, token, now)
    check_rest(until, now, found.choices.zone, paper_zone)
    if found.paused_until == until:
        return found
    if found.status is SubscriberStatus.PAUSED:
        _refuse_unless(await subscribers.prolong(session, found.subscriber_id, until))
    else:
        _refuse_unless(await subscribers.pause(session, found.subscriber_id, until))
    await _record(session, found, "paused", visitor, now)
    return replace(found, status=SubscriberStatus.PAUSED, paused_until=until)


async def resume(session: Session, signer: Signer, token: str, visitor: Visitor, now: datetime) -> Standing:
    """Ends a rest at once; for one who is not resting it changes nothing. Raises InvalidToken, Conflict."""
    found = await _hold(session, signer, token, now)
    if found.status is SubscriberStatus.PAUSED and await subscribers.resume(session, found.subscriber_id):
        await _record(session, found, "resumed", visitor, now)
    return replace(found, status=SubscriberStatus.ACTIVE, paused_until=None)


def _refuse_unless(condition: bool) -> None:
    if not condition:
        raise Conflict(_GONE)


async def _record(session: Session, found: Standing, act: str, visitor: Visitor, now: datetime) -> None:
    made = Act(act, "link", "", "", visitor.ip, visitor.user_agent)
    await consents.record(session, found.subscriber_id, made, now)
