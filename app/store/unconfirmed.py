"""Readers who signed up and have not confirmed: who is reminded, and who is forgotten.

Many readers in one transaction: their rows are held, but not their mailboxes. Whoever is held by somebody else is
passed over, so nobody waits here. What they were asked is looked up again once they are held: the statement that
finds and holds them sees what was committed before it began, and a sign-up may have been written down since.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select

from app.core.db import Session
from app.models import Subscriber, TransactionalEmail
from app.models.states import SubscriberStatus


async def silent_since(
    session: Session, asked_before: datetime, asked_after: datetime, reminder: str, most: int = 500
) -> Sequence[int]:
    """Pending readers whose newest mail lies between the two instants, who were never sent a `reminder`; held."""
    mails = (
        select(TransactionalEmail.subscriber_id)
        .group_by(TransactionalEmail.subscriber_id)
        .having(
            func.max(TransactionalEmail.created_at) <= asked_before,
            func.max(TransactionalEmail.created_at) > asked_after,
            func.count().filter(TransactionalEmail.kind == reminder) == 0,
        )
    )
    held = await _hold(session, most, Subscriber.id.in_(mails))
    return await _pending(session, held, Subscriber.id.in_(mails.where(TransactionalEmail.subscriber_id.in_(held))))


async def since(session: Session, before: datetime, most: int) -> Sequence[int]:
    """Pending readers who signed up before `before` and were asked nothing since; held."""
    asked = exists().where(TransactionalEmail.subscriber_id == Subscriber.id, TransactionalEmail.created_at >= before)
    held = await _hold(session, most, Subscriber.created_at < before, ~asked)
    return await _pending(session, held, ~asked)


async def _hold(session: Session, most: int, *which: Any) -> Sequence[int]:
    found = await session.scalars(
        select(Subscriber.id)
        .where(Subscriber.status == SubscriberStatus.PENDING, *which)
        .order_by(Subscriber.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return found.all()


async def _pending(session: Session, held: Sequence[int], *which: Any) -> Sequence[int]:
    if not held:
        return held
    found = await session.scalars(
        select(Subscriber.id)
        .where(Subscriber.id.in_(held), Subscriber.status == SubscriberStatus.PENDING, *which)
        .order_by(Subscriber.id)
    )
    return found.all()
