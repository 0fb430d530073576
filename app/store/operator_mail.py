"""Letters to operators that are owed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import delete, select, update

from app.core.db import Session
from app.models import OperatorMail
from app.models.states import DeliveryStatus
from app.store.statements import among
from app.store.upsert import insert_ignoring

_ENDED = (DeliveryStatus.ACCEPTED, DeliveryStatus.REJECTED, DeliveryStatus.EXPIRED, DeliveryStatus.SKIPPED)


async def owe(
    session: Session,
    *,
    kind: str,
    topic: str,
    addresses: Sequence[str],
    parameters: dict[str, Any],
    now: datetime,
    until: datetime,
) -> None:
    """Writes down that each address is owed a letter about `topic`, once."""
    for address in addresses:
        await session.execute(
            insert_ignoring(session, OperatorMail).values(
                kind=kind,
                topic=topic,
                address=address,
                parameters=parameters,
                ref=token_hex(12),
                status=DeliveryStatus.QUEUED,
                attempt=0,
                epoch=0,
                why="",
                created_at=now,
                due_at=now,
                expires_at=until,
            )
        )


@dataclass(frozen=True, slots=True)
class Begun:
    """One letter that was just moved to `sending`."""

    id: int
    attempt: int
    kind: str
    ref: str
    address: str
    parameters: dict[str, Any]
    expires_at: datetime


async def begin(session: Session, *, provider: str, epoch: int, most: int, now: datetime) -> list[Begun]:
    """Moves up to `most` due letters to `sending`, the oldest first. The caller holds the stream's lease."""
    due = (
        select(OperatorMail.id)
        .where(OperatorMail.status == DeliveryStatus.QUEUED, OperatorMail.due_at <= now, OperatorMail.expires_at > now)
        .order_by(OperatorMail.due_at)  # by the index
        .limit(most)
    )
    one = OperatorMail
    moved = await session.execute(
        update(one)
        .where(among(session, one.id, due), one.status == DeliveryStatus.QUEUED)
        .values(status=DeliveryStatus.SENDING, attempt=one.attempt + 1, epoch=epoch, provider=provider)
        .returning(one.id, one.attempt, one.kind, one.ref, one.address, one.parameters, one.expires_at)
        .execution_options(synchronize_session=False)
    )
    return sorted((Begun(*row) for row in moved), key=lambda row: row.id)


async def prune(session: Session, ended_before: timedelta, now: datetime) -> None:
    """Removes letters that ended long ago."""
    await session.execute(
        delete(OperatorMail).where(OperatorMail.status.in_(_ENDED), OperatorMail.created_at < now - ended_before)
    )
