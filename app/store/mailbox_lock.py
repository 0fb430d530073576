"""One lock for a mailbox, by its address key: whoever changes who reads there waits for whoever is doing so.

A row lock is not enough. A mailbox without a row has none, a suppression is another table's row, and a change of
address concerns two mailboxes.
"""

from collections.abc import Collection
from hashlib import blake2b

from app.core.db import Session
from app.store.statements import cached, is_sqlite

MOST = 500
"""Mailboxes that one transaction may lock on PostgreSQL. Each takes an entry of its lock table, which all sessions
share: by default it has room for 6,400 (max_locks_per_transaction times max_connections), and a full one fails all."""

# A set is returned, and so locked, in the order of the array.
_TAKE = "SELECT pg_advisory_xact_lock(number) FROM unnest(CAST(:numbers AS bigint[])) AS number"


async def take(session: Session, keys: Collection[str]) -> None:
    """Locks the mailboxes of up to `MOST` case-folded addresses until the transaction ends.

    What is read afterwards is what the last holder left: each later statement sees all that was committed before it.
    Comes before every row lock of a transaction, with all its mailboxes at once: they are locked in one order, so
    that two transactions never wait for each other. SQLite needs no lock: one transaction writes at a time.
    """
    if not keys or is_sqlite(session):
        return
    if len(keys) > MOST:
        raise ValueError(f"{len(keys)} mailboxes in one transaction; {MOST} are the most")
    await session.execute(cached(_TAKE), {"numbers": sorted({_number(key) for key in keys})})


def _number(key: str) -> int:
    """64 bits. Two mailboxes that share them wait for each other without need, and no more."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8, person=b"mailbox").digest(), signed=True)
