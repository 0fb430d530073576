"""Forgetting who got an edition, long after; how many did stays in its counts, which are kept beside."""

from datetime import datetime

from sqlalchemy import delete, exists, select, tuple_
from sqlalchemy.orm import aliased

from app.core.db import Session
from app.models import Delivery, Edition, Release, Shard
from app.models.states import EditionStatus

ENDED = (EditionStatus.SENT, EditionStatus.PARTIALLY_SENT, EditionStatus.CANCELLED)


async def next_edition(session: Session, before: datetime) -> int | None:
    """An edition that ended before `before` and has deliveries still; not one whose successor is yet to go out."""
    successor = aliased(Edition)
    going = exists().where(
        successor.kind == Edition.kind,
        successor.date == Edition.date,
        successor.revision > Edition.revision,
        successor.status.not_in(ENDED),
    )
    return await session.scalar(
        select(Edition.id)
        .where(
            Edition.status.in_(ENDED),
            Edition.ended_at < before,
            exists().where(Shard.edition_id == Edition.id),
            ~going,
        )
        .order_by(Edition.id)
        .limit(1)
    )


async def forget_chunk(session: Session, edition_id: int, most: int) -> int:
    """Removes up to `most` deliveries with their notes; when none is left, the shards and the plan. Gives how many."""
    some = select(Delivery.edition_id, Delivery.subscriber_id).where(Delivery.edition_id == edition_id).limit(most)
    gone = (
        await session.scalars(
            delete(Delivery)
            .where(tuple_(Delivery.edition_id, Delivery.subscriber_id).in_(some))
            .returning(Delivery.subscriber_id)
            .execution_options(synchronize_session=False)
        )
    ).all()
    if not gone:
        for table in (Shard, Release):
            await session.execute(
                delete(table).where(table.edition_id == edition_id).execution_options(synchronize_session=False)
            )
    return len(gone)
