"""Readers who signed up and have not confirmed: who is reminded, and who is forgotten."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, func, select

from app.core.db import Session
from app.models import Subscriber, TransactionalEmail
from app.models.states import SubscriberStatus


async def silent_since(
    session: Session, asked_before: datetime, asked_after: datetime, reminder: str, most: int = 500
) -> Sequence[int]:
    """Pending readers whose newest mail lies between the two instants, who were never sent a `reminder`."""
    mails = (
        select(TransactionalEmail.subscriber_id)
        .group_by(TransactionalEmail.subscriber_id)
        .having(
            func.max(TransactionalEmail.created_at) <= asked_before,
            func.max(TransactionalEmail.created_at) > asked_after,
            func.count().filter(TransactionalEmail.kind == reminder) == 0,
        )
    )
    found = await session.scalars(
        select(Subscriber.id)
        .where(Subscriber.status == SubscriberStatus.PENDING, Subscriber.id.in_(mails))
        .order_by(Subscriber.id)
        .limit(most)
    )
    return found.all()


async def since(session: Session, before: datetime, most: int) -> Sequence[int]:
    """Pending readers who signed up before `before` and were asked nothing since, held; not those somebody else holds:
    they may be signing up again just now.
    """
    asked = exists().where(TransactionalEmail.subscriber_id == Subscriber.id, TransactionalEmail.created_at >= before)
    found = await session.scalars(
        select(Subscriber.id)
        .where(Subscriber.status == SubscriberStatus.PENDING, Subscriber.created_at < before, ~asked)
        .order_by(Subscriber.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return found.all()
