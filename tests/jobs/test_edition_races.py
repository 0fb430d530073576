"""Two things done to one edition at once, on both engines, in an order that is certain (`tests.interleave`).

Each test names what is true whichever of the two comes first: what was answered as done is done, what is frozen was
approved, and every edition ends.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.db import Session
from app.core.errors import Conflict, Stale
from app.core.settings import load_settings
from app.jobs import tasks
from app.jobs.mailroom import Mailroom
from app.models import Delivery, Edition, OperatorMail
from app.models.content import Section
from app.models.states import DeliveryStatus, EditionStatus
from app.stages.collect import stories as desk
from app.stages.compose import correct, draft, edit
from app.stages.compose.edit import Changes, Hand
from app.stages.render import freeze as press
from app.stages.render import printed
from app.stages.send import again, control, release
from app.store import deliveries, drafts, editions, holding, leases, progress, releases
from tests.interleave import at_once, stop_at
from tests.people import DAY, NOON, add_reader
from tests.stages.collect.standin import closed_port

FIVE = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
FREEZE = FIVE + timedelta(minutes=30)
MORNING = FIVE + timedelta(minutes=90)
ENDED = (EditionStatus.SENT, EditionStatus.PARTIALLY_SENT, EditionStatus.CANCELLED)


@pytest.fixture
async def container(database_url: str, clock: FixedClock) -> AsyncIterator[Container]:
    nobody = closed_port()
    settings = load_settings(
        database_url=database_url,
        secret_keys="k" * 40,
        huggingface_url=nobody,
        github_url=nobody,
        approval="auto",
        operator_emails=("editor@example.org",),
    )
    made = build(settings, clock)
    clock.move(FIVE)
    async with made.db.write() as session:
        for section in (Section.LEAD, Section.TOOLS, Section.TOOLS):
            fields = {"section": section, "headline": f"A {section.value} story", "standfirst": "It stands first."}
            await desk.create(session, desk.parse(fields), NOON)
    yield made
    await made.close()


def by_hand(container: Container) -> Container:
    """The same, where nothing is frozen before an operator approves it."""
    return replace(container, settings=container.settings.model_copy(update={"approval": "manual"}))


async def edition(container: Container, day: date = DAY) -> Edition:
    async with container.db.read() as session:
        found = await editions.of_day(session, day)
    assert found is not None
    return found


async def composed(container: Container) -> Edition:
    await draft.compose(container.db, DAY, container.clock.now())
    return await edition(container)


async def frozen(container: Container, clock: FixedClock, readers: int = 3) -> Edition:
    for number in range(readers):
        await add_reader(container.db, f"reader{number}@example.org")
    made = await composed(container)
    clock.move(FREEZE)
    await press.freeze(container.db, made.id, container.settings.publication, clock.now())
    return await edition(container)


async def said(_: Session, __: Edition) -> None:
    """No line in the audit log."""


def hand(container: Container, version: int | None = None) -> Hand:
    return Hand(container.clock.now(), said, frozenset({version}) if version else None)


async def approve(container: Container, edition_id: int, version: int | None = None) -> Edition:
    async with container.db.write() as session:
        return await edit.approve(session, edition_id, container.clock.now(), frozenset({version}) if version else None)


async def pause(container: Container, edition_id: int) -> Edition:
    async with container.db.write() as session:
        return await control.pause(session, edition_id)


async def resume(container: Container, edition_id: int) -> Edition:
    async with container.db.write() as session:
        return await control.resume(session, edition_id)


async def cancel(container: Container, edition_id: int) -> Edition:
    async with container.db.write() as session:
        return await control.cancel(session, edition_id, "the lead is wrong", container.clock.now())


async def send(container: Container, edition_id: int) -> int:
    return await release.send_now(container.db, edition_id, container.settings, container.clock.now())


async def ticks(container: Container, clock: FixedClock, times: int = 3) -> None:
    """What the timetable and the dispatcher do in a few minutes."""
    planned: dict[int, datetime] = {}
    for _ in range(times):
        await tasks.let_go(container, planned)
        await Mailroom(container, "a", asyncio.Event()).papers()
        await tasks.let_go(container, planned)
        clock.move(clock.now() + timedelta(minutes=1))


async def by_status(container: Container, edition_id: int) -> dict[DeliveryStatus, int]:
    async with container.db.read() as session:
        rows = await session.execute(
            select(Delivery.status, func.count()).where(Delivery.edition_id == edition_id).group_by(Delivery.status)
        )
        return {status: count for status, count in rows}  # noqa: C416  # dict() takes a Result for a mapping


# -- what is frozen was approved -----------------------------------------------------------------------------------


@pytest.mark.parametrize("between", ["judged and read", "read and written"])
async def test_text_that_nobody_approved_is_not_frozen(
    container: Container, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    """The approval is taken back by an edit after the timetable looked at it, or while the edition is rendered."""
    manual = by_hand(container)
    made = await composed(manual)
    await approve(manual, made.id, made.version)
    clock.move(FREEZE)
    stop = stop_at(monkeypatch, *((press, "freeze") if between == "judged and read" else (printed, "press")))
    _, changed = await at_once(
        stop, tasks.freeze(manual, "a"), lambda: edit.change(manual.db, made.id, Changes(remove=[2]), hand(manual))
    )
    assert isinstance(changed, Edition)
    now = await edition(manual)
    assert (now.status, now.approved_at) == (EditionStatus.READY, None)
    monkeypatch.undo()
    await tasks.freeze(manual, "a")
    assert (await edition(manual)).status is EditionStatus.READY
    await approve(manual, made.id, now.version)
    await tasks.freeze(manual, "a")
    assert (await edition(manual)).status is EditionStatus.FROZEN


async def test_an_approval_is_for_the_text_that_was_seen(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressed in the second half of a PATCH, with the ETag from before it: 412, and the text is not approved."""
    made = await composed(container)
    stop = stop_at(monkeypatch, drafts, "fill")
    changed, approved = await at_once(
        stop,
        edit.change(container.db, made.id, Changes(remove=[2]), hand(container, made.version)),
        lambda: approve(container, made.id, made.version),
    )
    assert isinstance(changed, Edition)
    assert isinstance(approved, Stale)
    assert (await edition(container)).approved_at is None


