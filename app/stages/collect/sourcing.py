"""Sources as an operator gives them: checked field by field, added, changed, tried out, removed."""

from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, WithJsonSchema, field_validator

from app.core.db import Database, Session
from app.core.errors import Conflict, InvalidInput, NotFound, SourceError
from app.core.malformed import field_errors
from app.core.numbers import NoTruthValue
from app.core.text import FILLED_LINE, is_clean
from app.models import Source, SourceKind
from app.models.content import STORY_SECTIONS, Section
from app.stages.collect.canonical import web_address
from app.stages.collect.deadline import Deadline
from app.stages.collect.defaults import DEFAULTS
from app.stages.collect.fetch import Validators
from app.stages.collect.found import Found
from app.stages.collect.gather import Gatherer
from app.store import health, sources

Line = Annotated[str, StringConstraints(strip_whitespace=True)]
_KINDS = {"export.arxiv.org": SourceKind.ARXIV, "hn.algolia.com": SourceKind.HACKERNEWS}
_NAMES = {SourceKind.ARXIV: "arXiv", SourceKind.HACKERNEWS: "Hacker News"}


class SourceFields(BaseModel):
    """One source. What is left out is guessed from the address."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[
        Line,
        Field(
            min_length=1,
            max_length=1000,
            description="A feed, or a query of arXiv or Algolia.",
            json_schema_extra={"pattern": r"^https?://\S+$"},
        ),
    ]
    kind: SourceKind = SourceKind.FEED
    name: Annotated[
        Line,
        Field(
            min_length=1,
            max_length=120,
            description="As it is credited in print.",
            json_schema_extra={"pattern": FILLED_LINE},
        ),
    ]
    section: Annotated[
        Section,
        Field(description="Where its finds are proposed for."),
        WithJsonSchema({"type": "string", "enum": [*STORY_SECTIONS]}),
    ] = Section.TOOLS
    weight: Annotated[float, Field(ge=0, le=10, description="How much a find counts; 1 is usual."), NoTruthValue] = 1.0
    most: Annotated[int, Field(ge=1, le=100, description="New candidates a day at most."), NoTruthValue] = 20
    enabled: Annotated[bool, Field(strict=True)] = True

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        value = web_address(value, 1000)
        if "@" in urlsplit(value).netloc:
            raise ValueError("must not hold a name or password: it is shown to whoever may read the sources")
        return value

    @field_validator("name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not is_clean(value):
            raise ValueError("must be one line without control characters")
        return value

    @field_validator("section")
    @classmethod
    def _holds_stories(cls, value: Section) -> Section:
        if value not in STORY_SECTIONS:
            raise ValueError(f"{value.value} is filled from counts; stories go into {', '.join(STORY_SECTIONS)}")
        return value


def parse(fields: dict[str, Any]) -> SourceFields:
    """Checks loose fields, and guesses kind and name where they are left out. Raises InvalidInput, naming each."""
    given = dict(fields)
    host = _host(str(given.get("url", "")))
    given.setdefault("kind", _KINDS.get(host, SourceKind.FEED))
    guessed = next((name for kind, name in _NAMES.items() if kind == given["kind"]), host.removeprefix("www."))
    given.setdefault("name", guessed or "unnamed")
    try:
        return SourceFields.model_validate(given)
    except ValidationError as error:
        found = field_errors(error, "source")
        said = "; ".join(f"{one.field}: {one.message}" for one in found)
        raise InvalidInput(f"The source was not accepted: {said}", errors=found) from None


def _host(url: str) -> str:
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""


async def add(session: Session, source: SourceFields, now: datetime) -> int:
    """Writes a source down; gives its id. Raises Conflict where its address is known already."""
    made = await sources.add(session, source.model_dump(), now)
    if made is None:
        held = await sources.find_url(session, source.url)
        raise Conflict(f"That address is source {held.id if held else '?'} already.")
    return made


async def add_defaults(session: Session, now: datetime) -> list[int]:
    """Adds those of the list we suggest that are not there yet; gives their ids. Doing it twice adds nothing."""
    made = [await sources.add(session, parse(dict(one)).model_dump(), now) for one in DEFAULTS]
    return [source_id for source_id in made if source_id is not None]


async def change(session: Session, source_id: int, fields: dict[str, Any], now: datetime) -> Source:
    """Changes some fields. Raises NotFound, Conflict, InvalidInput."""
    source = await one(session, source_id)
    present = {name: getattr(source, name) for name in SourceFields.model_fields}
    whole = parse({**present, **fields})
    moved = whole.url != source.url
    if not await sources.change(session, source_id, whole.model_dump(), now):
        raise Conflict("Another source has that address already.")
    if moved or whole.enabled:
        await health.forget_answer(session, health.name_of(source_id))
    return await one(session, source_id)


async def remove(session: Session, source_id: int) -> None:
    """Forgets a source; its stories stay. Raises NotFound."""
    if not await sources.remove(session, source_id):
        raise NotFound(f"There is no source {source_id}.")


async def one(session: Session, source_id: int) -> Source:
    """Raises NotFound."""
    source = await sources.get(session, source_id)
    if source is None:
        raise NotFound(f"There is no source {source_id}.")
    return source


@dataclass(frozen=True, slots=True)
class Tried:
    """What a source says now. `problem` is a sentence; empty where all is well."""

    ok: bool
    problem: str
    latency_ms: int
    finds: tuple[Found, ...] = ()
    moved: str | None = None


async def check(db: Database, gatherer: Gatherer, source_id: int, now: datetime, seconds: float = 30) -> Tried:
    """Asks one source now, whatever its breaker says, and writes its record; takes no stories. Raises NotFound."""
    async with db.read() as session:
        source = await one(session, source_id)
    asked = monotonic()
    try:
        # Without validators: an answer that was looked at only must not count as taken.
        answer, reading = await gatherer.read(source.kind, source.url, Validators(), Deadline(seconds, now))
    except SourceError as error:
        tried = Tried(False, f"{source.name} could not be read: {error}.", _since(asked))
        async with db.write() as session:
            await one(session, source_id)
            await health.record_failure(
                session, health.name_of(source_id), tried.problem, now, source_id=source_id,
                retry_after=error.retry_after,
            )  # fmt: skip
        return tried
    assert reading is not None
    tried = Tried(True, reading.problem, _since(asked), reading.finds, answer.moved)
    async with db.write() as session:
        await one(session, source_id)
        await health.record_success(
            session, health.name_of(source_id), now, source_id=source_id, latency_ms=tried.latency_ms,
            data_at=reading.newest, usual_gap=reading.usual_gap, items=len(reading.finds), problem=reading.problem,
        )  # fmt: skip
    return tried


def _since(asked: float) -> int:
    return round((monotonic() - asked) * 1000)
