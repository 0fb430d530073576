"""Hints for a fleet: somebody should look at this piece of work. PostgreSQL only, in Procrastinate's tables.

A hint that is lost, late or double harms nothing: whoever follows it asks the ledger what is owed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.core.db import Database, Session
from app.core.errors import StorageError, StorageUnavailable


@dataclass(frozen=True, slots=True)
class Hint:
    """A job of the queue. While one with the same `key` waits, no second one is put there."""

    queue: str
    task: str
    key: str
    args: dict[str, int | str] = field(default_factory=dict)
    priority: int = 0
    lock: str | None = None
    """At most one job with this lock runs in the whole fleet."""


# One statement for any number, by the library's own function: its Python side would take a call for each key.
_PUT = text("""
SELECT coalesce(cardinality(procrastinate_defer_jobs_v1(array(
    SELECT row(
        hint.queue, hint.task, hint.priority, hint.lock, hint.key, hint.args, NULL
    )::procrastinate_job_to_defer_v1
    FROM jsonb_to_recordset(CAST(:hints AS jsonb))
        AS hint(queue text, task text, priority integer, lock text, key text, args jsonb)
    WHERE NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs AS waits WHERE waits.queueing_lock = hint.key AND waits.status = 'todo'
    )
))), 0)
""")


async def put_alone(db: Database, hints: Sequence[Hint]) -> None:
    """As `put`, in a transaction of its own: one round trip."""
    try:
        await db.alone([(_PUT.text, {"hints": json.dumps([asdict(hint) for hint in hints])})])
    except StorageUnavailable:
        raise
    except StorageError:  # another worker put one of them there at the same moment; the next tick asks again
        return


async def put(session: Session, hints: Sequence[Hint]) -> int:
    """Puts those hints on the queue that do not wait there yet; gives how many."""
    if not hints:
        return 0
    try:
        async with session.begin_nested():
            return int(await session.scalar(_PUT, {"hints": json.dumps([asdict(hint) for hint in hints])}) or 0)
    except IntegrityError:  # another worker put one of them there at the same moment; the next tick asks again
        return 0
