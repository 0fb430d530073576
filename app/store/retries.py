"""Owing an edition again to exactly those who went without it: expired, rejected but not for their address, unknown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, not_, select, update
from sqlalchemy.orm import aliased

from app.core.db import Session
from app.models import Delivery, Edition, Shard, Subscriber
from app.models.states import DeliveryStatus, SubscriberStatus
from app.store import progress
from app.store.progress import Changes, place
from app.store.releases import live_rows_of

KINDS: dict[str, Any] = {
    "expired": Delivery.status == DeliveryStatus.EXPIRED,
    "rejected_message": and_(Delivery.status == DeliveryStatus.REJECTED, Delivery.fault == "message"),
    "rejected_ours": and_(Delivery.status == DeliveryStatus.REJECTED, func.coalesce(Delivery.fault, "ours") == "ours"),
    "unknown": Delivery.status == DeliveryStatus.UNKNOWN,
}
_WERE = {
    "expired": (DeliveryStatus.EXPIRED, None),
    "rejected_message": (DeliveryStatus.REJECTED, "message"),
    "rejected_ours": (DeliveryStatus.REJECTED, "ours"),
    "unknown": (DeliveryStatus.UNKNOWN, None),
}


@dataclass(frozen=True, slots=True)
class Rest:
    """How many readers went without an edition and may be sent it again, by what became of their delivery."""

    expired: int = 0
    rejected_message: int = 0
    rejected_ours: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        return self.expired + self.rejected_message + self.rejected_ours + self.unknown

    def __add__(self, other: "Rest") -> "Rest":
        return Rest(*(getattr(self, kind) + getattr(other, kind) for kind in KINDS))


def kinds(*, include_unknown: bool) -> tuple[str, ...]:
    """What is tried again: of those that are unknown an operator must say so, for they may have it already."""
    return tuple(kind for kind in KINDS if include_unknown or kind != "unknown")


def _standing(edition_id: int, siblings: Sequence[Edition]) -> list[Any]:
    """Readers who are in still, and have no other edition of the date."""
    other = aliased(Delivery)
    reader = exists().where(Subscriber.id == Delivery.subscriber_id, Subscriber.status == SubscriberStatus.ACTIVE)
    elsewhere = [
        not_(exists().where(other.subscriber_id == Delivery.subscriber_id, live))
        for live in live_rows_of(siblings, other)
    ]
    return [Delivery.edition_id == edition_id, reader, *elsewhere]


async def rest(
    session: Session, edition_id: int, siblings: Sequence[Edition], *, include_unknown: bool
) -> tuple[Rest, list[int]]:
    """How many would be tried again, and in which shards they are."""
    chosen = kinds(include_unknown=include_unknown)
    rows = await session.execute(
        select(Delivery.shard, *(func.count().filter(KINDS[kind]) for kind in chosen))
        .where(*_standing(edition_id, siblings))
        .group_by(Delivery.shard)
        .order_by(Delivery.shard)
    )
    found, shards = Rest(), []
    for shard, *counts in rows:
        if any(counts):
            found += Rest(**dict(zip(chosen, counts, strict=True)))
            shards.append(shard)
    return found, shards


async def hold_shard(session: Session, edition_id: int, shard: int) -> None:
    """Before the edition is: a worker that gives a shard back takes them in this order too."""
    await session.execute(
        select(Shard.epoch).where(Shard.edition_id == edition_id, Shard.number == shard).with_for_update()
    )


async def owe_again(
    session: Session,
    edition_id: int,
    shard: int,
    siblings: Sequence[Edition],
    *,
    include_unknown: bool,
    now: datetime,
    lasts: timedelta,
) -> Rest:
    """Queues one shard's rest. The caller holds the shard (`hold_shard`) and then the date (`lock_date`)."""
    changes, counts = Changes(), {}
    for kind in kinds(include_unknown=include_unknown):
        status, fault = _WERE[kind]
        moved = (
            await session.execute(
                update(Delivery)
                .where(*_standing(edition_id, siblings), Delivery.shard == shard, KINDS[kind])
                .values(status=DeliveryStatus.QUEUED, due_at=now, expires_at=now + lasts, code="retry", fault=None)
                .returning(Delivery.domain_group, Delivery.attempt, Delivery.provider)
                .execution_options(synchronize_session=False)
            )
        ).all()
        for group, attempt, provider in moved:
            was = place(status, attempt=attempt, provider=provider, fault=fault)
            changes.move(group, was, place(DeliveryStatus.QUEUED, attempt=attempt, provider=None))
        counts[kind] = len(moved)
    await progress.add(session, edition_id, progress.SETTLED, changes)
    await session.execute(
        update(Shard)
        .where(Shard.edition_id == edition_id, Shard.number == shard)
        .values(next_at=now)
        .execution_options(synchronize_session=False)
    )
    return Rest(**counts)
