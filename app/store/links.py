"""Links that were looked up."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select

from app.core.db import Session
from app.models.links import LinkCheck, Looked
from app.store import upsert

LONGEST_DETAIL = 200


async def looked_up(session: Session, urls: Sequence[str], since: datetime) -> dict[str, Looked]:
    """What is known of `urls` that were looked up at `since` or later."""
    named = {_hash(url): url for url in urls}
    rows = await session.execute(
        select(LinkCheck.hash, LinkCheck.verdict, LinkCheck.detail).where(
            LinkCheck.hash.in_(named), LinkCheck.checked_at >= since
        )
    )
    return {named[row.hash]: Looked(row.verdict, row.detail) for row in rows}


async def keep(session: Session, found: Mapping[str, Looked], now: datetime) -> None:
    """Writes down what came of looking; the newest look counts.

    Rows go in order, so that two writers never deadlock.
    """
    if not found:
        return
    rows = [
        {"hash": _hash(url), "verdict": one.verdict, "detail": one.detail[:LONGEST_DETAIL], "checked_at": now}
        for url, one in found.items()
    ]
    made = upsert.insert(session, LinkCheck).values(sorted(rows, key=lambda row: str(row["hash"])))
    changed = {name: made.excluded[name] for name in ("verdict", "detail", "checked_at")}
    await session.execute(made.on_conflict_do_update(index_elements=["hash"], set_=changed))


async def prune(session: Session, before: datetime) -> None:
    """Forgets looks of before `before`."""
    await session.execute(delete(LinkCheck).where(LinkCheck.checked_at < before))


def _hash(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
