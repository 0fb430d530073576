"""Giving up what is too late, a shard at a time, where no worker comes by: its providers rest, or it is paused."""

from datetime import datetime

from sqlalchemy import exists

from app.core.db import Session
from app.models import Delivery, Edition, Shard
from app.models.states import DeliveryStatus, EditionStatus
from app.store import deliveries, leases, progress


async def lapse_shard(
    session: Session, edition_id: int, unknown_until: datetime, now: datetime, *, resend: bool
) -> bool:
    """What is late in one shard has expired; what a dead worker held in it is unknown. False where no shard is left.

    Of an edition that goes out or is paused, and only where nobody holds the shard.
    """
    late = exists().where(
        Delivery.edition_id == Shard.edition_id,
        Delivery.shard == Shard.number,
        Delivery.status.in_((*deliveries.waiting_states(resend=resend), DeliveryStatus.SENDING)),
        Delivery.expires_at <= now,
    )
    going = Edition.status.in_((EditionStatus.SENDING, EditionStatus.PAUSED))
    taken = await leases.take_unheld(session, Shard.edition_id == edition_id, going, late)
    if taken is None:
        return False
    await deliveries.abandon(session, *taken, unknown_until, now)
    await deliveries.ripen(session, *taken, now, resend=resend)
    if waiting := await deliveries.waiting(session, *taken, resend=resend):
        await leases.owe_shard(session, *taken, min(one.due_at for one in waiting))
    await progress.fold(session, *taken, now)
    return True
