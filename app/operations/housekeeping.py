"""What may be forgotten, once a day."""

from datetime import datetime, timedelta

from app.core.db import Database
from app.store import (
    counts,
    erasure,
    idempotency,
    leases,
    links,
    operator_mail,
    proofs,
    sightings,
    stories,
    transactional,
    trends,
    workers,
)

ANSWERS = timedelta(days=2)
SLOTS = timedelta(days=90)
LOOKS = timedelta(days=2)
SERVICE_MAIL = timedelta(days=30)
UNWANTED = timedelta(days=14)
"""After that a candidate that nobody took is no news."""
UNLISTED = timedelta(days=90)
"""So long after its source last listed it, what was deleted could come back as new; by then it is too old to."""
ERASED = timedelta(days=3)
"""So long an answer to a hand-over that was begun before an erasure may still come in."""


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
        await operator_mail.prune(session, SLOTS, now)
    async with db.write() as session:
        await erasure.blank_again(session, now - ERASED)
    async with db.write() as session:
        await workers.prune(session)
    async with db.write() as session:
        await links.prune(session, now - LOOKS)
    async with db.write() as session:
        await trends.prune(session, now.date())
    async with db.write() as session:
        await counts.prune(session, now)
    async with db.write() as session:
        await stories.prune_candidates(session, now - UNWANTED)
    async with db.write() as session:
        await sightings.prune(session, now - UNLISTED)
    return f"{mails} service mails forgotten"
