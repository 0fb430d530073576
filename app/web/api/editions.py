"""Editions: compose, look, lint, approve, freeze, test, send, pause, resume, cancel, retry, correct, watch."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, HTTPException, Query, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from app.bootstrap import Container
from app.core.db import Session
from app.core.errors import Conflict, InvalidInput, NotFound
from app.models import Edition
from app.operations import audit, idempotency
from app.operations.access import Actor
from app.stages.audience import address as addresses
from app.stages.compose import correct as revision
from app.stages.compose import draft, edit
from app.stages.render import freeze as press
from app.stages.render import link_check, linting, message, preview
from app.stages.render.lint.problem import errors
from app.stages.send import again, control, release, trial, watch
from app.stages.send.guard import may_receive
from app.stages.send.ways import in_use
from app.store import editions
from app.web.api import live
from app.web.api.auth import Once, Reader, Sender, Writer
from app.web.api.shapes import CancelIn, ComposeIn, EditionOut, HoldIn, LintOut, Page, Progress, RestOut, TestIn, page
from app.web.api.stories import Before, Limit
from app.web.deps import ContainerDep, Now, ReadSession, WriteSession

Seen = Annotated[
    str | None,
    Header(alias="If-Match", description="The ETag of the edition as you saw it; 412 where it changed."),
]

router = APIRouter(prefix="/editions", tags=["editions"])


@router.get("", summary="List editions, the newest first")
async def index(session: ReadSession, _: Reader, before: Before = None, limit: Limit = 50) -> Page[EditionOut]:
    rows = await editions.newest(session, limit, before)
    return page([EditionOut.of(row) for row in rows], [row.id for row in rows], limit)


@router.post("/compose", summary="Compose the edition of a date from what is stored")
async def compose(container: ContainerDep, actor: Writer, asked: ComposeIn) -> EditionOut:
    now = container.clock.now()
    today = now.astimezone(container.settings.zone).date()
    day = asked.date or today
    if not today - timedelta(days=1) <= day <= today + timedelta(days=7):
        raise Conflict("An edition is composed for a date between yesterday and a week from now.")
    made = await draft.compose(container.db, day, now, container.settings.operator_emails, asked.kind, container.weigh)
    return await _changed(container, actor, "compose", made.edition_id)


@router.get("/{edition_id}", summary="Read an edition")
async def show(session: ReadSession, _: Reader, edition_id: int, response: Response) -> EditionOut:
    return _tagged(await _one(session, edition_id), response)


@router.patch("/{edition_id}", summary="Change subject, preheader, or what stands where, before the freeze")
async def change(
    container: ContainerDep,
    actor: Writer,
    edition_id: int,
    changes: edit.Changes,
    response: Response,
    seen: Seen = None,
) -> EditionOut:
    if seen is None:
        raise HTTPException(428, "Send If-Match with the ETag of the edition as you saw it.")
    hand = _hand(container, actor, "edit", edition_id, seen, fields=changes.named)
    return _tagged(await edit.change(container.db, edition_id, changes, hand), response)


@router.post("/{edition_id}/hold", summary="Hold an edition until somebody lets it go")
async def hold(
    container: ContainerDep, actor: Writer, edition_id: int, asked: HoldIn, response: Response, seen: Seen = None
) -> EditionOut:
    hand = _hand(container, actor, "hold", edition_id, seen)
    return _tagged(await edit.hold(container.db, edition_id, asked.reason, hand), response)


@router.post("/{edition_id}/unhold", summary="Let a held edition go as it is; lint looks at it again when it is frozen")
async def unhold(
    container: ContainerDep, actor: Writer, edition_id: int, response: Response, seen: Seen = None
) -> EditionOut:
    hand = _hand(container, actor, "unhold", edition_id, seen)
    return _tagged(await edit.unhold(container.db, edition_id, hand), response)


@router.get("/{edition_id}/preview", summary="See an edition as it would be mailed", response_class=HTMLResponse)
async def see(
    container: ContainerDep, _: Reader, edition_id: int, form: Annotated[Literal["html", "text"], Query()] = "html"
) -> Response:
    made = await preview.of_edition(container.db, edition_id, container.settings.publication)
    if form == "text":
        return PlainTextResponse(made.text)
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
    return HTMLResponse(made.html, headers={"content-security-policy": policy})


@router.get("/{edition_id}/lint", summary="What is wrong with an edition: errors keep it from being frozen")
async def lint(container: ContainerDep, _: Reader, edition_id: int) -> LintOut:
    settings = container.settings
    return LintOut.of(await linting.of_edition(container.db, edition_id, settings.publication, container.clock.now()))


@router.post("/{edition_id}/lint", summary="The same, after looking its links up: takes up to two minutes")
async def lint_links(container: ContainerDep, _: Writer, edition_id: int) -> LintOut:
    if container.links is None:
        raise Conflict("Links are not looked up here: MORNINGPOST_CHECK_LINKS is off.")
    settings, now = container.settings, container.clock.now()
    await link_check.of_edition(container.db, edition_id, settings.publication, container.links, now)
    return LintOut.of(await linting.of_edition(container.db, edition_id, settings.publication, now))


@router.post("/{edition_id}/approve", summary="Let a ready edition be frozen (APPROVAL=manual)")
async def approve(session: WriteSession, actor: Writer, now: Now, edition_id: int, seen: Seen = None) -> EditionOut:
    edition = await edit.approve(session, edition_id, now, _version(seen))
    await audit.record(session, actor.name, "approve", "edition", edition_id, now)
    return EditionOut.of(edition)


@router.post("/{edition_id}/freeze", summary="Render and freeze a ready edition now")
async def freeze(
    container: ContainerDep,
    actor: Sender,
    edition_id: int,
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
    return await _changed(container, actor, "freeze", edition_id, **detail)


@router.post("/{edition_id}/test", summary="Mail an edition to one address, outside the ledger")
async def test(container: ContainerDep, actor: Sender, once: Once, edition_id: int, asked: TestIn) -> dict[str, str]:
    to = addresses.parse(asked.to).mail
    async with container.db.read() as session:
        provider = await in_use(session, container.providers, container.clock.now())
    if provider.capabilities.real and not may_receive(container.settings, to):
        raise Conflict("Outside production only ALLOWED_RECIPIENTS are mailed; that address is not one of them.")

    async def work() -> dict[str, Any]:
        mail = await message.trial_of(
            container.db, edition_id, container.settings.publication, to, container.clock.now()
        )
        provider_id = await trial.send(provider, mail)
        await _changed(container, actor, "test", edition_id)
        return {"provider": provider.name, "id": provider_id}

    return await idempotency.once(container.db, container.clock, once, work)


@router.post("/{edition_id}/send", summary="Send a frozen edition to every reader now, whatever their morning")
async def send(container: ContainerDep, actor: Sender, once: Once, edition_id: int) -> dict[str, int]:
    async def work() -> dict[str, Any]:
        released = await release.send_now(container.db, edition_id, container.settings, container.clock.now())
        await _changed(container, actor, "send", edition_id, released=released)
        return {"released": released}

    return await idempotency.once(container.db, container.clock, once, work)


@router.post("/{edition_id}/pause", summary="Begin no further hand-over")
async def pause(session: WriteSession, actor: Sender, now: Now, edition_id: int) -> EditionOut:
    edition = await control.pause(session, edition_id)
    await audit.record(session, actor.name, "pause", "edition", edition_id, now)
    return EditionOut.of(edition)


@router.post("/{edition_id}/resume", summary="Go on with what is still owed")
async def resume(session: WriteSession, actor: Sender, now: Now, edition_id: int) -> EditionOut:
    edition = await control.resume(session, edition_id)
    await audit.record(session, actor.name, "resume", "edition", edition_id, now)
    return EditionOut.of(edition)


@router.post("/{edition_id}/cancel", summary="Begin no further hand-over, for good")
async def cancel(
    session: WriteSession, actor: Sender, now: Now, edition_id: int, asked: CancelIn | None = None
) -> EditionOut:
    reason = (asked or CancelIn()).reason
    edition = await control.cancel(session, edition_id, reason, now)
    await audit.record(session, actor.name, "cancel", "edition", edition_id, now, reason=reason)
    return EditionOut.of(edition)


Unknowns = Annotated[bool, Query(description="Also those of whom nobody knows: they may get it twice.")]


@router.get("/{edition_id}/retry", summary="Whom a retry would send it again: nothing is done")
async def rest(session: ReadSession, _: Reader, edition_id: int, include_unknown: Unknowns = False) -> RestOut:
    return RestOut.model_validate(await again.rest(session, edition_id, include_unknown=include_unknown))


@router.post("/{edition_id}/retry", summary="Send it again to exactly those who went without it and are not to blame")
async def retry(
    container: ContainerDep, actor: Sender, once: Once, edition_id: int, include_unknown: Unknowns = False
) -> RestOut:
    async def work() -> dict[str, Any]:
        done = await again.retry(
            container.db, edition_id, container.settings, container.clock.now(), include_unknown=include_unknown
        )
        counts = RestOut.model_validate(done).model_dump()
        await _changed(container, actor, "retry", edition_id, include_unknown=include_unknown, **counts)
        return counts

    return RestOut.model_validate(await idempotency.once(container.db, container.clock, once, work))


@router.post("/{edition_id}/late", summary="Send it to those who confirmed after their morning had passed")
async def late(container: ContainerDep, actor: Sender, once: Once, edition_id: int) -> dict[str, int]:
    async def work() -> dict[str, Any]:
        released = await release.late(container.db, edition_id, container.settings, container.clock.now())
        await _changed(container, actor, "late", edition_id, released=released)
        return {"released": released}

    return await idempotency.once(container.db, container.clock, once, work)


@router.post("/{edition_id}/correct", summary="Cancel it and compose a successor for the readers who have not got it")
async def correct(container: ContainerDep, actor: Sender, once: Once, edition_id: int) -> EditionOut:
    async def work() -> dict[str, Any]:
        now = container.clock.now()
        async with container.db.write() as session:
            await control.cancel(session, edition_id, "a correction takes its place", now)
            made = await revision.successor(session, edition_id, now)
            await audit.record(session, actor.name, "correct", "edition", edition_id, now, successor=made.id)
        operators = container.settings.operator_emails
        await draft.compose(container.db, made.date, now, operators, made.kind, container.weigh)
        async with container.db.read() as session:
            return EditionOut.of(await _one(session, made.id)).model_dump(mode="json")

    return EditionOut.model_validate(await idempotency.once(container.db, container.clock, once, work))


@router.get(
    "/{edition_id}/progress",
    summary="How far a send is; as text/event-stream once a second until it has ended",
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def progress(
    container: ContainerDep, _: Reader, edition_id: int, accept: Annotated[str, Header()] = ""
) -> Progress:
    first = await _progress(container, edition_id)
    if "text/event-stream" in accept:
        return live.stream(first, lambda: _progress(container, edition_id))  # type: ignore[return-value]  # as it is
    return first


async def _progress(container: Container, edition_id: int) -> Progress:
    async with container.db.read() as session:
        return Progress.of(await watch.look(session, edition_id, container.clock.now()))


def _version(seen: str | None) -> int | None:
    """The version that an If-Match names (RFC 9110 section 13.1.1); None where it does not matter."""
    if seen is None or seen.strip() == "*":
        return None
    found = re.fullmatch(r'"(\d{1,9})"', seen.strip())
    if found is None:
        raise InvalidInput("If-Match is the ETag that an edition was answered with.", "If-Match")
    return int(found[1])


def _hand(
    container: Container, actor: Actor, action: str, edition_id: int, seen: str | None, **detail: Any
) -> edit.Hand:
    now = container.clock.now()

    async def then(session: Session) -> None:
        await audit.record(session, actor.name, action, "edition", edition_id, now, **detail)

    return edit.Hand(now, then, _version(seen), container.settings.operator_emails, container.weigh)


def _tagged(edition: Edition, response: Response) -> EditionOut:
    response.headers["etag"] = f'"{edition.version}"'
    return EditionOut.of(edition)


async def _one(session: Session, edition_id: int) -> Edition:
    edition = await editions.get(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    return edition


async def _changed(container: Container, actor: Actor, action: str, edition_id: int, **detail: Any) -> EditionOut:
    """Writes the audit line of a deed that had its own transactions, and shows what it left."""
    async with container.db.write() as session:
        await audit.record(session, actor.name, action, "edition", edition_id, container.clock.now(), **detail)
        return EditionOut.of(await _one(session, edition_id))