async def test_an_approval_comes_before_an_edit_that_did_not_see_it(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The edit of a version that was approved meanwhile is refused: 412 says by whom it was."""
    made = await composed(container)
    stop = stop_at(monkeypatch, edit, "fitted")
    changed, approved = await at_once(
        stop,
        edit.change(container.db, made.id, Changes(remove=[2]), hand(container, made.version)),
        lambda: approve(container, made.id, made.version),
    )
    assert isinstance(approved, Edition)
    assert isinstance(changed, Stale)
    assert f"version {made.version}" in str(changed)
    assert (await edition(container)).approved_at is not None


async def test_a_hold_beside_a_freeze_holds_or_is_refused(
    container: Container, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold that was answered as done is done: what is held is not frozen."""
    made = await composed(container)
    clock.move(FREEZE)
    stop = stop_at(monkeypatch, edit, "fitted")
    held, _ = await at_once(
        stop,
        edit.hold(container.db, made.id, "The lead is not checked", hand(container)),
        lambda: press.freeze(container.db, made.id, container.settings.publication, clock.now()),
    )
    status = (await edition(container)).status
    assert status is (EditionStatus.HELD if isinstance(held, Edition) else EditionStatus.FROZEN)
    assert isinstance(held, Edition | Conflict)


async def test_lint_does_not_hold_a_text_for_the_errors_of_the_one_before(
    container: Container, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit mends what lint is about to hold the edition for: whoever is second is told so."""
    made = await spoilt(container)
    clock.move(FREEZE)
    mend = Changes(subject="All is well today")
    stop = stop_at(monkeypatch, edit, "fitted")
    changed, refused = await at_once(
        stop,
        edit.change(container.db, made.id, mend, hand(container, made.version)),
        lambda: press.freeze(container.db, made.id, container.settings.publication, clock.now()),
    )
    assert isinstance(refused, Conflict)
    assert isinstance(changed, Stale)
    held = await edition(container)
    assert (held.status, held.subject) == (EditionStatus.HELD, made.subject)
    mended = await edit.change(container.db, made.id, mend, hand(container, held.version))
    assert (mended.status, mended.reason) == (EditionStatus.READY, "")


async def test_an_edit_that_comes_before_the_hold_of_lint_is_not_held(
    container: Container, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hold was for the text before: the freeze looks again, and freezes what was mended."""
    made = await spoilt(container)
    clock.move(FREEZE)
    stop = stop_at(monkeypatch, press, "_hold")
    frozen, changed = await at_once(
        stop,
        press.freeze(container.db, made.id, container.settings.publication, clock.now()),
        lambda: edit.change(container.db, made.id, Changes(subject="All is well today"), hand(container, made.version)),
    )
    assert not isinstance(frozen, Exception)
    assert isinstance(changed, Edition)
    now = await edition(container)
    assert (now.status, now.subject, now.holds) == (EditionStatus.FROZEN, "All is well today", 0)


async def spoilt(container: Container) -> Edition:
    made = await composed(container)
    await edit.change(container.db, made.id, Changes(subject="TODO: a subject"), hand(container, made.version))
    return await edition(container)


async def test_two_edits_at_once_leave_one_and_tell_the_other(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both saw the same version; the second hears what it is now."""
    made = await composed(container)
    stop = stop_at(monkeypatch, edit, "fitted")
    late, first = await at_once(
        stop,
        edit.change(container.db, made.id, Changes(subject="Mine"), hand(container, made.version)),
        lambda: edit.change(container.db, made.id, Changes(subject="Yours"), hand(container, made.version)),
    )
    assert isinstance(first, Edition)
    assert isinstance(late, Stale)
    assert f"ready at version {made.version + 1} now" in str(late)
    assert (await edition(container)).subject == "Yours"


# -- what was answered as done is done -----------------------------------------------------------------------------


@pytest.mark.parametrize(("deed", "status"), [(pause, EditionStatus.PAUSED), (cancel, EditionStatus.CANCELLED)])
async def test_a_stop_beside_a_send_stops_it(
    container: Container, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, deed: Any, status: EditionStatus
) -> None:
    """Pause and cancel, between reading the edition and writing what they decided."""
    made = await frozen(container, clock)
    stop = stop_at(monkeypatch, editions, "move")
    stopped, sent = await at_once(stop, deed(container, made.id), lambda: send(container, made.id))
    assert isinstance(stopped, Edition)
    assert stopped.status is status
    assert isinstance(sent, Conflict)
    await ticks(container, clock)
    assert (await edition(container)).status is status
    assert DeliveryStatus.ACCEPTED not in await by_status(container, made.id)


@pytest.mark.parametrize("at", ["move", "lock"])
@pytest.mark.parametrize(("deed", "status"), [(pause, EditionStatus.PAUSED), (cancel, EditionStatus.CANCELLED)])
async def test_a_send_that_was_stopped_says_so(
    container: Container, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, deed: Any, status: EditionStatus, at: str
) -> None:
    """The stop comes inside the send's first transaction, or between its two: 409, and the edition is stopped."""
    made = await frozen(container, clock)
    stop = stop_at(monkeypatch, *((editions, "move") if at == "move" else (release, "_release")))
    sent, stopped = await at_once(stop, send(container, made.id), lambda: deed(container, made.id))
    assert isinstance(stopped, Edition)
    now = await edition(container)
    assert now.status is status
    assert isinstance(sent, Conflict) or sent == 3  # it was through before it was stopped
    await ticks(container, clock)
    assert (await edition(container)).status is status


async def test_a_resume_beside_a_cancel_leaves_it_cancelled(
    container: Container, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For good, whichever came first."""
    made = await frozen(container, clock)
    await pause(container, made.id)
    stop = stop_at(monkeypatch, releases, "has_begun")
    _, cancelled = await at_once(stop, resume(container, made.id), lambda: cancel(container, made.id))
    assert isinstance(cancelled, Edition)
    assert (await edition(container)).status is EditionStatus.CANCELLED


async def test_two_corrections_at_once_make_one_successor(
    container: Container, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is given the draft of the first."""
    made = await frozen(container, clock)

    async def corrected() -> int:
        async with container.db.write() as session:
            await control.cancel(session, made.id, "a correction takes its place", clock.now())
            return (await correct.successor(session, made.id, clock.now())).id

    stop = stop_at(monkeypatch, drafts, "add_revision")
    first, second = await at_once(stop, corrected(), corrected)
    assert isinstance(first, int)
    assert first == second != made.id


async def test_two_sends_at_once_mail_everybody_once(
    container: Container, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are answered as done; each says how many were released since it was asked."""
    made = await frozen(container, clock)
    stop = stop_at(monkeypatch, releases, "release_chunk")
    first, second = await at_once(stop, send(container, made.id), lambda: send(container, made.id))
    assert (first, second) == (3, 0) or (first, second) == (3, 3)
    await ticks(container, clock)
    assert await by_status(container, made.id) == {DeliveryStatus.ACCEPTED: 3}
    assert (await edition(container)).status is EditionStatus.SENT


# -- an edition always ends ----------------------------------------------------------------------------------------


async def test_an_edition_sent_to_nobody_ends_also_when_it_was_paused(container: Container, clock: FixedClock) -> None:
    """`send` while nobody is eligible, then pause and resume."""
    made = await frozen(container, clock, readers=0)
    assert await send(container, made.id) == 0
    await pause(container, made.id)
    assert (await resume(container, made.id)).status is EditionStatus.SENDING
    await ticks(container, clock)
    assert (await edition(container)).status is EditionStatus.SENT


async def test_a_send_broken_off_by_a_pause_goes_on_when_it_is_resumed(
    container: Container, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause falls between the two transactions of a release: nobody is left out, and the edition ends."""
    made = await frozen(container, clock)
    stop = stop_at(monkeypatch, release, "_release")
    sent, paused = await at_once(stop, send(container, made.id), lambda: pause(container, made.id))
    assert isinstance(sent, Conflict)
    assert "paused while it was sent: 0 readers were released" in str(sent)
    assert isinstance(paused, Edition)
    assert (await resume(container, made.id)).status is EditionStatus.SENDING
    await ticks(container, clock)
    assert await by_status(container, made.id) == {DeliveryStatus.ACCEPTED: 3}
    assert (await edition(container)).status is EditionStatus.SENT


@pytest.mark.parametrize("deed", ["late", "retry"])
async def test_readers_released_as_an_edition_ends_are_mailed(
    container: Container, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    """`late` or `retry` after the end has counted what is owed, and before it is written down."""
    made = await frozen(container, clock)
    clock.move(MORNING)
    await ticks(container, clock, times=1)
    async with container.db.write() as session:
        found = await editions.lock(session, made.id)
        assert found is not None
        await editions.move(session, made.id, EditionStatus.SENT, EditionStatus.SENDING, "")
        if deed == "retry":
            await session.execute(
                update(Delivery).where(Delivery.subscriber_id == 1).values(status=DeliveryStatus.EXPIRED, provider=None)
            )
            changes = progress.Changes()
            was = progress.place(DeliveryStatus.ACCEPTED, attempt=1, provider="outbox")
            changes.move("other", was, progress.place(DeliveryStatus.EXPIRED, attempt=1, provider=None))
            await progress.add(session, made.id, progress.SETTLED, changes)
    if deed == "late":
        await add_reader(container.db, "late@example.org", confirmed_at=clock.now() - timedelta(seconds=1))
    going, now = await edition(container), clock.now()

    async def again_for_some() -> object:
        if deed == "late":
            return await release.late(container.db, made.id, container.settings, now)
        return (await again.retry(container.db, made.id, container.settings, now)).total

    stop = stop_at(monkeypatch, deliveries, "owed", after=True, call=2)
    _, some = await at_once(stop, release.try_end(container.db, going, container.settings, now), again_for_some)
    assert some == 1
    await ticks(container, clock)
    assert set(await by_status(container, made.id)) == {DeliveryStatus.ACCEPTED}
    assert (await edition(container)).status is EditionStatus.SENT


@pytest.mark.parametrize("begun", [False, True])
async def test_an_edition_that_is_paused_for_good_ends_with_its_day(
    container: Container, clock: FixedClock, begun: bool
) -> None:
    """Nothing of it can go out any more: it ends, and says that some went without it."""
    made = await frozen(container, clock)
    if begun:
        await send(container, made.id)
    await pause(container, made.id)
    clock.move(clock.now() + timedelta(hours=30))
    await tasks.let_go(container, {})
    assert (await edition(container)).status is EditionStatus.PAUSED
    clock.move(clock.now() + timedelta(hours=10))
    await tasks.lapse(container, "a")
    await tasks.let_go(container, {})
    ended = await edition(container)
    assert ended.status is EditionStatus.PARTIALLY_SENT
    assert ended.reason == ("3 readers went without it" if begun else "its day was over before all were released")


@pytest.mark.parametrize("manual", [False, True])
async def test_an_edition_whose_day_passed_unfrozen_is_held_and_the_operators_are_told(
    container: Container, clock: FixedClock, manual: bool
) -> None:
    """Ready or still a draft; one that waits for an approval is named already at FREEZE_AT."""
    made = await composed(container)
    if manual:
        clock.move(FREEZE)
        for _ in range(2):
            await tasks.freeze(by_hand(container), "a")
        assert await letters(container) == [
            ("approval", "It is ready, and is not frozen before an operator approves it.")
        ]
    clock.move(FREEZE + timedelta(hours=11))
    await tasks.hold_overdue(container, "a")
    assert (await edition(container)).status is EditionStatus.READY
    clock.move(FREEZE + timedelta(hours=12))
    for _ in range(2):
        await tasks.hold_overdue(by_hand(container) if manual else container, "a")
    held = await edition(container)
    why = "Its day passed and nobody approved it." if manual else "Its day passed before it was frozen."
    assert (held.status, held.reason) == (EditionStatus.HELD, why)
    assert (await letters(container))[-1] == ("overdue", why)
    forced = await press.freeze(container.db, made.id, container.settings.publication, clock.now(), force=True)
    assert forced is not None
    assert (await edition(container)).status is EditionStatus.FROZEN


async def letters(container: Container) -> list[tuple[str, str]]:
    async with container.db.read() as session:
        rows = (await session.scalars(select(OperatorMail).order_by(OperatorMail.id))).all()
    return [(row.parameters["by"], row.parameters["why"]) for row in rows]


# -- a slot is done only when what it owed is there ----------------------------------------------------------------


async def test_two_dates_composed_at_once_each_have_their_number(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number that both saw free goes to one; the other takes the next."""
    tomorrow = DAY + timedelta(days=1)
    stop = stop_at(monkeypatch, drafts, "add")
    one, other = await at_once(
        stop,
        draft.compose(container.db, DAY, container.clock.now()),
        lambda: draft.compose(container.db, tomorrow, container.clock.now()),
    )
    assert isinstance(one, draft.Composed)
    assert isinstance(other, draft.Composed)
    numbers = {(await edition(container)).number, (await edition(container, tomorrow)).number}
    assert numbers == {1, 2}


async def test_a_slot_without_its_edition_stays_owed(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """Composing was refused, and there is no edition of the date: the next tick tries again."""

    async def refused(*_: Any, **__: Any) -> None:
        raise Conflict("Many others are being composed.")

    monkeypatch.setattr(draft, "compose", refused)
    with suppress(Conflict):
        await tasks.compose(container, "a")
    async with container.db.read() as session:
        assert not await leases.is_finished(session, "compose", DAY.isoformat())
        assert await editions.of_day(session, DAY) is None


async def test_a_slot_of_a_date_that_an_operator_froze_is_done(container: Container, clock: FixedClock) -> None:
    """There is nothing left to compose."""
    await frozen(container, clock)
    await tasks.compose(container, "a")
    async with container.db.read() as session:
        assert await leases.is_finished(session, "compose", DAY.isoformat())


async def test_a_hold_is_not_written_over_a_version_that_nobody_looked_at(container: Container) -> None:
    """Whoever holds an edition by an old version is refused, and no letter is owed."""
    made = await composed(container)
    await edit.change(container.db, made.id, Changes(remove=[2]), hand(container))
    async with container.db.write() as session:
        with pytest.raises(Stale):
            await holding.hold(session, made, holding.Hold("why", holding.Holder.PAPER, ("editor@example.org",)), FIVE)
    assert await letters(container) == []
