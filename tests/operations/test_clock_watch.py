"""One clock for all processes: whose clock is wrong is told, and what is known of it is shared. On both engines."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from app.core.clock import CALM, CONFIRM_AFTER, HOLD, GuardedClock, Reading
from app.core.db import Database, Session
from app.core.errors import Conflict, StorageUnavailable
from app.models import JobRun, OperatorMail, TransactionalEmail
from app.operations import clock_watch
from app.operations.clock_watch import READ_EVERY, ClockWatch
from app.store import clocks, leases, transactional
from tests.conftest import NOON
from tests.machine import Machine
from tests.people import add_reader

DAY = timedelta(days=1)
OPERATORS = ("ada@example.org", "ben@example.org")


class Process:
    """One process: its clock, the watch over it, and its own machine's wall clock, which may differ."""

    def __init__(self, db: Database, database: Machine, *, off: timedelta = timedelta(0)) -> None:
        self.database, self.off, self.slept = database, off, 0.0
        machine = database if db.is_sqlite else self
        self.clock = GuardedClock(machine, lambda: database.monotonic - self.slept)
        self.watch = ClockWatch(db, self.clock, OPERATORS)
        self.watch.process = f"process-{id(self)}"
        self.watch.sign(self.take_back)

    async def take_back(self) -> None:
        """The worker's own tests are beside it."""

    is_confirmed = True
    may_expire = True

    def now(self) -> datetime:
        return self.database.wall + self.off


