"""Streams of single mails under one lease each: to readers, or to the operators. Their rows are kept alike."""

from datetime import datetime

from sqlalchemy import exists, func, select, update

from app.core.db import Session
from app.models import OperatorMail, TransactionalEmail
from app.models.states import DeliveryStatus

Mails = type[OperatorMail] | type[TransactionalEmail]

_WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN)


async def any_due(session: Session, mails: Mails, now: datetime) -> bool:
    """Is there a mail to hand over now, or one that somebody began? (The lease tells whether they still are.)"""
    found = exists().where(mails.status.in_((*_WAITING, DeliveryStatus.SENDING)), mails.due_at <= now)
    return bool(await session.scalar(select(found)))


async def recover(session: Session, mails: Mails, epoch: int, resend_at: datetime, now: datetime) -> None:
    """Puts in order what an earlier owner of the stream left.

    What was in mid-air is unknown, to be sent again from `resend_at`; what is unknown and due is owed again; what is
    too late is given up.
    """
    for statement in (
        update(mails)
        .where(mails.status == DeliveryStatus.SENDING, mails.epoch < epoch)
        .values(status=DeliveryStatus.UNKNOWN, due_at=resend_at, code="lost", why="the worker stopped in mid-send"),
        update(mails)
        .where(mails.status.in_(_WAITING), mails.expires_at <= now)
        .values(status=DeliveryStatus.EXPIRED, code="expired"),
        update(mails)
        .where(mails.status == DeliveryStatus.UNKNOWN, mails.due_at <= now)
        .values(status=DeliveryStatus.QUEUED),
    ):
        await session.execute(statement.execution_options(synchronize_session=False))


async def requeue_unwritten(session: Session, mails: Mails, epoch: int, due_at: datetime) -> None:
    """Mails that the stream's owner began but never gave to a provider are owed again."""
    await session.execute(
        update(mails)
        .where(mails.status == DeliveryStatus.SENDING, mails.epoch == epoch)
        .values(status=DeliveryStatus.QUEUED, due_at=due_at, code="unwritten")
        .execution_options(synchronize_session=False)
    )


async def postpone(session: Session, mails: Mails, now: datetime, until: datetime) -> None:
    """Nothing that is due now is tried before `until`: no provider is free."""
    await session.execute(
        update(mails)
        .where(mails.status == DeliveryStatus.QUEUED, mails.due_at <= now)
        .values(due_at=until)
        .execution_options(synchronize_session=False)
    )


async def settle(
    session: Session,
    mails: Mails,
    mail_id: int,
    attempt: int,
    *,
    status: DeliveryStatus,
    due_at: datetime | None,
    provider_id: str | None,
    code: str,
    why: str,
) -> None:
    """Records an outcome for its own attempt; an acceptance also wins over a resend that waits."""
    may = [DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN]
    if status is DeliveryStatus.ACCEPTED:
        may.append(DeliveryStatus.QUEUED)
    await session.execute(
        update(mails)
        .where(
            mails.id == mail_id,
            mails.status.in_(may),
            (mails.attempt == attempt) | (status == DeliveryStatus.ACCEPTED),
        )
        .values(
            status=status,
            due_at=func.coalesce(due_at, mails.due_at),
            provider_id=provider_id,
            code=code[:24],
            why=why[:400],
        )
        .execution_options(synchronize_session=False)
    )
