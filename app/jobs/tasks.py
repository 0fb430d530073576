"""What each job does: open, ask what is owed, do it, close. Each can run twice, late, or in two places."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from functools import partial

import structlog

from app.bootstrap import Container
from app.core.calendar import Hours
from app.core.errors import Conflict
from app.models import Edition
from app.models.content import EditionKind
from app.models.links import LinkVerdict
from app.models.states import EditionStatus
from app.operations import housekeeping, retention
from app.operations.slots import once
from app.stages.audience import erasure, pending
from app.stages.collect import gather as stories
from app.stages.collect import snapshot
from app.stages.compose import draft, edit
from app.stages.compose.week import SATURDAY
from app.stages.render import freeze as press
from app.stages.render import link_check
from app.stages.send import control, release
from app.stages.send import lapse as late
from app.stages.send import regroup as domains
from app.store import drafts, editions, holding, leases, shared_settings, subscribers

COLLECT_WITHIN = timedelta(seconds=60)
GATHER_WITHIN = timedelta(seconds=90)
PLAN_EVERY = timedelta(seconds=60)

log = structlog.get_logger(__name__)


async def collect(container: Container, owner: str) -> None:
    """Once an hour."""
    slot = f"{container.clock.now():%Y-%m-%dT%H}"
    await once(container.db, container.clock, "collect", slot, owner, lambda: _collect(container))


async def _collect(container: Container, *, insist: bool = False) -> str:
    report = await snapshot.collect(
        container.db, container.sources, container.clock.now(), COLLECT_WITHIN.total_seconds(), insist=insist
    )
    return report.summary


async def gather(container: Container, owner: str) -> None:
    """Once an hour: stories, from the sources that are due."""
    slot = f"{container.clock.now():%Y-%m-%dT%H}"
    await once(container.db, container.clock, "gather", slot, owner, lambda: _gather(container))


async def _gather(container: Container) -> str:
    report = await stories.gather(
        container.db, container.gatherer, container.clock.now(), GATHER_WITHIN.total_seconds()
    )
    return report.summary


async def _at_best(work: Awaitable[str], undone: str) -> None:
    """Before composing. Whatever may be wrong with what strangers publish, the paper goes on without it."""
    try:
        await work
    except Exception:
        log.exception(undone)


async def compose(container: Container, owner: str) -> None:
    """At COMPOSE_AT, or as soon after it as somebody can: collect afresh, then put the paper together."""
    day = await _day_owed(container, lambda hours: hours.compose_at)
    if day is None:
        return
    await once(
        container.db, container.clock, "compose", day.isoformat(), owner, lambda: _collect_and_compose(container, day)
    )
    if await _weekly_owed(container, day):
        weekly = partial(_compose, container, day, EditionKind.WEEKLY)
        await once(container.db, container.clock, "compose", _slot(day, EditionKind.WEEKLY), owner, weekly)


async def _weekly_owed(container: Container, day: date) -> bool:
    """On a Saturday whose daily is composed, so that all is counted and gathered, and where anybody reads weekly."""
    if day.weekday() != SATURDAY:
        return False
    async with container.db.read() as session:
        daily = await leases.is_finished(session, "compose", day.isoformat())
        return daily and await subscribers.any_weekly(session)


async def _collect_and_compose(container: Container, day: date) -> str:
    await asyncio.gather(
        _at_best(_collect(container, insist=True), "trends were not counted before composing"),
        _at_best(_gather(container), "no stories were gathered before composing"),
    )
    return await _compose(container, day, EditionKind.DAILY)


async def _compose(container: Container, day: date, kind: EditionKind) -> str:
    operators = container.settings.operator_emails
    try:
        composed = await draft.compose(
            container.db, day, container.clock.now(), operators, kind, container.weigh, container.settings.zone
        )
    except Conflict as refusal:
        async with container.db.read() as session:
            made = await editions.of_day(session, day, kind)
        if made is None or made.status in drafts.COMPOSABLE:  # somebody was in the way, and it is still owed
            raise
        return str(refusal)  # an operator was quicker: it is frozen already
    if composed.status is EditionStatus.HELD:
        log.warning("the edition is held", date=str(day), kind=kind.value, why=composed.reason)
    return f"{composed.status.value} {composed.reason}".strip()


async def links(container: Container, owner: str) -> None:
    """Once for each content of today's editions: so the freeze knows which links answer, and waits for none."""
    if container.links is None:
        return
    for edition in await _todays(container, lambda hours: hours.compose_at):
        if edition.content is not None and edition.frozen_at is None:
            slot = f"{_slot(edition.date, edition.kind)}-{edition.content_hash[:16]}"
            await once(container.db, container.clock, "links", slot, owner, partial(_links, container, edition.id))


async def _links(container: Container, edition_id: int) -> str:
    assert container.links is not None
    known = await link_check.of_edition(
        container.db, edition_id, container.settings.publication, container.links, container.clock.now()
    )
    return f"{sum(one.verdict is LinkVerdict.WORKS for one in known.values())} of {len(known)} links answer"


async def freeze(container: Container, owner: str) -> None:
    """At FREEZE_AT when APPROVAL is auto; after the approval when it is manual, for which the operators are asked."""
    for edition in await _todays(container, lambda hours: hours.freeze_at):
        unapproved = _by_hand(container) and edition.approved_at is None
        if edition.status is EditionStatus.READY and unapproved:
            slot = f"{_slot(edition.date, edition.kind)}-{edition.content_hash[:16]}"
            ask = partial(_ask_for_approval, container, edition)
            await once(container.db, container.clock, "approval", slot, owner, ask)
        elif edition.status is EditionStatus.READY:
            slot = _slot(edition.date, edition.kind)
            await once(container.db, container.clock, "freeze", slot, owner, partial(_freeze, container, edition.id))


