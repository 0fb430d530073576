"""The edition that a request names, and what is told of a deed done to it."""

from datetime import datetime
from typing import Any

from app.bootstrap import Container
from app.core.db import Session
from app.core.errors import NotFound
from app.models import Edition
from app.operations import audit
from app.operations.access import Actor
from app.store import editions
from app.web.api.shapes import EditionOut


async def find(session: Session, edition_id: int) -> Edition:
    edition = await editions.get(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    return edition


async def record_deletion(session: Session, actor: str, gone: Edition, now: datetime) -> None:
    """Writes the audit line of a draft that is no more, in the transaction that deleted it."""
    await audit.record(session, actor, "delete", "edition", gone.id, now, date=str(gone.date), kind=gone.kind.value)


async def record(container: Container, actor: Actor, action: str, edition_id: int, **detail: Any) -> EditionOut:
    """Writes the audit line of a deed that had its own transactions, and shows what it left."""
    async with container.db.write() as session:
        edition, now = await find(session, edition_id), container.clock.now()
        await audit.record(session, actor.name, action, "edition", edition_id, now, version=edition.version, **detail)
        return EditionOut.of(edition)
