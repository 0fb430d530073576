"""Trends: what was counted, the charts and movers of a day, what is held, and what editors ruled."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from app.core.days import Day
from app.core.db import Session
from app.core.errors import NotFound
from app.core.numbers import NoTruthValue
from app.models.counts import Ruling, Snapshot, TrendKind, TrendSource, ref_of
from app.operations import audit
from app.operations.access import Actor
from app.stages.collect import rulings, snapshot
from app.stages.compose.trending import past_of
from app.store import counts
from app.store import trends as captures
from app.web.api.auth import Reader, Writer
from app.web.api.json_route import JsonRoute
from app.web.api.shapes import Page, page
from app.web.api.stories import Before, Limit
from app.web.api.trend_shapes import OLDEST, CaptureOut, ChartOut, CountOut, RulingOut, ThingIn
from app.web.deps import ContainerDep, Now, ReadSession, RowId, WriteSession

router = APIRouter(prefix="/trends", tags=["trends"], route_class=JsonRoute)
movers = APIRouter(prefix="/movers", tags=["trends"], route_class=JsonRoute)

_NO_SUCH_THING: dict[int | str, dict[str, Any]] = {404: {"description": "Nothing of that name was ever counted"}}
OfDay = Annotated[Day | None, Query(description="A UTC day; the newest of the last two days where it is left out.")]
Source = Annotated[TrendSource | None, Query()]
Kind = Annotated[TrendKind | None, Query()]
Rows = Annotated[int, Query(ge=1, le=200, description="Rows of each chart; what is held comes on top.")]
_Stored = Mapping[tuple[TrendSource, TrendKind], Snapshot]


class CollectIn(BaseModel):
    """How long a count may take."""

    model_config = ConfigDict(extra="forbid")

    within: Annotated[float, Field(ge=1, le=120, description="Seconds for all sources together."), NoTruthValue] = 60


@router.get("", summary="List what was captured, one for each source, kind and day, the newest first")
async def index(
    session: ReadSession,
    _: Reader,
    before: Before = None,
    limit: Limit = 50,
    source: Source = None,
    kind: Kind = None,
    day: Annotated[Day | None, Query(description="Only of this UTC day.")] = None,
) -> Page[CaptureOut]:
    found = await captures.captures(session, limit, before, source=source, kind=kind, day=day)
    return page([CaptureOut.of(one) for one in found], [one.id for one in found], limit)


@router.get("/charts", summary="The charts of a day: each with its first rows and all that is held")
async def charts(
    session: ReadSession,
    _: Reader,
    now: Now,
    day: OfDay = None,
    source: Source = None,
    kind: Kind = None,
    rows: Rows = 10,
) -> list[ChartOut]:
    chosen = {
        key: one
        for key, one in (await _stored(session, now, day)).items()
        if source in (None, key[0]) and (kind is key[1] if kind else key[1] is not TrendKind.MOVERS)
    }
    return await _told(session, chosen, rows)


@router.get("/held", summary="What is kept from print, or has no arrow, on the charts of a day, and why")
async def held(session: ReadSession, _: Reader, now: Now, day: OfDay = None) -> list[ChartOut]:
    made = await _told(session, await _stored(session, now, day), None, remarked=True)
    return [chart for chart in made if chart.rows]


@router.get("/rulings", summary="List what editors allowed and blocked")
async def ruled(session: ReadSession, _: Reader, before: Before = None, limit: Limit = 50) -> Page[RulingOut]:
    found = await counts.ruled(session, limit, before)
    items = [RulingOut.of(ref_of(source, kind, thing.external_id), thing) for _, source, kind, thing in found]
    return page(items, [one[0] for one in found], limit)


@router.post(
    "/allow",
    responses=_NO_SUCH_THING,
    summary="Let a thing be printed from the next count on, whatever looks odd about its figures",
)
async def allow(session: WriteSession, actor: Writer, now: Now, asked: ThingIn) -> RulingOut:
    return await _rule(session, actor, now, asked.thing, Ruling.ALLOW)


@router.post(
    "/block",
    responses=_NO_SUCH_THING,
    summary="Keep a thing off every chart from the next count on",
)
async def block(session: WriteSession, actor: Writer, now: Now, asked: ThingIn) -> RulingOut:
    return await _rule(session, actor, now, asked.thing, Ruling.BLOCK)


@router.post(
    "/clear",
    responses=_NO_SUCH_THING,
    summary="Take back what was allowed or blocked",
)
async def clear(session: WriteSession, actor: Writer, now: Now, asked: ThingIn) -> RulingOut:
    return await _rule(session, actor, now, asked.thing, None)


@router.post("/collect", summary="Count now, as the timetable does every hour: takes up to two minutes")
async def collect(container: ContainerDep, actor: Writer, asked: CollectIn | None = None) -> CountOut:
    now, within = container.clock.now(), (asked or CollectIn()).within
    report = await snapshot.collect(container.db, container.sources, now, within, insist=True)
    async with container.db.write() as session:
        await audit.record(session, actor.name, "collect", "trend", None, container.clock.now())
    return CountOut.of(report)


@router.get("/{capture_id:int}", summary="Read one capture with all of its rows")
async def show(session: ReadSession, _: Reader, capture_id: RowId) -> ChartOut:
    found = await captures.get(session, capture_id)
    if found is None:
        raise NotFound(f"There is no capture {capture_id}.")
    (made,) = await _told(session, {(found.source, found.kind): found}, None)
    return made


@movers.get("", summary="The movers of a day, by source: the rising by surprise, then the new, then what left")
async def moved(session: ReadSession, _: Reader, now: Now, day: OfDay = None, source: Source = None) -> list[ChartOut]:
    stored = await _stored(session, now, day)
    chosen = {key: one for key, one in stored.items() if key[1] is TrendKind.MOVERS and source in (None, key[0])}
    return await _told(session, chosen, None)


async def _stored(session: Session, now: dt.datetime, day: dt.date | None) -> _Stored:
    return await (captures.latest(session, now - OLDEST) if day is None else captures.on_day(session, day))


async def _told(session: Session, stored: _Stored, most: int | None, *, remarked: bool = False) -> list[ChartOut]:
    """Each chart as its own day knew it: earlier editions are those before that day."""
    made = []
    for key, chart in sorted(stored.items()):
        past = await past_of(session, {key: chart}, chart.captured_at, chart.day)
        made.append(ChartOut.of(chart, past, most, remarked=remarked))
    return made


async def _rule(session: Session, actor: Actor, now: dt.datetime, name: str, ruling: Ruling | None) -> RulingOut:
    thing_id, ref, thing = await rulings.rule(session, name, ruling)
    action = ruling.value if ruling else "clear"
    await audit.record(session, actor.name, action, "trend", thing_id, now, name=thing.name)
    return RulingOut.of(ref, thing)
