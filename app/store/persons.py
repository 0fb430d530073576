"""All that is kept about one person, table by table, for their own eyes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from app.core.db import Session
from app.models import Consent, Delivery, DeliveryNote, Edition, TransactionalEmail
from app.models.ledger import REDACTED
from app.store.editions import slug_of

MOST = 20_000
"""Rows of a kind that are given, the newest: fifty years of daily papers."""


async def consents(session: Session, subscriber_id: int) -> Sequence[Consent]:
    """The consent record, the oldest first."""
    statement = select(Consent).where(Consent.subscriber_id == subscriber_id).order_by(Consent.id).limit(MOST)
    return (await session.scalars(statement)).all()


@dataclass(frozen=True, slots=True)
class Sent:
    """One edition to one reader. `due_at` is when it was owed, last."""

    slug: str
    day: date
    status: str
    attempt: int
    provider: str | None
    provider_id: str | None
    code: str | None
    due_at: datetime


async def deliveries(session: Session, subscriber_id: int) -> list[Sent]:
    """The papers that were owed, the oldest first."""
    rows = await session.execute(
        select(
            Edition.kind,
            Edition.date,
            Delivery.status,
            Delivery.attempt,
            Delivery.provider,
            func.nullif(Delivery.provider_id, REDACTED),
            Delivery.code,
            Delivery.due_at,
        )
        .join(Edition, Edition.id == Delivery.edition_id)
        .where(Delivery.subscriber_id == subscriber_id)
        .order_by(Edition.date.desc(), Edition.id.desc())
        .limit(MOST)
    )
    return [Sent(slug_of(row[0], row[1]), *row[1:]) for row in rows][::-1]


async def notes(session: Session, subscriber_id: int) -> list[tuple[str, DeliveryNote]]:
    """What went otherwise than at the first try, each with its edition's name, the oldest first."""
    rows = await session.execute(
        select(Edition.kind, Edition.date, DeliveryNote)
        .join(Edition, Edition.id == DeliveryNote.edition_id)
        .where(DeliveryNote.subscriber_id == subscriber_id)
        .order_by(DeliveryNote.id.desc())
        .limit(MOST)
    )
    return [(slug_of(kind, day), note) for kind, day, note in rows][::-1]


async def letters(session: Session, subscriber_id: int) -> Sequence[TransactionalEmail]:
    """The service mail that is still remembered, the oldest first."""
    mine = TransactionalEmail.subscriber_id == subscriber_id
    statement = select(TransactionalEmail).where(mine).order_by(TransactionalEmail.id).limit(MOST)
    return (await session.scalars(statement)).all()
