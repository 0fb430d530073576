"""Editions before they go out: compose, look, change, hold, lint, approve, freeze."""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, HTTPException, Query, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from app.bootstrap import Container
from app.core.db import Session
from app.core.errors import Conflict
from app.models import Edition
from app.operations import audit
from app.operations.access import Actor
from app.stages.compose import draft, edit
from app.stages.compose.stale import Seen
from app.stages.render import freeze as press
from app.stages.render import link_check, linting, preview
from app.stages.render.lint.problem import errors
from app.store import editions
from app.web.api import edition_deeds
from app.web.api.auth import Reader, Sender, Writer
from app.web.api.json_route import JsonRoute
from app.web.api.shapes import ComposeIn, EditionOut, HoldIn, LintOut, Page, page
from app.web.api.stories import Before, Limit
from app.web.deps import ContainerDep, Now, ReadSession, RowId, WriteSession

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The ETag of the edition as you saw it; 412 where it changed."),
]

_TAGS = re.compile(r'(?:W/)?"[^"]{0,40}"')
_OURS = re.compile(r'"\d{1,9}"')
_LONGEST = 1000

router = APIRouter(prefix="/editions", tags=["editions"], route_class=JsonRoute)


@router.get("", summary="List editions, the newest first")
async def index(session: ReadSession, _: Reader, before: Before = None, limit: Limit = 50) -> Page[EditionOut]:
    rows = await editions.newest(session, limit, before)
    return page([EditionOut.of(row) for row in rows], [row.id for row in rows], limit)


@router.post("/compose", summary="Compose the edition of a date from what is stored")
async def compose(container: ContainerDep, actor: Writer, asked: ComposeIn) -> EditionOut:
    now = container.clock.now()
    today = now.astimezone(container.settings.zone).date()
    day = asked.date or today
    if not asked.force:
        draft.demand_near(day, today)
    made = await draft.compose(container.db, day, now, container.settings.operator_emails, asked.kind, container.weigh)
    return await edition_deeds.record(container, actor, "compose", made.edition_id)


@router.get("/{edition_id:int}", summary="Read an edition")
async def show(session: ReadSession, _: Reader, edition_id: RowId, response: Response) -> EditionOut:
    return _tagged(await edition_deeds.find(session, edition_id), response)


@router.patch("/{edition_id:int}", summary="Change subject, preheader, or what stands where, before the freeze")
async def change(
    container: ContainerDep,
    actor: Writer,
    edition_id: RowId,
    changes: edit.Changes,
    response: Response,
    seen: IfMatch = None,
) -> EditionOut:
    if seen is None:
        raise HTTPException(428, "Send If-Match with the ETag of the edition as you saw it.")
    hand = _hand(container, actor, "edit", edition_id, seen, fields=changes.named)
    return _tagged(await edit.change(container.db, edition_id, changes, hand), response)


@router.delete(
    "/{edition_id:int}",
    status_code=204,
    summary="Delete an edition that was never frozen",
    responses={
        404: {"description": "There is no such edition."},
        409: {"description": "It was frozen; what goes out can be cancelled."},
        412: {"description": "It is not at the version that If-Match names."},
    },
)
async def delete(
    container: ContainerDep, session: WriteSession, actor: Writer, now: Now, edition_id: RowId, seen: IfMatch = None
) -> Response:
    gone = await edit.delete(session, edition_id, now, container.settings.zone, _version(seen))
    await edition_deeds.record_deletion(session, actor.name, gone, now)
    return Response(status_code=204)


@router.post("/{edition_id:int}/hold", summary="Hold an edition until somebody lets it go")
async def hold(
    container: ContainerDep, actor: Writer, edition_id: RowId, asked: HoldIn, response: Response, seen: IfMatch = None
) -> EditionOut:
    hand = _hand(container, actor, "hold", edition_id, seen)
    return _tagged(await edit.hold(container.db, edition_id, asked.reason, hand), response)


