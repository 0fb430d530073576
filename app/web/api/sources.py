"""Sources of stories: list, add, change, try out, remove; and how every source does."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, Field, WithJsonSchema

from app.core.db import Session
from app.models import Source, SourceHealth, SourceKind
from app.models.breaker import Breaker, quiet, state
from app.models.content import Section
from app.operations import audit
from app.stages.collect import sourcing
from app.store import health, sources
from app.web.api.auth import Reader, Writer
from app.web.api.json_route import JsonRoute
from app.web.api.partial import partial
from app.web.api.shapes import Page, page
from app.web.api.stories import Before, Limit
from app.web.deps import ContainerDep, Now, ReadSession, RowId, WriteSession

router = APIRouter(prefix="/sources", tags=["sources"], route_class=JsonRoute)


class HealthOut(BaseModel):
    """How one source does. Sources of trends are there by their name, those of stories as `source-<id>`."""

    name: str
    source_id: int | None
    breaker: Breaker
    open_until: datetime | None = Field(description="Not asked before this.")
    failures: int = Field(description="In a row.")
    problem: str = Field(description="What was wrong last time; empty where nothing was.")
    asked_at: datetime
    succeeded_at: datetime | None
    failed_at: datetime | None
    latency_ms: int | None
    data_at: datetime | None = Field(description="How new the newest is that it gave.")
    data_age_seconds: int | None
    quiet: bool = Field(description="Its newest is older than its habit explains.")
    items: int | None = Field(description="How many the last good answer held.")

    @classmethod
    def of(cls, row: SourceHealth, now: datetime) -> "HealthOut":
        age = None if row.data_at is None else max(0, round((now - row.data_at).total_seconds()))
        return cls(
            name=row.name,
            source_id=row.source_id,
            breaker=state(row.failures, row.open_until, now),
            open_until=row.open_until,
            failures=row.failures,
            problem=row.problem,
            asked_at=row.asked_at,
            succeeded_at=row.succeeded_at,
            failed_at=row.failed_at,
            latency_ms=row.latency_ms,
            data_at=row.data_at,
            data_age_seconds=age,
            quiet=quiet(row.data_at, row.usual_gap, now),
            items=row.items,
        )


class SourceOut(BaseModel):
    """A source of stories. `health` is null until it was asked."""

    id: int
    kind: SourceKind
    name: str
    url: str
    section: Section
    weight: float
    most: int
    enabled: bool
    created_at: datetime
    updated_at: datetime
    health: HealthOut | None

    @classmethod
    def of(cls, row: Source, record: SourceHealth | None, now: datetime) -> "SourceOut":
        columns = {name: getattr(row, name) for name in cls.model_fields if name != "health"}
        return cls(**columns, health=HealthOut.of(record, now) if record else None)


class FindOut(BaseModel):
    """One thing that a source shows now."""

    title: str
    url: str
    canonical_url: str
    published_at: datetime | None


class TriedOut(BaseModel):
    """What a source says now. `moved` is its new address, where it has moved for good."""

    ok: bool
    problem: str
    latency_ms: int
    moved: str | None
    finds: list[FindOut]


_EXAMPLE = {"url": "https://example.org/feed.xml", "section": "tools"}
Changes = Annotated[dict[str, Any], Body(examples=[_EXAMPLE]), WithJsonSchema(partial(sourcing.SourceFields))]
New = Annotated[dict[str, Any], Body(examples=[_EXAMPLE]), WithJsonSchema(partial(sourcing.SourceFields, ["url"]))]


@router.get("", summary="List sources of stories, the newest first")
async def index(session: ReadSession, _: Reader, now: Now, before: Before = None, limit: Limit = 50) -> Page[SourceOut]:
    rows = await sources.newest(session, limit, before)
    records = await health.of_sources(session)
    return page([SourceOut.of(row, records.get(row.id), now) for row in rows], [row.id for row in rows], limit)


@router.get("/health", summary="How every source does, of stories and of trends")
async def all_health(session: ReadSession, _: Reader, now: Now) -> list[HealthOut]:
    return [HealthOut.of(row, now) for row in await health.every(session)]


@router.post("", status_code=201, summary="Add a source; kind and name are guessed where left out")
async def create(session: WriteSession, actor: Writer, now: Now, fields: New) -> SourceOut:
    source_id = await sourcing.add(session, sourcing.parse(fields), now)
    await audit.record(session, actor.name, "create", "source", source_id, now)
    return await _one(session, source_id, now)


@router.post("/defaults", summary="Add the sources we suggest that are not there yet")
async def defaults(session: WriteSession, actor: Writer, now: Now) -> dict[str, list[int]]:
    made = await sourcing.add_defaults(session, now)
    for source_id in made:
        await audit.record(session, actor.name, "create", "source", source_id, now)
    return {"added": made}


@router.get("/{source_id:int}", summary="Read a source")
async def show(session: ReadSession, _: Reader, now: Now, source_id: RowId) -> SourceOut:
    return await _one(session, source_id, now)


@router.patch("/{source_id:int}", summary="Change some fields of a source")
async def update(session: WriteSession, actor: Writer, now: Now, source_id: RowId, fields: Changes) -> SourceOut:
    await sourcing.change(session, source_id, fields, now)
    await audit.record(session, actor.name, "change", "source", source_id, now, fields=sorted(fields))
    return await _one(session, source_id, now)


@router.delete("/{source_id:int}", status_code=204, summary="Forget a source; the stories found there stay")
async def delete(session: WriteSession, actor: Writer, now: Now, source_id: RowId) -> Response:
    await sourcing.remove(session, source_id)
    await audit.record(session, actor.name, "delete", "source", source_id, now)
    return Response(status_code=204)


@router.post("/{source_id:int}/check", summary="Ask a source now, and take nothing from it")
async def check(container: ContainerDep, actor: Writer, source_id: RowId) -> TriedOut:
    tried = await sourcing.check(container.db, container.gatherer, source_id, container.clock.now())
    async with container.db.write() as session:
        await audit.record(session, actor.name, "check", "source", source_id, container.clock.now())
    finds = [
        FindOut(title=one.title, url=one.url, canonical_url=one.key, published_at=one.published_at)
        for one in tried.finds
    ]
    return TriedOut(ok=tried.ok, problem=tried.problem, latency_ms=tried.latency_ms, moved=tried.moved, finds=finds)


async def _one(session: Session, source_id: int, now: datetime) -> SourceOut:
    row = await sourcing.one(session, source_id)
    return SourceOut.of(row, await health.get(session, health.name_of(source_id)), now)
