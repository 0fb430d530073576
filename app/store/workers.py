"""Which workers live, by their own signs of life on the database's clock."""

from typing import Any

from sqlalchemy import delete, func, literal_column, select

from app.core.db import Session, lease_clock
from app.models import LivingWorker
from app.store.upsert import insert

LIVES_MS = 15_000
"""A sign of life is given every 5 s; whoever misses two is not counted."""
FORGOTTEN_MS = 3_600_000


def _clock(session: Session) -> Any:
    return literal_column(lease_clock(session))


async def sign(session: Session, owner: str, in_hand: int) -> None:
    """This worker lives, and so many mails are in its hands."""
    values = {"seen_at": _clock(session), "in_hand": in_hand}
    made = insert(session, LivingWorker).values(owner=owner, **values)
    await session.execute(made.on_conflict_do_update(index_elements=[LivingWorker.owner], set_=values))


async def leave(session: Session, owner: str) -> None:
    """This worker has ended."""
    await session.execute(delete(LivingWorker).where(LivingWorker.owner == owner))


async def living(session: Session) -> tuple[int, int]:
    """How many workers live, and how many mails they have in hand together."""
    found = await session.execute(
        select(func.count(), func.coalesce(func.sum(LivingWorker.in_hand), 0)).where(
            LivingWorker.seen_at > _clock(session) - LIVES_MS
        )
    )
    count, in_hand = found.one()
    return int(count), int(in_hand)


async def prune(session: Session) -> None:
    """Forgets those that were killed long ago."""
    await session.execute(delete(LivingWorker).where(LivingWorker.seen_at < _clock(session) - FORGOTTEN_MS))
