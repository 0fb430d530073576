"""Deliveries are kept for a while, for questions about one person's paper; then an edition's counts are enough."""

from datetime import datetime, timedelta

from app.core.db import Database
from app.store import retention

CHUNK = 100
"""Deliveries a transaction: each takes its notes and two index entries with it, and SQLite overwrites what it frees."""


async def fold(db: Database, days: int, now: datetime) -> str:
    """Forgets the deliveries of editions that ended more than `days` ago; safe to repeat, and to break off anywhere."""
    before, forgotten, editions = now - timedelta(days=days), 0, 0
    while True:
        async with db.read() as session:
            edition_id = await retention.next_edition(session, before)
        if edition_id is None:
            return f"{forgotten} deliveries of {editions} editions folded into their counts"
        gone = CHUNK
        while gone:
            async with db.write() as session:
                gone = await retention.forget_chunk(session, edition_id, CHUNK)
            forgotten += gone
        editions += 1
