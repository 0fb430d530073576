"""The ledger of an edition's deliveries: what waits, what is given up, what is owed again. `handovers` begins them.

Every statement is set-based: one per shard, not one per reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, case, exists, func, insert, literal, select, update

from app.core.db import Session
from app.models import Delivery, DeliveryNote, Edition, Subscriber
from app.models.states import DeliveryStatus, SubscriberStatus
from app.store import progress
from app.store.progress import Changes, Place, place

_WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN)


def _in_shard(edition_id: int, shard: int) -> Any:
    return and_(Delivery.edition_id == edition_id, Delivery.shard == shard)


async def skip_empty(session: Session, edition_id: int, shard: int, present: int) -> None:
    """Marks as skipped whoever chose none of the sections that have anything today."""
    moved = await session.execute(
        update(Delivery)
        .where(
            _in_shard(edition_id, shard),
            Delivery.status == DeliveryStatus.QUEUED,
            exists().where(Subscriber.id == Delivery.subscriber_id, Subscriber.sections.bitwise_and(present) == 0),
        )
        .values(status=DeliveryStatus.SKIPPED, code="empty")
        .returning(Delivery.domain_group, Delivery.attempt)
        .execution_options(synchronize_session=False)
    )
    await _no_longer_waiting(session, edition_id, shard, moved.all(), DeliveryStatus.SKIPPED)


async def skip_gone(session: Session, edition_id: int, shard: int, now: datetime) -> int:
    """Marks as skipped whoever left, or went to rest, between release and hand-over."""
    moved = await session.execute(
        update(Delivery)
        .where(
            _in_shard(edition_id, shard),
            Delivery.status == DeliveryStatus.QUEUED,
            Delivery.due_at <= now,
            ~exists().where(Subscriber.id == Delivery.subscriber_id, Subscriber.status == SubscriberStatus.ACTIVE),
        )
        .values(status=DeliveryStatus.SKIPPED, code="left")
        .returning(Delivery.domain_group, Delivery.attempt)
        .execution_options(synchronize_session=False)
    )
    return await _no_longer_waiting(session, edition_id, shard, moved.all(), DeliveryStatus.SKIPPED)


async def requeue_unwritten(session: Session, edition_id: int, shard: int, now: datetime) -> None:
    """Rows that their owner began but never gave to a provider: nothing of them was written, they are owed.

    Only for the owner of the lease, when every message it did give has been recorded.
    """
    moved = await session.execute(
        update(Delivery)
        .where(_in_shard(edition_id, shard), Delivery.status == DeliveryStatus.SENDING)
        .values(status=DeliveryStatus.QUEUED, due_at=now, code="unwritten")
        .returning(Delivery.domain_group, Delivery.provider)
        .execution_options(synchronize_session=False)
    )
    changes = Changes()
    for group, provider in moved:
        changes.move(group, place(DeliveryStatus.SENDING, attempt=1, provider=provider), _waiting(1))
    await progress.add(session, edition_id, shard, changes)


async def abandon(session: Session, edition_id: int, shard: int, due_at: datetime, now: datetime) -> int:
    """Marks what the shard's last owner left in mid-air as unknown; to be looked at again at `due_at`."""
    moved = await session.execute(
        update(Delivery)
        .where(_in_shard(edition_id, shard), Delivery.status == DeliveryStatus.SENDING)
        .values(status=DeliveryStatus.UNKNOWN, due_at=due_at, code="lost", pinned=True)
        .returning(Delivery.subscriber_id, Delivery.attempt, Delivery.domain_group, Delivery.provider)
        .execution_options(synchronize_session=False)
    )
    rows, changes = moved.all(), Changes()
    for _, attempt, group, provider in rows:
        was = place(DeliveryStatus.SENDING, attempt=attempt, provider=provider)
        changes.move(group, was, place(DeliveryStatus.UNKNOWN, attempt=attempt, provider=provider))
    await progress.add(session, edition_id, shard, changes)
    notes = [
        {
            "edition_id": edition_id,
            "subscriber_id": subscriber_id,
            "attempt": attempt,
            "at": now,
            "outcome": DeliveryStatus.UNKNOWN.value,
            "code": "lost",
            "why": "the worker stopped between hand-over and answer",
        }
        for subscriber_id, attempt, _, _ in rows
    ]
    if notes:
        await session.execute(insert(DeliveryNote), notes)
    return len(notes)


async def ripen(
    session: Session, edition_id: int, shard: int, now: datetime, *, resend: bool, expire: bool = True
) -> None:
    """What is too late is given up, if `expire`; where unknowns are resent, those that are due are owed again.

    Where they are held instead, an unknown stays what it is, for an operator to see.
    """
    if expire:
        await _expire(session, edition_id, shard, now, resend=resend)
    if resend:
        await _no_longer_unknown(session, edition_id, shard, DeliveryStatus.QUEUED, Delivery.due_at <= now)


