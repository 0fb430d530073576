"""Editions going out: test, send, pause, resume, cancel, retry, correct, watch."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query

from app.bootstrap import Container
from app.core.errors import Conflict
from app.operations import audit, idempotency
from app.stages.audience import address as addresses
from app.stages.compose import correct as revision
from app.stages.compose import draft
from app.stages.render import message
from app.stages.send import again, control, release, trial, watch
from app.stages.send.guard import may_receive
from app.stages.send.ways import in_use
from app.web.api import edition_deeds, live
from app.web.api.auth import Once, Reader, Sender, is_in_force
from app.web.api.json_route import JsonRoute
from app.web.api.shapes import CancelIn, EditionOut, Progress, RestOut, TestIn
from app.web.deps import ContainerDep, Now, ReadSession, RowId, WriteSession

Unknowns = Annotated[bool, Query(description="Also those of whom nobody knows: they may get it twice.")]

router = APIRouter(prefix="/editions", tags=["editions"], route_class=JsonRoute)


@router.post("/{edition_id:int}/test", summary="Mail an edition to one address, outside the ledger")
async def test(container: ContainerDep, actor: Sender, once: Once, edition_id: RowId, asked: TestIn) -> dict[str, str]:
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
        await edition_deeds.record(container, actor, "test", edition_id)
        return {"provider": provider.name, "id": provider_id}

    return await idempotency.once(container.db, container.clock, once, work)


@router.post("/{edition_id:int}/send", summary="Send a frozen edition to every reader now, whatever their morning")
async def send(container: ContainerDep, actor: Sender, once: Once, edition_id: RowId) -> dict[str, int]:
    async def work() -> dict[str, Any]:
        released = await release.send_now(container.db, edition_id, container.settings, container.clock.now())
        await edition_deeds.record(container, actor, "send", edition_id, released=released)
        return {"released": released}

    return await idempotency.once(container.db, container.clock, once, work)


@router.post("/{edition_id:int}/pause", summary="Begin no further hand-over")
async def pause(session: WriteSession, actor: Sender, now: Now, edition_id: RowId) -> EditionOut:
    edition = await control.pause(session, edition_id)
    await audit.record(session, actor.name, "pause", "edition", edition_id, now)
    return EditionOut.of(edition)


@router.post("/{edition_id:int}/resume", summary="Go on with what is still owed")
async def resume(session: WriteSession, actor: Sender, now: Now, edition_id: RowId) -> EditionOut:
    edition = await control.resume(session, edition_id)
    await audit.record(session, actor.name, "resume", "edition", edition_id, now)
    return EditionOut.of(edition)


@router.post("/{edition_id:int}/cancel", summary="Begin no further hand-over, for good")
async def cancel(
    session: WriteSession, actor: Sender, now: Now, edition_id: RowId, asked: CancelIn | None = None
) -> EditionOut:
    reason = (asked or CancelIn()).reason
    edition = await control.cancel(session, edition_id, reason, now)
    await audit.record(session, actor.name, "cancel", "edition", edition_id, now, reason=reason)
    return EditionOut.of(edition)


@router.get("/{edition_id:int}/retry", summary="Whom a retry would send it again: nothing is done")
async def rest(session: ReadSession, _: Reader, edition_id: RowId, include_unknown: Unknowns = False) -> RestOut:
    return RestOut.model_validate(await again.rest(session, edition_id, include_unknown=include_unknown))


@router.post(
    "/{edition_id:int}/retry", summary="Send it again to exactly those who went without it and are not to blame"
)
async def retry(
    container: ContainerDep, actor: Sender, once: Once, edition_id: RowId, include_unknown: Unknowns = False
) -> RestOut:
    async def work() -> dict[str, Any]:
        done = await again.retry(
            container.db, edition_id, container.settings, container.clock.now(), include_unknown=include_unknown
        )
        counts = RestOut.model_validate(done).model_dump()
        await edition_deeds.record(container, actor, "retry", edition_id, include_unknown=include_unknown, **counts)
        return counts

    return RestOut.model_validate(await idempotency.once(container.db, container.clock, once, work))


@router.post("/{edition_id:int}/late", summary="Send it to those who confirmed after their morning had passed")
async def late(container: ContainerDep, actor: Sender, once: Once, edition_id: RowId) -> dict[str, int]:
    async def work() -> dict[str, Any]:
        released = await release.late(container.db, edition_id, container.settings, container.clock.now())
        await edition_deeds.record(container, actor, "late", edition_id, released=released)
        return {"released": released}

    return await idempotency.once(container.db, container.clock, once, work)


@router.post(
    "/{edition_id:int}/correct", summary="Cancel it and compose a successor for the readers who have not got it"
)
async def correct(container: ContainerDep, actor: Sender, once: Once, edition_id: RowId) -> EditionOut:
    async def work() -> dict[str, Any]:
        now = container.clock.now()
        async with container.db.write() as session:
            await control.cancel(session, edition_id, "a correction takes its place", now)
            made = await revision.successor(session, edition_id, now)
            await audit.record(session, actor.name, "correct", "edition", edition_id, now, successor=made.id)
        operators = container.settings.operator_emails
        zone = container.settings.zone
        await draft.compose(container.db, made.date, now, operators, made.kind, container.weigh, zone)
        async with container.db.read() as session:
            return EditionOut.of(await edition_deeds.find(session, made.id)).model_dump(mode="json")

    return EditionOut.model_validate(await idempotency.once(container.db, container.clock, once, work))


@router.get(
    "/{edition_id:int}/progress",
    summary="How far a send is; as text/event-stream once a second until it has ended",
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def progress(
    container: ContainerDep, actor: Reader, edition_id: RowId, accept: Annotated[str, Header()] = ""
) -> Progress:
    first = await _progress(container, edition_id)
    if "text/event-stream" in accept:
        return live.stream(first, lambda: _progress(container, edition_id), lambda: is_in_force(container, actor))  # type: ignore[return-value]  # as it is
    return first


async def _progress(container: Container, edition_id: int) -> Progress:
    resend = container.settings.on_unknown == "resend"
    async with container.db.read() as session:
        return Progress.of(await watch.look(session, edition_id, container.clock.now(), resend=resend))
