"""Folds finds into stories: what was seen before is known again, like news of several houses is one candidate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.core.db import Session
from app.models import Sighting, Source
from app.stages.collect.canonical import canonical, names_one_thing
from app.stages.collect.found import FRESH, Found
from app.stages.collect.likeness import WINDOW, alike, essence, near
from app.stages.collect.merit import candidate_of
from app.store import sightings, stories

MEMORY = timedelta(days=7)
"""How long what was printed is remembered by the likeness of its headline."""
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Folded:
    """What became of the finds: new candidates, and those that were folded into a story that was there."""

    added: int = 0
    folded: int = 0


@dataclass(slots=True)
class _Known:
    """A headline to compare with; `printed` ones are compared however long ago they were, within the memory."""

    story_id: int
    words: frozenset[str]
    at: datetime
    key: str = ""
    printed: bool = False


@dataclass(slots=True)
class _Memory:
    homes: dict[str, int | None] = field(default_factory=dict)
    """The story of each canonical address; None: it was deleted, and does not come back."""
    known: list[_Known] = field(default_factory=list)

    def like(self, find: Found, at: datetime) -> int | None:
        """The story whose headline is like the find's; of several the oldest."""
        words = essence(find.title)
        same = [
            one.story_id
            for one in self.known
            if (one.printed or near(one.at, at)) and alike(one.words, words) and not _are_two(one.key, find.key)
        ]
        return min(same, default=None)

    def keep(self, find: Found, story_id: int, at: datetime) -> None:
        self.homes[find.key] = story_id
        self.known.append(_Known(story_id, essence(find.title), at, find.key))


async def fold(session: Session, source: Source, finds: Sequence[Found], now: datetime) -> Folded:
    """Writes down what is new among `finds`. Doing it again, or with the finds in another order, adds nothing.

    At most `source.most` new candidates a day: those with most points, then the newest. What was published more than
    seven days ago is not taken.
    """
    await sightings.lock(session)
    before = await sightings.known(session, source.id, [one.key for one in finds])
    changed = await _touch(session, source, finds, before, now)
    fresh = [one for one in finds if one.key not in before and _is_fresh(one, now)]
    folded = Folded()
    if fresh:
        memory = await _memory(session, fresh, now)
        room = source.most - await stories.found_since(session, source.id, now - _DAY)
        for find in sorted(fresh, key=lambda one: _order(one, now)):
            story_id = await _place(session, source, find, memory, now, room=folded.added < room, folded=folded)
            if story_id is not None:
                changed.add(story_id)
    for story_id, seen in (await sightings.of_stories(session, changed)).items():
        await stories.follow(session, story_id, await _unless_taken(session, story_id, candidate_of(seen)), now)
    return folded


async def _place(
    session: Session, source: Source, find: Found, memory: _Memory, now: datetime, *, room: bool, folded: Folded
) -> int | None:
    """Gives the story that a find belongs to; None where it was deleted, or where there is no room for another."""
    at = find.published_at or now
    story_id = memory.homes.get(find.key) if find.key in memory.homes else memory.like(find, at)
    if story_id is None and find.key not in memory.homes:
        if not room:
            return None
        story_id = await stories.add_candidate(session, _first_words(source, find, now), now)
        if story_id is None:
            return None
        folded.added += 1
    else:
        folded.folded += 1
    await sightings.add(session, [_row(source, find, story_id, now)])
    if story_id is not None:
        memory.keep(find, story_id, at)
    return story_id


def _first_words(source: Source, find: Found, now: datetime) -> dict[str, object]:
    """Enough for a row; what it says follows from its sightings."""
    return {
        "section": source.section,
        "headline": find.title,
        "standfirst": "",
        "byline": find.author,
        "source": source.name,
        "url": find.url,
        "canonical_url": find.key,
        "source_id": source.id,
        "found_at": now,
    }


def _row(source: Source, find: Found, story_id: int | None, now: datetime) -> dict[str, object]:
    return {
        "source_id": source.id,
        "key": find.key,
        "story_id": story_id,
        "url": find.url,
        "discussion": find.discussion,
        "title": find.title,
        "summary": find.summary,
        "author": find.author,
        "points": find.points,
        "comments": find.comments,
        "published_at": find.published_at,
        "found_at": now,
        "seen_at": now,
    }


async def _touch(
    session: Session, source: Source, finds: Sequence[Found], before: Mapping[str, Sighting], now: datetime
) -> set[int]:
    """Keeps up what is known: points and comments, and once a day that it is still listed. Gives changed stories."""
    changed = set()
    for find in finds:
        row = before.get(find.key)
        if row is None:
            continue
        told = (find.points, find.comments) != (row.points, row.comments)
        if told or now - row.seen_at >= _DAY:
            fields = {"points": find.points, "comments": find.comments, "seen_at": now}
            await sightings.touch(session, source.id, find.key, fields)
        if told and row.story_id is not None:
            changed.add(row.story_id)
    return changed


async def _memory(session: Session, fresh: Sequence[Found], now: datetime) -> _Memory:
    keys = [one.key for one in fresh]
    memory = _Memory(dict(await sightings.homes(session, keys)))
    memory.homes.update(await stories.by_canonical(session, keys))
    for one in await stories.remembered(session, (now - MEMORY).date(), now - MEMORY):
        key = canonical(one.url) or ""
        memory.known.append(_Known(one.story_id, essence(one.headline), one.at, key, one.printed))
        if key:
            memory.homes.setdefault(key, one.story_id)
    for story_id, title, at, key in await sightings.titles(session, now - FRESH - WINDOW):
        memory.known.append(_Known(story_id, essence(title), at, key))
    return memory


async def _unless_taken(session: Session, story_id: int, fields: dict[str, object]) -> dict[str, object]:
    """A story keeps its own canonical address where another story has the better one."""
    key = str(fields["canonical_url"])
    holder = (await stories.by_canonical(session, [key])).get(key, story_id)
    return fields if holder == story_id else {name: fields[name] for name in fields if name != "canonical_url"}


def _are_two(one: str, other: str) -> bool:
    """Two papers, or two repositories, are never one however alike their names are."""
    return one != other and names_one_thing(one) and names_one_thing(other)


def _is_fresh(find: Found, now: datetime) -> bool:
    return find.published_at is None or now - find.published_at <= FRESH


def _order(find: Found, now: datetime) -> tuple[int, float, str]:
    return -(find.points or 0), -(find.published_at or now).timestamp(), find.key
