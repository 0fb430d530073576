"""Owing an edition again to exactly those who went without it: expired, rejected but not for their address, unknown."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, exists, func, not_, select, update
from sqlalchemy.orm import aliased

from app.core.db import Session
from app.models import Delivery, Edition, Shard, Subscriber
from app.models.states import DeliveryStatus, SubscriberStatus
from app.store import progress
from app.store.progress import Changes, place
from app.store.releases import live_rows_of

_EXPIRED = Delivery.status == DeliveryStatus.EXPIRED
_REJECTED = Delivery.status == DeliveryStatus.REJECTED
_OF_MESSAGE = Delivery.fault == "message"
_OURS = func.coalesce(Delivery.fault, "ours") == "ours"
_SURE = not_(Delivery.pinned)
"""No attempt was ever without an answer, so that nothing of it can have arrived."""


class Kind(NamedTuple):
    """Deliveries that may be owed again: the figure they count under, which they are, and what they were."""

    figure: str
    chosen: Any
    status: DeliveryStatus
    fault: str | None = None


_KINDS = (
    Kind("expired", and_(_EXPIRED, _SURE), DeliveryStatus.EXPIRED),
    Kind("rejected_message", and_(_REJECTED, _OF_MESSAGE, _SURE), DeliveryStatus.REJECTED, "message"),
    Kind("rejected_ours", and_(_REJECTED, _OURS, _SURE), DeliveryStatus.REJECTED, "ours"),
    Kind("unknown", Delivery.status == DeliveryStatus.UNKNOWN, DeliveryStatus.UNKNOWN),
    # They were sent again, in vain; but of an earlier attempt nobody knows.
    Kind("unknown", and_(_EXPIRED, Delivery.pinned), DeliveryStatus.EXPIRED),
    Kind("unknown", and_(_REJECTED, _OF_MESSAGE, Delivery.pinned), DeliveryStatus.REJECTED, "message"),
    Kind("unknown", and_(_REJECTED, _OURS, Delivery.pinned), DeliveryStatus.REJECTED, "ours"),
)


@dataclass(frozen=True, slots=True)
class Rest:
    """How many readers went without an edition and may be sent it again, by what became of their delivery.

    `unknown` are also those that expired or were rejected after an attempt without an answer.
    """

    expired: int = 0
    rejected_message: int = 0
    rejected_ours: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        return self.expired + self.rejected_message + self.rejected_ours + self.unknown

    def __add__(self, other: "Rest") -> "Rest":
        return Rest(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Rest)))


def _kinds(*, include_unknown: bool) -> list[Kind]:
    """What is tried again: of those that are unknown an operator must say so, for they may have it already."""
    return [kind for kind in _KINDS if include_unknown or kind.figure != "unknown"]


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
    chosen = _kinds(include_unknown=include_unknown)
    rows = await session.execute(
        select(Delivery.shard, *(func.count().filter(kind.chosen) for kind in chosen))
        .where(*_standing(edition_id, siblings))
        .group_by(Delivery.shard)
        .order_by(Delivery.shard)
    )
    found, shards = Rest(), []
    for shard, *counts in rows:
        if any(counts):
            for kind, count in zip(chosen, counts, strict=True):
                found += Rest(**{kind.figure: count})
            shards.append(shard)
    return found, shards


async def hold_shard(session: Session, edition_id: int, shard: int) -> None:
    """Waits for whoever writes to a shard, and keeps the next from it. After the date is locked, never before."""
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
    """Queues one shard's rest. The caller holds the date (`lock_date`) and then the shard (`hold_shard`)."""
    changes, done = Changes(), Rest()
    for kind in _kinds(include_unknown=include_unknown):
        moved = (
            await session.execute(
                update(Delivery)
                .where(*_standing(edition_id, siblings), Delivery.shard == shard, kind.chosen)
                .values(status=DeliveryStatus.QUEUED, due_at=now, expires_at=now + lasts, code="retry", fault=None)
                .returning(Delivery.domain_group, Delivery.attempt, Delivery.provider)
                .execution_options(synchronize_session=False)
            )
        ).all()
        for group, attempt, provider in moved:
            was = place(kind.status, attempt=attempt, provider=provider, fault=kind.fault)
            changes.move(group, was, place(DeliveryStatus.QUEUED, attempt=attempt, provider=None))
        done += Rest(**{kind.figure: len(moved)})
    await progress.add(session, edition_id, progress.SETTLED, changes)
    await session.execute(
        update(Shard)
        .where(Shard.edition_id == edition_id, Shard.number == shard)
        .values(next_at=now)
        .execution_options(synchronize_session=False)
    )
    return done
