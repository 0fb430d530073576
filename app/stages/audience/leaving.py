"""Leaving: one signed link that never expires, one press, no questions (RFC 8058)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.core.db import Session
from app.core.signing import Purpose, Signer
from app.models.states import SubscriberStatus
from app.stages.audience import address as addresses
from app.stages.audience.visitor import Visitor
from app.store import subscribers, transactional
from app.store.subscribers import Act


@dataclass(frozen=True, slots=True)
class Leaving:
    """What an unsubscribe link finds; `status` is None where the reader is no longer known at all."""

    status: SubscriberStatus | None
    address: str


async def look_up(session: Session, signer: Signer, token: str, now: datetime) -> Leaving:
    """What the page behind the link may show; changes nothing. Raises InvalidToken for a bad signature."""
    reader = await subscribers.find_ref(session, signer.read(Purpose.UNSUBSCRIBE, token, now))
    if reader is None:
        return Leaving(None, "")
    return Leaving(reader.status, addresses.mask(reader.address))


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
    reader = await subscribers.find_ref(session, signer.read(Purpose.UNSUBSCRIBE, token, now))
    if reader is None or reader.status is SubscriberStatus.LEFT:
        return
    if await subscribers.leave(session, reader.id, reader.status, now):
        act = Act("left", method, "", "", visitor.ip, visitor.user_agent)
        await subscribers.record_consent(session, reader.id, act, now)
        await transactional.withdraw(session, reader.id)
