"""Stories: what may be printed, and what was."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy import delete as sql_delete

from app.core.db import Session
from app.models import Story
from app.models.content import Section
from app.models.states import StoryStatus

_WRITTEN: dict[str, Any] = {
    "status": StoryStatus.READY,
    "edition_id": None,
    "canonical_url": "",
    "summary": "",
    "weight": 0.0,
}
"""What a story is that an editor writes."""
_PRINTABLE = and_(Story.status == StoryStatus.READY, Story.edition_id.is_(None))


async def add(session: Session, fields: dict[str, Any], now: datetime) -> int:
    """Writes a story down and gives its id. `fields` are the columns a caller may set."""
    made = await session.scalar(
        insert(Story).values({**_WRITTEN, **fields, "created_at": now, "updated_at": now}).returning(Story.id)
    )
    assert made is not None
    return int(made)


async def get(session: Session, story_id: int) -> Story | None:
    return await session.get(Story, story_id)


async def change(session: Session, story_id: int, fields: dict[str, Any], now: datetime) -> bool:
    """Sets `fields` on a story that was not printed yet; False where it was, or is gone."""
    changed = await session.scalar(
        update(Story)
        .where(Story.id == story_id, Story.edition_id.is_(None))
        .values(**fields, updated_at=now)
        .returning(Story.id)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    return changed is not None


async def remove(session: Session, story_id: int) -> bool:
    """Deletes a story that was not printed yet; False where it was, or is gone."""
    gone = await session.scalar(
        sql_delete(Story).where(Story.id == story_id, Story.edition_id.is_(None)).returning(Story.id)
    )
    return gone is not None


async def newest(session: Session, limit: int, before: int | None, section: Section | None) -> Sequence[Story]:
    """A page of stories, the newest first; `before` is the last id of the page before (keyset)."""
    query = select(Story).order_by(Story.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Story.id < before)
    if section is not None:
        query = query.where(Story.section == section)
    return (await session.scalars(query)).all()


async def printable(session: Session, day: date, limit: int = 500) -> Sequence[Story]:
    """What may run on `day`: not printed, not meant for a later day; the oldest first."""
    query = (
        select(Story)
        .where(_PRINTABLE, or_(Story.publish_on.is_(None), Story.publish_on <= day))
        .order_by(Story.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def waiting(session: Session) -> dict[Section, int]:
    """How many stories each section has that may be printed."""
    rows = await session.execute(select(Story.section, func.count()).where(_PRINTABLE).group_by(Story.section))
    return dict(rows.all())


async def mark_printed(session: Session, story_ids: Sequence[int], edition_id: int) -> None:
    """Ties stories to the edition that was frozen with them, so that they run once."""
    await session.execute(
        update(Story)
        .where(Story.id.in_(story_ids))
        .values(edition_id=edition_id)
        .execution_options(synchronize_session=False)
    )
