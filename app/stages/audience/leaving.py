"""Leaving: one signed link that never expires, one press, no questions (RFC 8058)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from app.core.db import Session
from app.core.errors import Conflict
from app.core.language import say
from app.core.signing import Purpose, Signer, Suppressor
from app.models import Subscriber
from app.models.states import Frequency, SubscriberStatus
from app.stages.audience import address as addresses
from app.stages.audience.consent import ALREADY, CONFIRMATION, REMINDER, WELCOME
from app.stages.audience.visitor import Visitor
from app.stages.audience.wishes import check_rest
from app.store import consents, subscribers, suppressions, transactional
from app.store.consents import Act


@dataclass(frozen=True, slots=True)
class Leaving:
    """What an unsubscribe link finds; `status` is None where the reader is no longer known at all.

    `ref` names the reader in other links; it is empty where the link may do no more than leave.
    """

    status: SubscriberStatus | None
    address: str
    ref: str = ""
    zone: str = ""
    can_undo: bool = False
    language: str = ""


async def look_up(session: Session, signer: Signer, suppressor: Suppressor, token: str, now: datetime) -> Leaving:
    """What the page behind the link may show; changes nothing. Raises InvalidToken for a bad signature."""
    reader = await subscribers.find_ref(session, signer.read(Purpose.UNSUBSCRIBE, token, now))
    return await _found(session, signer, suppressor, token, reader)


async def _found(
    session: Session, signer: Signer, suppressor: Suppressor, token: str, reader: Subscriber | None
) -> Leaving:
    if reader is None:
        return Leaving(None, "")
    masked = addresses.mask(reader.address)
    if not signer.is_current(Purpose.UNSUBSCRIBE, token):
        return Leaving(reader.status, masked, language=reader.language)
    can_undo = await _may_return(session, suppressor, reader)
    return Leaving(reader.status, masked, reader.ref, reader.zone, can_undo, reader.language)


async def _may_return(session: Session, suppressor: Suppressor, reader: Subscriber) -> bool:
    """Only somebody who once confirmed, and whose address nobody has barred."""
    if reader.confirmed_at is None:
        return False
    return await suppressions.reason(session, suppressor.hash(reader.address_key)) is None


async def leave(
    session: Session,
    signer: Signer,
    token: str,
    method: Literal["link", "one-click"],
    visitor: Visitor,
    now: datetime,
) -> None:
    """Lets the reader go at once. Leaving twice, or as somebody already erased, is leaving once.

    Raises InvalidToken only where we did not sign the link.
    """
    reader = await subscribers.hold_ref(session, signer.read(Purpose.UNSUBSCRIBE, token, now))
    if reader is None or reader.status is SubscriberStatus.LEFT:
        return
    # Not before any mail whose link could bring them in: their clocks may be ahead.
    asked = await transactional.last_asked(session, reader.id, (CONFIRMATION, REMINDER))
    if await subscribers.leave(session, reader.id, reader.status, max(now, asked or now)):
        act = Act("left", method, "", "", visitor.ip, visitor.user_agent)
        await consents.record(session, reader.id, act, now)
        await transactional.withdraw(session, reader.id, (CONFIRMATION, REMINDER, WELCOME, ALREADY), "left")


@dataclass(frozen=True, slots=True)
class Return:
    """How somebody who left comes back: as before, weekly, or after a rest until `rest_until`."""

    weekly: bool = False
    rest_until: date | None = None


async def undo(
    session: Session,
    signer: Signer,
    suppressor: Suppressor,
    token: str,
    how: Return,
    paper_zone: ZoneInfo,
    visitor: Visitor,
    now: datetime,
) -> Leaving:
    """Brings back somebody who left, with what they chose before and what `how` adds. Twice is once.

    Gives what the link found before.
    Raises InvalidToken for a bad signature, Conflict where the reader never confirmed, is barred or unknown, and
    InvalidInput for a rest that does not end from tomorrow to a year ahead.
    """
    reader = await subscribers.hold_ref(session, signer.read(Purpose.UNSUBSCRIBE, token, now))
    found = await _found(session, signer, suppressor, token, reader)
    if reader is None or not found.can_undo:
        raise Conflict(say("This link can no longer bring the paper back. You can subscribe again on the front page."))
    if how.rest_until:
        check_rest(how.rest_until, now, reader.zone, paper_zone)
    acts = ["undone"] if await subscribers.undo_leaving(session, reader.id) else []
    if how.weekly and reader.frequency is not Frequency.WEEKLY:
        acts += ["changed"] if await subscribers.choose_frequency(session, reader.id, Frequency.WEEKLY) else []
    if how.rest_until and how.rest_until != reader.paused_until:
        acts += ["paused"] if await _rest(session, reader, how.rest_until) else []
    for act in acts:
        made = Act(act, "link", "", "", visitor.ip, visitor.user_agent)
        await consents.record(session, reader.id, made, now)
    return found


async def _rest(session: Session, reader: Subscriber, until: date) -> bool:
    """Whoever was back already, and rests, rests until then."""
    if reader.status is SubscriberStatus.PAUSED:
        return await subscribers.prolong(session, reader.id, until)
    return await subscribers.pause(session, reader.id, until)
