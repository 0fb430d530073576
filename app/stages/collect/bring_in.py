"""Brings stories in from Markdown files: known by their slug, so that a file that comes again is an update."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from app.core.db import Database, Session
from app.core.errors import InvalidInput, Refused
from app.stages.collect import manuscript
from app.stages.collect import stories as desk
from app.stages.collect.manuscript import Manuscript
from app.stages.collect.stories import StoryFields
from app.store import stories

SUFFIXES = (".md", ".markdown")
MOST = 5_000
"""Files in one go."""


class Fate(StrEnum):
    """What became of a file."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    PRINTED = "printed"
    """It was in an edition already; what readers got does not change."""
    DRAFT = "draft"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Arrived:
    """One file. `problem` is a sentence, with the line where there is one."""

    path: Path
    fate: Fate
    story_id: int | None = None
    slug: str = ""
    problem: str = ""


@dataclass(slots=True)
class Arrival:
    """A whole import."""

    files: list[Arrived] = field(default_factory=list)
    dry: bool = False

    def count(self, fate: Fate) -> int:
        return sum(1 for one in self.files if one.fate is fate)


def files_in(paths: Sequence[Path]) -> list[Path]:
    """The files that are meant: those named, and in folders all Markdown below them, by name. Raises InvalidInput."""
    found = list(dict.fromkeys(_below(paths)))
    if len(found) > MOST:
        raise InvalidInput(f"These are {len(found):,} files; at most {MOST:,} are brought in at a time.", "paths")
    return found


def _below(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(
                one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file() and not _hidden(one)
            )
        elif path.exists():
            yield path
        else:
            raise InvalidInput(f"There is no file or folder {path}.", "paths")


def _hidden(path: Path) -> bool:
    return path.name.startswith((".", "_")) or path.name.lower() == "readme.md"


async def bring_in(db: Database, paths: Iterable[Path], now: datetime, *, dry: bool = False) -> Arrival:
    """Reads each file and writes its story down, one transaction a file: a bad one costs itself only.

    Safe to repeat: a story that is there already is updated where the file says something else.
    """
    arrival = Arrival(dry=dry)
    slugs: dict[str, Path] = {}
    for path in paths:
        arrival.files.append(await _bring_one(db, path, slugs, now, dry=dry))
    return arrival


async def _bring_one(db: Database, path: Path, slugs: dict[str, Path], now: datetime, *, dry: bool) -> Arrived:
    try:
        read = manuscript.read(_bytes(path), path.stem)
        first = slugs.setdefault(read.slug, path)
        if first != path:
            raise InvalidInput(f"{first} has the slug {read.slug} too; give one of them another")
        if read.draft:
            return Arrived(path, Fate.DRAFT, slug=read.slug)
        if dry:
            async with db.read() as session:
                return await _planned(session, path, read)
        async with db.write() as session:
            return await _written(session, path, read, now)
    except Refused as error:
        return Arrived(path, Fate.REFUSED, problem=f"{path}: {error}")


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(manuscript.LARGEST + 1)
    except OSError as error:
        raise InvalidInput(f"it cannot be read: {error.strerror}") from None


async def _planned(session: Session, path: Path, read: Manuscript) -> Arrived:
    there = await stories.find_slug(session, read.slug)
    if there is None:
        return Arrived(path, Fate.CREATED, slug=read.slug)
    if there.edition_id is not None:
        return Arrived(path, Fate.PRINTED, there.id, read.slug)
    present = StoryFields.model_validate({name: getattr(there, name) for name in StoryFields.model_fields})
    return Arrived(path, Fate.UNCHANGED if present == read.story else Fate.UPDATED, there.id, read.slug)


async def _written(session: Session, path: Path, read: Manuscript, now: datetime) -> Arrived:
    planned = await _planned(session, path, read)
    match planned.fate:
        case Fate.CREATED:
            story_id = await desk.create(session, read.story, now, read.slug)
            return Arrived(path, Fate.CREATED, story_id, read.slug)
        case Fate.UPDATED if planned.story_id is not None:
            await desk.change(session, planned.story_id, read.story.model_dump(), now)
    return planned
