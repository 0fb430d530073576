"""The record of consents: who did what, how, and after reading which words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert

from app.core.db import Session
from app.models import Consent


@dataclass(frozen=True, slots=True)
class Act:
    """One row of the consent record."""

    act: str
    method: str
    wording: str = ""
    source: str = ""
    ip: str = ""
    user_agent: str = ""
    message_id: str = ""
    placement: str | None = None
    utm: Mapping[str, str] = field(default_factory=dict)


async def record(session: Session, subscriber_id: int, act: Act, now: datetime) -> None:
    """Adds to the consent record; it is never changed."""
    await session.execute(
        insert(Consent).values(
            subscriber_id=subscriber_id,
            act=act.act,
            at=now,
            method=act.method,
            wording=act.wording,
            source=act.source,
            ip=act.ip,
            user_agent=act.user_agent,
            message_id=act.message_id,
            placement=act.placement,
            utm=dict(act.utm),
        )
    )
