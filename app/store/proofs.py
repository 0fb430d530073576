"""Proofs of work that were used, kept until they would have run out anyway."""

from datetime import datetime

from sqlalchemy import delete

from app.core.db import Session
from app.models import SpentProof
from app.store.upsert import insert_ignoring


async def spend(session: Session, nonce: str, until: datetime) -> bool:
    """Uses a proof up; False where it was used before.

    The one INSERT decides: of two transactions at once the second waits for the first to end.
    """
    made = insert_ignoring(session, SpentProof).values(nonce=nonce, until=until)
    return await session.scalar(made.returning(SpentProof.nonce)) is not None


async def prune(session: Session, now: datetime) -> None:
    """Forgets proofs that have run out: they are refused without being looked up."""
    await session.execute(delete(SpentProof).where(SpentProof.until < now))