async def _expire(session: Session, edition_id: int, shard: int, now: datetime, *, resend: bool) -> None:
    late = await session.execute(
        update(Delivery)
        .where(_in_shard(edition_id, shard), Delivery.status == DeliveryStatus.QUEUED, Delivery.expires_at <= now)
        .values(status=DeliveryStatus.EXPIRED, code="expired")
        .returning(Delivery.domain_group, Delivery.attempt)
        .execution_options(synchronize_session=False)
    )
    await _no_longer_waiting(session, edition_id, shard, late.all(), DeliveryStatus.EXPIRED)
    if resend:
        await _no_longer_unknown(
            session, edition_id, shard, DeliveryStatus.EXPIRED, Delivery.expires_at <= now, code="expired"
        )


async def _no_longer_unknown(
    session: Session, edition_id: int, shard: int, to: DeliveryStatus, when: Any, **values: Any
) -> None:
    moved = await session.execute(
        update(Delivery)
        .where(_in_shard(edition_id, shard), Delivery.status == DeliveryStatus.UNKNOWN, when)
        .values(status=to, **values)
        .returning(Delivery.domain_group, Delivery.attempt, Delivery.provider)
        .execution_options(synchronize_session=False)
    )
    changes = Changes()
    for group, attempt, provider in moved:
        was = place(DeliveryStatus.UNKNOWN, attempt=attempt, provider=provider)
        changes.move(group, was, place(to, attempt=attempt, provider=None))
    await progress.add(session, edition_id, shard, changes)


def _waiting(attempt: int) -> Place:
    return place(DeliveryStatus.QUEUED, attempt=attempt, provider=None)


async def _no_longer_waiting(
    session: Session, edition_id: int, shard: int, rows: Sequence[Any], to: DeliveryStatus
) -> int:
    """Counts rows of (domain group, attempt) that were queued; gives how many there were."""
    changes = Changes()
    for group, attempt in rows:
        changes.move(group, _waiting(attempt), place(to, attempt=attempt, provider=None))
    await progress.add(session, edition_id, shard, changes)
    return len(rows)


async def any_sending(session: Session, edition_id: int, shard: int) -> bool:
    """Is anything of a shard in the air?"""
    found = exists().where(_in_shard(edition_id, shard), Delivery.status == DeliveryStatus.SENDING)
    return bool(await session.scalar(select(found)))


class Waiting(NamedTuple):
    """Deliveries of a shard that wait for the same."""

    pinned_to: str | None
    """The provider that alone may carry them."""
    group: str
    """Of their readers' domains."""
    due_at: datetime
    """Of the first of them."""


def waiting_states(*, resend: bool) -> tuple[DeliveryStatus, ...]:
    """What is owed to a reader still: what was never answered only where that is sent again."""
    return _WAITING if resend else (DeliveryStatus.QUEUED,)


LATE_AGAIN = timedelta(minutes=1)


async def waiting(
    session: Session, edition_id: int, shard: int, *, resend: bool, late_from: datetime | None = None
) -> list[Waiting]:
    """What the shard is owed next, and when; nothing where nothing waits in it.

    `late_from` is now, where nothing may be expired: what is too late to be begun is looked at a minute on.
    """
    pinned_to = case((Delivery.pinned, Delivery.provider))
    due_at: Any = Delivery.due_at
    if late_from is not None:
        again = literal(late_from + LATE_AGAIN, Delivery.due_at.type)
        due_at = case((Delivery.expires_at <= late_from, again), else_=Delivery.due_at)
    rows = await session.execute(
        select(pinned_to, Delivery.domain_group, func.min(due_at))
        .where(_in_shard(edition_id, shard), Delivery.status.in_(waiting_states(resend=resend)))
        .group_by(pinned_to, Delivery.domain_group)
    )
    return [Waiting(*row) for row in rows]


async def is_released(session: Session, day: date, subscriber_id: int) -> bool:
    """Has this reader been given a place in the edition of `day`, whatever became of it?"""
    found = exists().where(
        Delivery.subscriber_id == subscriber_id, Delivery.edition_id == Edition.id, Edition.date == day
    )
    return bool(await session.scalar(select(found)))


@dataclass(frozen=True, slots=True)
class Owed:
    """What stands between an edition and its end."""

    open: int
    """Rows that are queued or being handed over, or unknown and to be resent."""
    failed: int
    """Rows that expired, are unknown for good, or were rejected through no fault of the address."""


async def owed(session: Session, edition_id: int, *, resend: bool) -> Owed:
    """What the counts say about the end of an edition."""
    counts = await progress.total(session, edition_id)
    failed = counts.expired + counts.rejected_message + counts.rejected_ours
    if resend:
        return Owed(counts.open + counts.unknown, failed)
    return Owed(counts.open, failed + counts.unknown)
