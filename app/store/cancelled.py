"""Settling the deliveries of editions that were cancelled, a shard at a time, once nobody works on it any more."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, literal_column, select, tuple_, update

from app.core.db import Session, lease_clock
from app.models import Delivery, Edition, Shard
from app.models.states import DeliveryStatus, EditionStatus
from app.store import deliveries, progress
from app.store.progress import Changes, place


async def settle_shard(session: Session, unknown_until: datetime, now: datetime) -> bool:
    """Skips what waits in one shard; what a dead worker held in it is unknown. False where no shard is left."""
    taken = await _take(session)
    if taken is None:
        return False
    edition_id, shard = taken
    await deliveries.abandon(session, edition_id, shard, unknown_until, now)
    moved = await session.execute(
        update(Delivery)
        .where(Delivery.edition_id == edition_id, Delivery.shard == shard, Delivery.status == DeliveryStatus.QUEUED)
        .values(status=DeliveryStatus.SKIPPED, code="cancelled")
        .returning(Delivery.domain_group, Delivery.attempt)
        .execution_options(synchronize_session=False)
    )
    changes = Changes()
    for group, attempt in moved:
        was = place(DeliveryStatus.QUEUED, attempt=attempt, provider=None)
        changes.move(group, was, place(DeliveryStatus.SKIPPED, attempt=attempt, provider=None))
    await progress.add(session, edition_id, shard, changes)
    await progress.fold(session, edition_id, shard, now)
    return True


async def _take(session: Session) -> tuple[int, int] | None:
    """A shard that owes something and that no worker holds; its epoch grows, so that a sleeper begins nothing."""
    clock: ColumnElement[Any] = literal_column(lease_clock(session))
    free = (
        select(Shard.edition_id, Shard.number)
        .join(Edition, Edition.id == Shard.edition_id)
        .where(Shard.next_at.is_not(None), Shard.lease_until < clock, Edition.status == EditionStatus.CANCELLED)
        .order_by(Shard.edition_id, Shard.number)
        .limit(1)
        .with_for_update(of=Shard, skip_locked=True)
    )
    row = (
        await session.execute(
            update(Shard)
            .where(tuple_(Shard.edition_id, Shard.number).in_(free), Shard.lease_until < clock)
            .values(owner=None, epoch=Shard.epoch + 1, lease_until=0, next_at=None)
            .returning(Shard.edition_id, Shard.number)
            .execution_options(synchronize_session=False)
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None
