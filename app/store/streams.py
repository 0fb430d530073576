"""Streams of single mails under one lease each: to readers, or to the operators. Their rows are kept alike."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, func, or_, select, update

from app.core.db import Session, UtcDateTime
from app.models import OperatorMail, TransactionalEmail
from app.models.states import DeliveryStatus
from app.store.statements import Query, ask

Mails = type[OperatorMail] | type[TransactionalEmail]

_WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN)
_IN_HAND = (DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN)


_DUE = """
SELECT 1 FROM {table}
WHERE (status IN ('queued', 'unknown') AND due_at <= :now{in_time}) OR (status = 'sending' AND due_at <= :now) LIMIT 1
"""


def due_query(mails: Mails, now: datetime, *, expire: bool = True) -> Query[bool]:
    """Is there a mail to hand over now, or one that somebody began? (The lease tells whether they still are.)

    One that is too late is to be given up, but where nothing may be expired.
    """
    in_time = "" if expire else " AND expires_at > :now"
    return Query(_DUE.format(table=mails.__tablename__, in_time=in_time), {"now": now}, bool)


async def any_due(session: Session, mails: Mails, now: datetime, *, expire: bool = True) -> bool:
    """`due_query` by itself."""
    return await ask(session, due_query(mails, now, expire=expire))


async def recover(
    session: Session,
    mails: Mails,
    epoch: int,
    resend_at: datetime,
    now: datetime,
    *,
    expire: bool = True,
    written: Collection[tuple[int, int]] | None = None,
) -> None:
    """Puts in order what an earlier owner of the stream left.

    `written`, where the owner before is dead and left notes: mails and attempts that may have gone out. What else it
    left in mid-air is owed at once.

    What was in mid-air is unknown, to be sent again from `resend_at`; what is unknown and due is owed again; what is
    too late is given up, if `expire`.
    """
    if written is not None:
        await _owe_unwritten(session, mails, epoch - 1, written, now)
    lost = (
        update(mails)
        .where(mails.status == DeliveryStatus.SENDING, mails.epoch < epoch)
        .values(status=DeliveryStatus.UNKNOWN, due_at=resend_at, code="lost", why="the worker stopped in mid-send")
    )
    late = (
        update(mails)
        .where(mails.status.in_(_WAITING), mails.expires_at <= now)
        .values(status=DeliveryStatus.EXPIRED, code="expired")
    )
    ripe = (
        update(mails)
        .where(mails.status == DeliveryStatus.UNKNOWN, mails.due_at <= now)
        .values(status=DeliveryStatus.QUEUED)
    )
    for statement in (lost, late, ripe) if expire else (lost, ripe):
        await session.execute(statement.execution_options(synchronize_session=False))


async def _owe_unwritten(
    session: Session, mails: Mails, epoch: int, written: Collection[tuple[int, int]], now: datetime
) -> None:
    in_the_air = select(mails.id, mails.attempt).where(mails.status == DeliveryStatus.SENDING, mails.epoch == epoch)
    found = [(number, attempt) for number, attempt in await session.execute(in_the_air)]
    owed = [number for number, attempt in found if (number, attempt) not in written]
    if owed:
        await session.execute(
            update(mails)
            .where(mails.id.in_(owed))
            .values(status=DeliveryStatus.QUEUED, due_at=now, code="unwritten")
            .execution_options(synchronize_session=False)
        )


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


class Outcome(NamedTuple):
    """What an attempt of a mail came to; `due_at` where it is to be looked at again."""

    mail_id: int
    attempt: int
    status: DeliveryStatus
    due_at: datetime | None
    provider_id: str | None
    code: str
    why: str


async def settle(session: Session, mails: Mails, outcomes: Sequence[Outcome]) -> None:
    """Records each outcome for its own attempt; an acceptance also wins over a resend that waits."""
    accepted = [one for one in outcomes if one.status is DeliveryStatus.ACCEPTED]
    others = [one for one in outcomes if one.status is not DeliveryStatus.ACCEPTED]
    for chosen, where in (
        (accepted, _one_of(mails, *_IN_HAND, DeliveryStatus.QUEUED)),
        (others, _one_of(mails, *_IN_HAND) & (mails.attempt == bindparam("of_attempt"))),
    ):
        if chosen:
            await _write(session, mails, chosen, where)


def _one_of(mails: Mails, *statuses: DeliveryStatus) -> ColumnElement[bool]:
    """IN is not to be had where one statement is executed for many."""
    return or_(*(mails.status == one for one in statuses))


async def _write(session: Session, mails: Mails, outcomes: Sequence[Outcome], where: ColumnElement[bool]) -> None:
    connection = await session.connection()
    await connection.execute(
        update(mails)
        .where(mails.id == bindparam("of_mail"), where)
        .values(
            status=bindparam("to_status"),
            due_at=func.coalesce(bindparam("to_due_at", type_=UtcDateTime()), mails.due_at),
            provider_id=bindparam("to_provider_id"),
            code=bindparam("to_code"),
            why=bindparam("to_why"),
        ),
        [
            {
                "of_mail": one.mail_id,
                "of_attempt": one.attempt,
                "to_status": one.status,
                "to_due_at": one.due_at,
                "to_provider_id": one.provider_id,
                "to_code": one.code[:24],
                "to_why": one.why[:400],
            }
            for one in outcomes
        ],
    )
