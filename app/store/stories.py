"""Stories: what may be printed, and what was."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy import delete as sql_delete

from app.core.db import Session
from app.models import Edition, Story
from app.models.content import Section
from app.models.states import StoryStatus
from app.store import moves, upsert

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


async def newest(
    session: Session,
    limit: int,
    before: int | None,
    section: Section | None,
    status: StoryStatus | None = StoryStatus.READY,
) -> Sequence[Story]:
    """A page of stories, the newest first; `before` is the last id of the page before (keyset)."""
    query = select(Story).order_by(Story.id.desc()).limit(limit)
    if status is not None:
        query = query.where(Story.status == status)
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


async def unprinted(session: Session, ids: Collection[int]) -> Sequence[Story]:
    """Those of `ids` that may run, were they gathered or written, and whatever day they were meant for."""
    query = select(Story).where(Story.id.in_(ids), Story.edition_id.is_(None), Story.status != StoryStatus.DISMISSED)
    return (await session.scalars(query.order_by(Story.id))).all()


async def printed(session: Session, since: date, before: date) -> frozenset[str]:
    """Addresses and `likened` headlines of what was printed from `since` until the day before `before`."""
    rows = await session.execute(
        select(Story.url, Story.canonical_url, Story.headline)
        .join(Edition, Edition.id == Story.edition_id)
        .where(Edition.date >= since, Edition.date < before)
    )
    return frozenset(name for url, canonical, headline in rows for name in (url, canonical, likened(headline)) if name)


def likened(headline: str) -> str:
    """A headline without case, marks and invisible characters such as soft hyphens, to be compared with another."""
    heard = (sign for sign in headline.casefold() if unicodedata.category(sign) != "Cf")
    return " ".join("".join(sign if sign.isalnum() else " " for sign in heard).split())


async def weights(session: Session, ids: Collection[int]) -> dict[int, float]:
    """What speaks for each of `ids` at the sources that showed it; 0 for what an editor wrote."""
    rows = await session.execute(select(Story.id, Story.weight).where(Story.id.in_(ids)))
    return dict(rows.all())


async def waiting(session: Session) -> dict[Section, int]:
    """How many stories each section has that may be printed."""
    rows = await session.execute(select(Story.section, func.count()).where(_PRINTABLE).group_by(Story.section))
    return dict(rows.all())


async def unprint(session: Session, edition_id: int) -> None:
    """The stories of an edition that was cancelled may run again, and be corrected before."""
    await session.execute(
        update(Story)
        .where(Story.edition_id == edition_id)
        .values(edition_id=None)
        .execution_options(synchronize_session=False)
    )


async def mark_printed(session: Session, story_ids: Sequence[int], edition_id: int) -> None:
    """Ties stories to the edition that was frozen with them, so that they run once; a tie that is there stays."""
    await session.execute(
        update(Story)
        .where(Story.id.in_(story_ids), Story.edition_id.is_(None))
        .values(edition_id=edition_id)
        .execution_options(synchronize_session=False)
    )


async def add_candidate(session: Session, fields: dict[str, Any], now: datetime) -> int | None:
    """A story that was found; None where one with its canonical address is there already."""
    values = {**_WRITTEN, "status": StoryStatus.CANDIDATE, "body": "", "minutes": None, "publish_on": None, **fields}
    statement = upsert.insert_ignoring(session, Story).values(**values, created_at=now, updated_at=now)
    made: int | None = await session.scalar(statement.returning(Story.id))
    return made


async def follow(session: Session, story_id: int, fields: dict[str, Any], now: datetime) -> None:
    """Lets a candidate say what its best sighting says; a story that an editor has decided on stays as it is."""
    await session.execute(
        update(Story)
        .where(Story.id == story_id, Story.status == StoryStatus.CANDIDATE)
        .values(**fields, updated_at=now)
        .execution_options(synchronize_session=False)
    )


async def move(session: Session, story_id: int, from_: StoryStatus, to: StoryStatus, **values: Any) -> bool:
    """Moves a story along an edge, and sets `values`; False where it is no longer in `from_`, or was printed."""
    moved = await moves.move(session, Story, [story_id], from_, to, only=Story.edition_id.is_(None), **values)
    session.expire_all()
    return bool(moved)


async def by_canonical(session: Session, keys: Collection[str]) -> Mapping[str, int]:
    """The stories about each of `keys`."""
    found = await session.execute(select(Story.canonical_url, Story.id).where(Story.canonical_url.in_(keys)))
    return {key: story_id for key, story_id in found}  # noqa: C416  # dict() takes a Result for a mapping


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the paper printed lately, or is about to."""

    story_id: int
    headline: str
    url: str
    at: datetime
    printed: bool


async def remembered(session: Session, printed_since: date, written_since: datetime) -> Sequence[Remembered]:
    """Stories of editions from `printed_since` on, and those that wait and are not older than `written_since`."""
    at = func.coalesce(Story.published_at, Story.found_at, Story.created_at)
    found = await session.execute(
        select(Story.id, Story.headline, Story.url, at, Story.edition_id.is_not(None))
        .outerjoin(Edition, Edition.id == Story.edition_id)
        .where(or_(Edition.date >= printed_since, and_(Story.edition_id.is_(None), Story.created_at >= written_since)))
    )
    return [Remembered(*row) for row in found]


async def candidates(session: Session, since: datetime, limit: int = 200) -> Sequence[Story]:
    """What was found after `since` and is not decided on: what most speaks for first."""
    query = (
        select(Story)
        .where(Story.status == StoryStatus.CANDIDATE, Story.found_at >= since)
        .order_by(Story.weight.desc(), Story.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def prune_candidates(session: Session, before: datetime) -> int:
    """Deletes what was found before `before` and was never taken; its sightings stay as the memory of it."""
    gone = await session.scalars(
        sql_delete(Story)
        .where(Story.status != StoryStatus.READY, Story.found_at < before, Story.edition_id.is_(None))
        .returning(Story.id)
    )
    session.expire_all()
    return len(gone.all())


async def found_since(session: Session, source_id: int, since: datetime) -> int:
    """How many stories a source brought after `since`."""
    count = await session.scalar(
        select(func.count()).select_from(Story).where(Story.source_id == source_id, Story.found_at >= since)
    )
    return count or 0


async def find_slug(session: Session, slug: str) -> Story | None:
    """The story that was imported under `slug`."""
    found: Story | None = await session.scalar(select(Story).where(Story.slug == slug))
    return found
