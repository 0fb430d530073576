"""Sources of stories: where to look, and how much a find there counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import exists, select, update

from app.core.db import Session
from app.models import Source
from app.store import upsert


async def add(session: Session, fields: dict[str, Any], now: datetime) -> int | None:
    """Writes a source down and gives its id; None, and nothing changes, where its address is known already."""
    statement = upsert.insert_ignoring(session, Source).values(**fields, created_at=now, updated_at=now)
    made: int | None = await session.scalar(statement.returning(Source.id))
    return made


async def get(session: Session, source_id: int) -> Source | None:
    return await session.get(Source, source_id)


async def find_url(session: Session, url: str) -> Source | None:
    found: Source | None = await session.scalar(select(Source).where(Source.url == url))
    return found


async def every(session: Session) -> Sequence[Source]:
    """All sources, the oldest first."""
    return (await session.scalars(select(Source).order_by(Source.id))).all()


async def newest(session: Session, limit: int, before: int | None) -> Sequence[Source]:
    """A page of sources, the newest first; `before` is the last id of the page before (keyset)."""
    query = select(Source).order_by(Source.id.desc()).limit(limit)
    return (await session.scalars(query if before is None else query.where(Source.id < before))).all()


async def enabled(session: Session) -> Sequence[Source]:
    """Those that are asked."""
    return (await session.scalars(select(Source).where(Source.enabled).order_by(Source.id))).all()


async def change(session: Session, source_id: int, fields: dict[str, Any], now: datetime) -> bool:
    """Sets `fields`; False where the source is gone, or another has the address."""
    taken = exists().where(Source.url == fields["url"], Source.id != source_id) if "url" in fields else None
    statement = update(Source).where(Source.id == source_id)
    if taken is not None:
        statement = statement.where(~taken.correlate(None))
    changed = await session.scalar(
        statement.values(**fields, updated_at=now).returning(Source.id).execution_options(synchronize_session=False)
    )
    session.expire_all()
    return changed is not None


async def remove(session: Session, source_id: int) -> bool:
    """Forgets a source with its record and its sightings; the stories found there stay. False where it is gone."""
    gone = await session.scalar(sql_delete(Source).where(Source.id == source_id).returning(Source.id))
    session.expire_all()
    return gone is not None