def _by_hand(container: Container) -> bool:
    """Is nothing frozen before an operator has approved it?"""
    return container.settings.approval == "manual"


async def _freeze(container: Container, edition_id: int) -> str | None:
    try:
        await press.freeze(
            container.db,
            edition_id,
            container.settings.publication,
            container.clock.now(),
            approved=_by_hand(container),
            operators=container.settings.operator_emails,
        )
    except Conflict as refusal:
        log.warning("the freeze waits", edition=edition_id, why=str(refusal))
        return None
    return "frozen"


async def _ask_for_approval(container: Container, edition: Edition) -> str:
    async with container.db.write() as session:
        await holding.wants_approval(session, edition, container.settings.operator_emails, container.clock.now())
    return "the operators are told"


async def hold_overdue(container: Container, owner: str) -> None:
    """Once an hour: an edition whose day passed before it was frozen is held, and the operators are told."""
    now = container.clock.now()
    await once(
        container.db,
        container.clock,
        "overdue",
        f"{now:%Y-%m-%dT%H}",
        owner,
        lambda: edit.hold_overdue(container.db, container.settings, now),
    )


async def let_go(container: Container, planned: dict[int, datetime]) -> None:
    """Releases readers whose morning has come, and ends editions that owe nothing. `planned` is the caller's memory."""
    async with container.db.read() as session:
        underway = await editions.in_state(session, (*editions.OPEN, EditionStatus.PAUSED))
    for edition in underway:
        now = container.clock.now()
        if edition.status in editions.OPEN:
            if now - planned.get(edition.id, now - PLAN_EVERY) >= PLAN_EVERY:
                await release.plan(container.db, edition, container.settings)
                planned[edition.id] = now
            await release.release_due(container.db, edition, container.settings, now)
        await release.try_end(container.db, edition, container.settings, now, expire=container.clock.may_expire)
    await control.settle(container.db, container.clock.now())


async def sweep(container: Container, owner: str) -> None:
    """Once an hour: readers whose morning passed without a row."""
    slot = f"{container.clock.now():%Y-%m-%dT%H}"
    await once(container.db, container.clock, "sweep", slot, owner, lambda: _sweep(container))


async def lapse(container: Container, _: str) -> None:
    """What is too late is given up, also where no provider is free."""
    await late.lapse(container.db, container.settings, container.clock.now())


async def _sweep(container: Container) -> str:
    async with container.db.read() as session:
        recent = await editions.in_state(session, editions.PUBLIC)
    released = 0
    for edition in recent:
        hours = await release.hours_of(container.db, edition, container.settings)
        if not hours.is_over(edition.date, container.clock.now()):
            await release.plan(container.db, edition, container.settings)
            released += await release.sweep(container.db, edition, container.settings, container.clock.now())
    return f"{released} readers released late"


async def remind(container: Container, owner: str) -> None:
    """Once an hour: whoever asked two days ago and has not pressed the button."""
    now = container.clock.now()
    await once(
        container.db, container.clock, "remind", f"{now:%Y-%m-%dT%H}", owner, lambda: pending.remind(container.db, now)
    )


async def forget(container: Container, owner: str) -> None:
    """Once a day: sign-ups that were never confirmed."""
    now = container.clock.now()
    await once(
        container.db, container.clock, "forget", f"{now:%Y-%m-%d}", owner, lambda: pending.forget(container.db, now)
    )


async def truncate(container: Container, owner: str) -> None:  # noqa: ARG001  # as every job
    """Seconds after an erasure: empties the write-ahead log, which still holds what was erased."""
    await erasure.truncate(container.db)


async def tidy(container: Container, owner: str) -> None:
    """Once a day."""
    now = container.clock.now()
    await once(
        container.db,
        container.clock,
        "housekeeping",
        f"{now:%Y-%m-%d}",
        owner,
        lambda: housekeeping.tidy(container.db, now),
    )


async def regroup(container: Container, owner: str) -> None:
    """Once a day, where DNS may be asked: which readers' domains are kept by a large mailbox provider."""
    exchangers, now = container.exchangers, container.clock.now()
    if exchangers is None:
        return
    await once(
        container.db,
        container.clock,
        "regroup",
        f"{now:%Y-%m-%d}",
        owner,
        lambda: domains.regroup(container.db, exchangers, now),
    )


def _slot(day: date, kind: EditionKind) -> str:
    return editions.slug_of(kind, day)


async def _todays(container: Container, at: Callable[[Hours], time]) -> list[Edition]:
    """The editions of the date whose slot at a time of day is owed."""
    day = await _day_owed(container, at)
    if day is None:
        return []
    async with container.db.read() as session:
        return await editions.on(session, day)


async def fold(container: Container, owner: str) -> None:
    """Once a day: deliveries of editions long past, whose counts are enough."""
    now, days = container.clock.now(), container.settings.keep_deliveries
    await once(
        container.db, container.clock, "fold", f"{now:%Y-%m-%d}", owner, lambda: retention.fold(container.db, days, now)
    )


async def _day_owed(container: Container, at: Callable[[Hours], time]) -> date | None:
    """The date whose slot at a time of day has come and is not yet too late to be of use."""
    now = container.clock.now()
    async with container.db.read() as session:
        hours = await shared_settings.hours_at(session, now, container.settings.hours)
    day = hours.today(now)
    ends = hours.window(day).start + hours.max_late
    return day if hours.instant(day, at(hours)) <= now < ends else None