@pytest.fixture
async def database(db: Database, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The machine that PostgreSQL runs on, or the one that everything runs on with SQLite."""
    machine = Machine(NOON)

    async def read(_: Session, monotonic: Callable[[], float]) -> Reading:
        return Reading(machine.wall, monotonic())

    monkeypatch.setattr(clocks, "read_database", read)
    return machine


Start = Callable[..., Any]


@pytest.fixture
async def start(db: Database, database: Machine) -> Start:
    async def started(**more: Any) -> Process:
        made = Process(db, database, **more)
        await made.watch.start()
        return made

    return started


async def pass_time(database: Machine, seconds: float, *processes: Process) -> None:
    """Every process looks at its clock every five seconds."""
    for _ in range(int(seconds // 5)):
        database.wait(seconds=5)
        for one in processes:
            await one.watch.look()


async def letters(db: Database) -> list[dict[str, Any]]:
    async with db.read() as session:
        rows = await session.scalars(select(OperatorMail).order_by(OperatorMail.id))
        return [{"kind": one.kind, "to": one.address, **one.parameters} for one in rows]


def events(logged: list[Any]) -> list[str]:
    return [one["event"] for one in logged]


async def test_the_databases_clock_is_read_to_the_millisecond(db: Database) -> None:
    """By a round trip's middle. The machine's own is that of the tests' database, too."""
    async with db.read() as session:
        found = await clocks.read_database(session)
    assert abs((found.instant - datetime.now(UTC)).total_seconds()) < 60


async def test_a_machine_whose_clock_is_off_decides_nothing_by_it(
    db: Database, database: Machine, start: Start
) -> None:
    """On PostgreSQL. It is told when it begins, when it changes a lot and when it ends; operators are told once."""
    if db.is_sqlite:
        pytest.skip("on SQLite the machine's clock is the one that decides")
    with structlog.testing.capture_logs() as logged:
        true, wrong = await start(), await start(off=DAY)
        assert wrong.clock.now() == true.clock.now() == database.wall
        await pass_time(database, 300, true, wrong)
        assert wrong.clock.now() == database.wall
        assert wrong.watch.is_off
        assert not true.watch.is_off
        assert wrong.clock.is_confirmed
        assert events(logged) == ["this machine's clock is wrong; the database's decides"]
        assert logged[0]["log_level"] == "warning"
        assert logged[0]["seconds"] == DAY.total_seconds()
        assert [one.seconds for one in await true.watch.offsets()] == [0, DAY.total_seconds()]
        wrong.off = DAY + timedelta(hours=13)
        await pass_time(database, 60, true, wrong)
        assert len(logged) == 2
        wrong.off = timedelta(0)
        await pass_time(database, 60, true, wrong)
        assert events(logged)[2:] == ["this machine's clock is right again"]
    assert [one.seconds for one in await true.watch.offsets()] == [0]
    told = await letters(db)
    assert [one["to"] for one in told] == list(OPERATORS)
    assert told[0]["what"] == "off"
    assert told[0]["seconds"] == DAY.total_seconds()


async def test_a_process_that_was_killed_while_it_was_off_is_forgotten(
    db: Database, database: Machine, start: Start
) -> None:
    """Soon it is not told of any more, and its row goes."""
    if db.is_sqlite:
        pytest.skip("on SQLite the machine's clock is the one that decides")
    true, wrong = await start(), await start(off=-DAY)
    await pass_time(database, 60, true, wrong)
    assert len(await true.watch.offsets()) == 2
    await pass_time(database, 180, true)
    assert len(await true.watch.offsets()) == 1
    ended = await start(off=-DAY)
    await pass_time(database, 30, ended)
    await ended.watch.leave()
    assert len(await true.watch.offsets()) == 1


async def test_a_jump_stops_every_process_until_it_is_confirmed(db: Database, database: Machine, start: Start) -> None:
    """A minute, in which time goes on as before; then nothing expires for a day. Operators are told once in all."""
    processes = [await start(), await start()]
    await pass_time(database, CALM + READ_EVERY, *processes)
    assert all(one.clock.may_expire for one in processes)
    before = database.wall
    database.wall += DAY
    await pass_time(database, CONFIRM_AFTER, *processes)
    for one in processes:
        assert not one.clock.is_confirmed
        assert one.clock.now() == before + timedelta(seconds=CONFIRM_AFTER)
    await pass_time(database, 35, *processes)
    for one in processes:
        assert one.clock.is_confirmed
        assert one.clock.now() == database.wall
    await pass_time(database, CALM + READ_EVERY, *processes)
    started = await start()
    for one in (*processes, started):
        assert one.clock.is_confirmed
        assert not one.clock.may_expire
        assert one.clock.hold - database.wall > HOLD - timedelta(minutes=20)
    assert [(one["what"], one["to"]) for one in await letters(db)] == [("jumped", one) for one in OPERATORS]


async def test_an_operator_confirms_for_all(db: Database, database: Machine, start: Start) -> None:
    """Within seconds of the word; and nothing is held back for a day."""
    processes = [await start(), await start()]
    await pass_time(database, CALM, *processes)
    database.wall += DAY
    await pass_time(database, 35, *processes)
    assert not any(one.clock.is_confirmed for one in processes)
    by_hand = await start()
    assert not by_hand.clock.is_confirmed
    assert await by_hand.watch.confirm() == database.wall
    await pass_time(database, 5, *processes)
    assert all(one.clock.is_confirmed for one in processes)
    await pass_time(database, CALM + READ_EVERY, *processes)
    assert all(one.clock.may_expire for one in processes)


async def test_an_operators_word_ends_a_hold(db: Database, database: Machine, start: Start) -> None:
    """Also long after the jump was confirmed by itself."""
    process = await start()
    database.wall += DAY
    await pass_time(database, CALM + 2 * CONFIRM_AFTER, process)
    assert process.clock.is_confirmed
    assert not process.clock.may_expire
    await process.watch.confirm()
    await pass_time(database, READ_EVERY, process)
    assert process.clock.may_expire


async def test_an_operators_word_holds_for_its_own_time_alone(db: Database, database: Machine, start: Start) -> None:
    """A jump of tomorrow is another."""
    process = await start()
    await process.watch.confirm()
    await pass_time(database, 300, process)
    database.wall += DAY
    await pass_time(database, 35, process)
    assert not process.clock.is_confirmed


async def test_nobody_can_confirm_a_time_that_cannot_be(db: Database, database: Machine, start: Start) -> None:
    process = await start()
    database.wall = datetime(1970, 1, 1, tzinfo=UTC)
    with pytest.raises(Conflict, match="set the clock first"):
        await process.watch.confirm()


async def test_a_process_that_slept_is_vouched_for_by_the_others(db: Database, database: Machine, start: Start) -> None:
    """Its monotonic clock stood still, the database's did not: the others go by it, and nobody's expiry is held."""
    awake, asleep = await start(), await start()
    await pass_time(database, CALM, awake, asleep)
    await pass_time(database, 600, awake)
    asleep.slept = 600
    await pass_time(database, 40, awake, asleep)
    assert asleep.clock.is_confirmed
    assert asleep.clock.now() == database.wall
    await pass_time(database, READ_EVERY, awake, asleep)
    assert awake.clock.may_expire


async def test_a_service_that_was_off_for_long_comes_back_by_itself(
    db: Database, database: Machine, start: Start
) -> None:
    """After a minute, and without a letter to anybody."""
    process = await start()
    await pass_time(database, READ_EVERY, process)
    database.wait(days=7)
    with structlog.testing.capture_logs() as logged:
        process = await start()
        assert not process.clock.is_confirmed
        await pass_time(database, CONFIRM_AFTER, process)
    assert process.clock.is_confirmed
    assert {one["log_level"] for one in logged} == {"info"}
    assert await letters(db) == []


async def test_what_was_put_off_by_a_clock_that_was_ahead_is_due_again(
    db: Database, database: Machine, start: Start
) -> None:
    """Service mail, and slots that somebody held who is not there any more."""
    reader = await add_reader(db, "carol@example.org", confirmed_at=None)
    process = await start()
    true = database.wall
    database.wall += DAY
    await pass_time(database, 2 * CONFIRM_AFTER, process)
    now = process.clock.now()
    assert now == database.wall
    async with db.write() as session:
        await transactional.owe(
            session, kind="confirmation", subscriber_id=reader, ref="a-ref", parameters={}, now=now, until=now + DAY
        )
        await leases.take_slot(session, "compose", "2026-11-24", "dead", now, int(DAY.total_seconds() * 1000))
    database.wall -= DAY
    await pass_time(database, 2 * CONFIRM_AFTER, process)
    assert process.clock.now() == database.wall
    async with db.read() as session:
        mail = (await session.scalars(select(TransactionalEmail))).one()
        slot = (await session.scalars(select(JobRun))).one()
    assert mail.due_at < true + timedelta(minutes=5)
    assert slot.lease_until == 0


async def test_a_look_that_fails_is_not_the_last(
    db: Database, database: Machine, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever went wrong: the process would go by its monotonic clock alone from then on."""
    process = await start()
    looks = 0
    again = asyncio.Event()

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks > 2:
            again.set()
        raise (StorageUnavailable("away") if looks == 1 else RuntimeError("nobody thought of it"))

    monkeypatch.setattr(process.watch, "look", look)
    monkeypatch.setattr(clock_watch, "LOOK_EVERY", 0.0)
    running = asyncio.create_task(process.watch.run())
    await asyncio.wait_for(again.wait(), 10)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
