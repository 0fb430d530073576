"""What an edition that goes out still waits for: how much, until when, and when it is through at the earliest."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.core.db import Database
from app.core.mail.message import Message
from app.core.mail.receipt import Accepted, Deferred, Receipt, Scope, Unknown
from app.models.states import EditionStatus
from app.stages.send import control, release, watch
from app.stages.send.watch import Look
from app.store import workers
from app.store.waits import Waits
from tests.people import NOON, minutes
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import Desk, desk

SOON = NOON + timedelta(seconds=20)


async def see(paper: Desk, at: timedelta = timedelta(seconds=20), *, resend: bool = True) -> Look:
    async with paper.db.read() as session:
        return await watch.look(session, paper.edition.id, NOON + at, resend=resend)


def deferring(*after: float) -> Scripted:
    """Defers the first readers for so many minutes each, and accepts everybody else's."""

    def answer(message: Message) -> Receipt:
        if message.attempt == 1 and message.key <= len(after):
            return Deferred("451", minutes(after[message.key - 1]))
        return Accepted()

    return Scripted(answer)


async def test_deferred_mail_is_waited_for_until_its_last_retry(db: Database, tmp_path: Path) -> None:
    """The rate of the others says nothing of it: it is through when the last one was tried again, at the earliest."""
    paper = await desk(db, tmp_path, readers=4)
    await paper.send(deferring(5, 20))
    look = await see(paper)
    assert (look.counts.accepted, look.counts.deferred, look.done) == (2, 2, 2)
    assert look.rate == pytest.approx(2 / 20)
    assert not look.waits.ready
    assert look.waits.retries is not None
    assert (look.waits.retries.first, look.waits.retries.last) == (NOON + minutes(5), NOON + minutes(20))
    assert look.done_at == NOON + minutes(20)
    idle = await see(paper, minutes(3))
    assert (idle.rate, idle.done_at) == (0.0, NOON + minutes(20)), "also while nothing is handed over"
    due = await see(paper, minutes(6))
    assert (due.waits.ready, due.done_at) == (True, None), "one is due, and nobody knows how fast it goes"
    assert due.waits.retries is not None
    assert due.waits.retries.first == NOON + minutes(20)


async def test_unknown_mail_is_waited_for_until_it_is_decided(db: Database, tmp_path: Path) -> None:
    """It is not done while it will be sent again; where it is held, nobody waits for it."""
    paper = await desk(db, tmp_path, readers=3)
    await paper.send(Scripted(lambda message: Unknown("no answer") if message.key == 1 else Accepted()))
    look = await see(paper)
    assert (look.counts.unknown, look.undecided, look.done, look.ended) == (1, 1, 2, False)
    decided = look.waits.decisions
    assert decided is not None
    assert NOON + minutes(10) <= decided.first == decided.last <= NOON + minutes(20)
    assert look.done_at == decided.last
    assert (await see(paper, minutes(21))).waits.ready
    held = await see(paper, resend=False)
    assert (held.undecided, held.done, held.waits.decisions, held.done_at) == (0, 3, None, None)


async def test_mail_that_no_provider_takes_waits_for_it(db: Database, tmp_path: Path) -> None:
    """A provider that defers everything for ten minutes is not tried before, however early the readers were due."""
    paper = await desk(db, tmp_path, readers=40)
    await paper.send(Scripted(lambda _: Deferred("421", minutes(10), Scope.PROVIDER), connections=1))
    look = await see(paper)
    assert look.counts.queued + look.counts.deferred == 40
    assert look.waits.retries is not None
    assert look.waits.retries.first > SOON
    if look.counts.queued:
        assert (look.waits.ready, look.done_at) == (False, None), "never tried, and no rate to go by"


async def test_a_paused_edition_is_through_at_no_time(db: Database, tmp_path: Path) -> None:
    """Nor does one that has ended wait for anything."""
    paper = await desk(db, tmp_path, readers=2)
    await paper.send(deferring(5))
    async with db.write() as session:
        await control.pause(session, paper.edition.id)
    assert (await see(paper)).done_at is None
    async with db.write() as session:
        await control.resume(session, paper.edition.id)
    paper.clock.move(NOON + minutes(5))
    await paper.send(deferring())
    assert await release.try_end(db, paper.edition, paper.settings, paper.clock.now()) is EditionStatus.SENT
    look = await see(paper, minutes(6))
    assert (look.ended, look.done, look.done_at, look.waits, look.undecided) == (True, 2, None, Waits(), 0)


async def test_workers_that_live_are_counted(db: Database, tmp_path: Path) -> None:
    """Those that gave a sign of life, on the database's clock."""
    paper = await desk(db, tmp_path, readers=1)
    assert (await see(paper)).workers == 0
    async with db.write() as session:
        await workers.sign(session, "one", 0)
    assert (await see(paper)).workers == 1
