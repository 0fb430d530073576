"""What may be forgotten, once a day."""

from datetime import datetime, timedelta

from app.core.db import Database
from app.store import idempotency, leases, proofs, transactional, trends

ANSWERS = timedelta(days=2)
SLOTS = timedelta(days=90)
SERVICE_MAIL = timedelta(days=30)


async def tidy(db: Database, now: datetime) -> str:
    """Removes what is past its time; safe to repeat. Gives a line for the record."""
    async with db.write() as session:
        await idempotency.prune(session, now - ANSWERS)
    async with db.write() as session:
        await proofs.prune(session, now)
    async with db.write() as session:
        await leases.prune_slots(session, now - SLOTS)
    async with db.write() as session:
        mails = await transactional.prune(session, SERVICE_MAIL, now, kept="confirmation")
    async with db.write() as session:
        await trends.prune(session, now.date())
    return f"{mails} service mails forgotten"
