"""Letters to operators that are owed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import delete, exists, select, update

from app.core.db import Session
from app.models import OperatorMail
from app.models.states import DeliveryStatus
from app.store.upsert import insert_ignoring

_OPEN = (DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN, DeliveryStatus.SENDING)
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


async def any_due(session: Session, now: datetime) -> bool:
    """Is there a letter to hand over now, or one that somebody began?"""
    return bool(
        await session.scalar(select(exists().where(OperatorMail.status.in_(_OPEN), OperatorMail.due_at <= now)))
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
        .order_by(OperatorMail.due_at, OperatorMail.id)
        .limit(most)
    )
    one = OperatorMail
    moved = await session.execute(
        update(one)
        .where(one.id.in_(due.scalar_subquery()), one.status == DeliveryStatus.QUEUED)
        .values(status=DeliveryStatus.SENDING, attempt=one.attempt + 1, epoch=epoch, provider=provider)
        .returning(one.id, one.attempt, one.kind, one.ref, one.address, one.parameters, one.expires_at)
        .execution_options(synchronize_session=False)
    )
    return sorted((Begun(*row) for row in moved), key=lambda row: row.id)


async def recover(session: Session, epoch: int, resend_at: datetime, now: datetime) -> None:
    """Puts in order what an earlier owner of the stream left: what was in mid-air is unknown and sent again at

    `resend_at`, what is unknown and due is owed again, what is too late is given up.
    """
    for statement in (
        update(OperatorMail)
        .where(OperatorMail.status == DeliveryStatus.SENDING, OperatorMail.epoch < epoch)
        .values(status=DeliveryStatus.UNKNOWN, due_at=resend_at, code="lost", why="the worker stopped in mid-send"),
        update(OperatorMail)
        .where(OperatorMail.status.in_((DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN)), OperatorMail.expires_at <= now)
        .values(status=DeliveryStatus.EXPIRED, code="expired"),
        update(OperatorMail)
        .where(OperatorMail.status == DeliveryStatus.UNKNOWN, OperatorMail.due_at <= now)
        .values(status=DeliveryStatus.QUEUED),
    ):
        await session.execute(statement.execution_options(synchronize_session=False))


async def requeue_unwritten(session: Session, epoch: int, due_at: datetime) -> None:
    """Letters that the stream's owner began but never gave to a provider are owed again."""
    await session.execute(
        update(OperatorMail)
        .where(OperatorMail.status == DeliveryStatus.SENDING, OperatorMail.epoch == epoch)
        .values(status=DeliveryStatus.QUEUED, due_at=due_at, code="unwritten")
        .execution_options(synchronize_session=False)
    )


async def postpone(session: Session, now: datetime, until: datetime) -> None:
    """Nothing that is due now is tried before `until`."""
    await session.execute(
        update(OperatorMail)
        .where(OperatorMail.status == DeliveryStatus.QUEUED, OperatorMail.due_at <= now)
        .values(due_at=until)
        .execution_options(synchronize_session=False)
    )


async def prune(session: Session, ended_before: timedelta, now: datetime) -> None:
    """Removes letters that ended long ago."""
    await session.execute(
        delete(OperatorMail).where(OperatorMail.status.in_(_ENDED), OperatorMail.created_at < now - ended_before)
    )
