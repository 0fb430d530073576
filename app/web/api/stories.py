"""Stories: create, list, read, update, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from pydantic import WithJsonSchema

from app.core.errors import NotFound
from app.core.numbers import LARGEST_ID
from app.models.content import Section
from app.models.states import StoryStatus
from app.operations import audit
from app.stages.collect import stories as desk
from app.stages.collect.stories import StoryFields
from app.store import sightings, stories
from app.web.api.auth import Reader, Writer
from app.web.api.json_route import JsonRoute
from app.web.api.partial import partial
from app.web.api.shapes import Page, StoryOut, page, story
from app.web.deps import Now, ReadSession, RowId, WriteSession

router = APIRouter(prefix="/stories", tags=["stories"], route_class=JsonRoute)

Before = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]
Changes = Annotated[
    dict[str, Any], Body(examples=[{"headline": "A better headline"}]), WithJsonSchema(partial(StoryFields))
]


@router.get("", summary="List stories, or candidates, the newest first")
async def index(
    session: ReadSession,
    _: Reader,
    before: Before = None,
    limit: Limit = 50,
    section: Section | None = None,
    status: Annotated[StoryStatus, Query(description="candidate: what was gathered and awaits an editor.")] = (
        StoryStatus.READY
    ),
) -> Page[StoryOut]:
    rows = await stories.newest(session, limit, before, section, status)
    seen = await sightings.of_stories(session, [row.id for row in rows])
    return page([story(row, seen.get(row.id, ())) for row in rows], [row.id for row in rows], limit)


@router.post("", status_code=201, summary="Write a story down")
async def create(session: WriteSession, actor: Writer, now: Now, fields: StoryFields) -> StoryOut:
    story_id = await desk.create(session, fields, now)
    await audit.record(session, actor.name, "create", "story", story_id, now)
    return await _one(session, story_id)


@router.get("/{story_id:int}", summary="Read a story")
async def show(session: ReadSession, _: Reader, story_id: RowId) -> StoryOut:
    return await _one(session, story_id)


@router.patch("/{story_id:int}", summary="Change some fields of a story that was not printed yet")
async def update(
    session: WriteSession,
    actor: Writer,
    now: Now,
    story_id: RowId,
    fields: Changes,
) -> StoryOut:
    await desk.change(session, story_id, fields, now)
    await audit.record(session, actor.name, "change", "story", story_id, now, fields=sorted(fields))
    return await _one(session, story_id)


@router.post("/{story_id:int}/accept", summary="Take a candidate into the paper, with changes")
async def accept(
    session: WriteSession, actor: Writer, now: Now, story_id: RowId, fields: Changes | None = None
) -> StoryOut:
    await desk.accept(session, story_id, fields or {}, now)
    await audit.record(session, actor.name, "accept", "story", story_id, now, fields=sorted(fields or {}))
    return await _one(session, story_id)


@router.post("/{story_id:int}/dismiss", summary="Set a story aside that is not wanted")
async def dismiss(session: WriteSession, actor: Writer, now: Now, story_id: RowId) -> StoryOut:
    await desk.dismiss(session, story_id, now)
    await audit.record(session, actor.name, "dismiss", "story", story_id, now)
    return await _one(session, story_id)


@router.post("/{story_id:int}/restore", summary="Make a dismissed story a candidate again")
async def restore(session: WriteSession, actor: Writer, now: Now, story_id: RowId) -> StoryOut:
    await desk.restore(session, story_id, now)
    await audit.record(session, actor.name, "restore", "story", story_id, now)
    return await _one(session, story_id)


@router.delete("/{story_id:int}", status_code=204, summary="Delete a story that was not printed yet")
async def delete(session: WriteSession, actor: Writer, now: Now, story_id: RowId) -> Response:
    await desk.remove(session, story_id)
    await audit.record(session, actor.name, "delete", "story", story_id, now)
    return Response(status_code=204)


async def _one(session: ReadSession, story_id: int) -> StoryOut:
    row = await stories.get(session, story_id)
    if row is None:
        raise NotFound(f"There is no story {story_id}.")
    seen = await sightings.of_stories(session, [story_id])
    return story(row, seen.get(story_id, ()))