@router.post(
    "/{edition_id:int}/unhold", summary="Let a held edition go as it is; lint looks at it again when it is frozen"
)
async def unhold(
    container: ContainerDep, actor: Writer, edition_id: RowId, response: Response, seen: IfMatch = None
) -> EditionOut:
    hand = _hand(container, actor, "unhold", edition_id, seen)
    return _tagged(await edit.unhold(container.db, edition_id, hand), response)


_NOTHING_YET: dict[int | str, dict[str, Any]] = {409: {"description": "Nothing is composed yet"}}


@router.get(
    "/{edition_id:int}/preview",
    summary="See an edition as it would be mailed",
    response_class=HTMLResponse,
    responses={**_NOTHING_YET, 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def see(
    container: ContainerDep, _: Reader, edition_id: RowId, form: Annotated[Literal["html", "text"], Query()] = "html"
) -> Response:
    made = await preview.of_edition(container.db, edition_id, container.settings.publication)
    if form == "text":
        return PlainTextResponse(made.text)
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
    return HTMLResponse(made.html, headers={"content-security-policy": policy})


@router.get(
    "/{edition_id:int}/lint",
    summary="What is wrong with an edition: errors keep it from being frozen",
    responses=_NOTHING_YET,
)
async def lint(container: ContainerDep, _: Reader, edition_id: RowId) -> LintOut:
    settings = container.settings
    return LintOut.of(await linting.of_edition(container.db, edition_id, settings.publication, container.clock.now()))


@router.post("/{edition_id:int}/lint", summary="The same, after looking its links up: takes up to two minutes")
async def lint_links(container: ContainerDep, _: Writer, edition_id: RowId) -> LintOut:
    if container.links is None:
        raise Conflict("Links are not looked up here: MORNINGPOST_CHECK_LINKS is off.")
    settings, now = container.settings, container.clock.now()
    await link_check.of_edition(container.db, edition_id, settings.publication, container.links, now)
    return LintOut.of(await linting.of_edition(container.db, edition_id, settings.publication, now))


@router.post("/{edition_id:int}/approve", summary="Let a ready edition be frozen (APPROVAL=manual)")
async def approve(
    session: WriteSession, actor: Writer, now: Now, edition_id: RowId, response: Response, seen: IfMatch = None
) -> EditionOut:
    edition = await edit.approve(session, edition_id, now, _version(seen))
    await audit.record(session, actor.name, "approve", "edition", edition_id, now, version=edition.version)
    return _tagged(edition, response)


@router.post("/{edition_id:int}/freeze", summary="Render and freeze a ready edition now")
async def freeze(
    container: ContainerDep,
    actor: Sender,
    edition_id: RowId,
    force: Annotated[bool, Query(description="Freeze it although lint found errors, or although it is held.")] = False,
) -> EditionOut:
    settings = container.settings
    found = await press.freeze(
        container.db,
        edition_id,
        settings.publication,
        container.clock.now(),
        force=force,
        operators=settings.operator_emails,
    )
    detail = {"overruled": [f"{one.rule}: {one.where}" for one in errors(found)]} if force else {}
    return await edition_deeds.record(container, actor, "freeze", edition_id, **detail)


def _version(seen: str | None) -> Seen:
    """The versions that an If-Match names (RFC 9110 section 13.1.1); None where it does not matter.

    Compared is strongly: a weak tag is none of ours, nor is anything else that we never answered with.
    """
    if seen is None or seen.strip() == "*":
        return None
    return frozenset(int(tag[1:-1]) for tag in _TAGS.findall(seen[:_LONGEST]) if _OURS.fullmatch(tag))


def _hand(
    container: Container, actor: Actor, action: str, edition_id: int, seen: str | None, **detail: Any
) -> edit.Hand:
    now = container.clock.now()

    async def then(session: Session, made: Edition) -> None:
        await audit.record(session, actor.name, action, "edition", edition_id, now, version=made.version, **detail)

    return edit.Hand(now, then, _version(seen), container.settings.operator_emails, container.weigh)


def _tagged(edition: Edition, response: Response) -> EditionOut:
    response.headers["etag"] = f'"{edition.version}"'
    return EditionOut.of(edition)
