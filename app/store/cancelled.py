"""Settling the deliveries of editions that were cancelled, a shard at a time, once nobody works on it any more."""

from datetime import datetime

from sqlalchemy import update

from app.core.db import Session
from app.models import Delivery, Edition
from app.models.states import DeliveryStatus, EditionStatus
from app.store import deliveries, leases, progress
from app.store.progress import Changes, place


async def settle_shard(session: Session, unknown_until: datetime, now: datetime) -> bool:
    """Skips what waits in one shard; what a dead worker held in it is unknown. False where no shard is left."""
    taken = await leases.take_unheld(session, Edition.status == EditionStatus.CANCELLED)
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
