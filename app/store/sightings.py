"""Sightings: what was found where, and which story it was folded into."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, text, update

from app.core.db import Session
from app.models import Sighting, Source

_FOLDING = 0x5EE4
"""The number of an advisory lock, of no meaning but its own."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting, with what its source counts."""

    row: Sighting
    source: Source


async def lock(session: Session) -> None:
    """Lets one transaction at a time decide what is new. SQLite has one writer anyway; PostgreSQL is asked for it."""
    if session.get_bind().dialect.name != "sqlite":
        await session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _FOLDING})


async def known(session: Session, source_id: int, keys: Collection[str]) -> Mapping[str, Sighting]:
    """Those of `keys` that this source showed before."""
    found = await session.scalars(select(Sighting).where(Sighting.source_id == source_id, Sighting.key.in_(keys)))
    return {one.key: one for one in found}


async def homes(session: Session, keys: Collection[str]) -> Mapping[str, int | None]:
    """Those of `keys` that any source showed before, with their story; None: a story that was deleted."""
    found = await session.execute(
        select(Sighting.key, func.max(Sighting.story_id)).where(Sighting.key.in_(keys)).group_by(Sighting.key)
    )
    return {key: story_id for key, story_id in found}  # noqa: C416  # dict() takes a Result for a mapping


async def titles(session: Session, since: datetime) -> Sequence[tuple[int, str, datetime, str]]:
    """(story, headline, when it was published or else found, canonical address) of what was found after `since`."""
    found = await session.execute(
        select(
            Sighting.story_id, Sighting.title, func.coalesce(Sighting.published_at, Sighting.found_at), Sighting.key
        ).where(Sighting.found_at >= since, Sighting.story_id.is_not(None))
    )
    return [(int(story_id or 0), title, at, key) for story_id, title, at, key in found]


async def add(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Writes new sightings down."""
    if rows:
        await session.execute(insert(Sighting), list(rows))


async def touch(session: Session, source_id: int, key: str, fields: dict[str, Any]) -> None:
    """What a source says anew of something that it showed before."""
    await session.execute(
        update(Sighting)
        .where(Sighting.source_id == source_id, Sighting.key == key)
        .values(**fields)
        .execution_options(synchronize_session=False)
    )


async def of_stories(session: Session, story_ids: Collection[int]) -> Mapping[int, Sequence[Seen]]:
    """Every sighting of each story, the first one first."""
    found = await session.execute(
        select(Sighting, Source)
        .join(Source, Source.id == Sighting.source_id)
        .where(Sighting.story_id.in_(story_ids))
        .order_by(Sighting.found_at, Sighting.source_id, Sighting.key)
        .execution_options(populate_existing=True)
    )
    grouped: dict[int, list[Seen]] = defaultdict(list)
    for row, source in found:
        grouped[row.story_id or 0].append(Seen(row, source))
    return grouped


async def discussions(session: Session, keys: Collection[str], since: datetime) -> Mapping[str, Seen]:
    """Of each of `keys` the discussion with the most points among those found after `since`."""
    found = await session.execute(
        select(Sighting, Source)
        .join(Source, Source.id == Sighting.source_id)
        .where(Sighting.key.in_(keys), Sighting.found_at >= since, Sighting.discussion != "", Sighting.points > 0)
        .order_by(Sighting.points, Sighting.source_id)
    )
    return {row.key: Seen(row, source) for row, source in found}


async def prune(session: Session, before: datetime) -> int:
    """Forgets what no source has listed since `before`, where its story is gone too; gives how many."""
    gone = await session.scalars(
        delete(Sighting).where(Sighting.seen_at < before, Sighting.story_id.is_(None)).returning(Sighting.key)
    )
    return len(gone.all())
