"""Keeps a process's clock by the database's, and says where a clock is wrong: in the log, and to operators by mail.

On PostgreSQL one clock decides for all processes on all machines, the database's; on SQLite it is the machine's. What a
process goes by is `core.clock.GuardedClock`; this module reads for it, and writes what it finds to the rows that all
processes share.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from app.core.clock import AGREE, EARLIEST, HOLD, JUMP, Change, Clock, GuardedClock, Reading, Turn
from app.core.db import Database
from app.core.errors import Conflict, MorningPostError
from app.store import clocks, operator_mail
from app.store.clocks import LONGEST_PROCESS, Known, Offset

LOOK_EVERY = 5.0
"""Seconds between two looks; one that finds nothing to do asks nobody."""
READ_EVERY = 30.0
"""Seconds between two readings of the database's clock, and between two words of a process about its own."""
OFF = timedelta(seconds=5)
"""A machine whose clock differs by more is told of."""
TOLD_AGAIN = timedelta(seconds=30)
CONFIRMS_FOR = timedelta(minutes=2)
"""An operator's word holds for the time at which it was given, and so long after."""
CLOCK = "clock"
"""The letter that operators get."""
NEWS_FOR = timedelta(hours=24)

log = structlog.get_logger(__name__)


class ClockWatch:
    """One process's watch over `clock`. A clock that is not guarded, such as one that stands still, needs none."""

    def __init__(self, db: Database, clock: Clock, operators: Sequence[str]) -> None:
        self._db = db
        self._clock = clock if isinstance(clock, GuardedClock) else None
        self._operators = operators
        self.process = f"{socket.gethostname()[: LONGEST_PROCESS - 8]}:{os.getpid()}"[:LONGEST_PROCESS]
        self._take_back: Callable[[], Awaitable[None]] | None = None
        self._read_at = float("-inf")
        self._told: timedelta | None = None
        """The offset that was last told; None while the machine is right."""
        self._unheeded: list[tuple[Change, bool]] = []
        """What is still to be written down, and whether things were done too early before."""
        self._was_off = False
        """The service was off for a while, which is why its clock waits to be confirmed: no news to anybody."""

    @property
    def offset(self) -> timedelta:
        """How far the machine's clock is ahead of the one that decides."""
        return self._clock.offset if self._clock else timedelta(0)

    @property
    def is_off(self) -> bool:
        """Does the machine's clock differ from the one that decides by more than is harmless?"""
        return not self._db.is_sqlite and abs(self.offset) > OFF

    async def start(self) -> None:
        """The first reading, before anything asks the clock. Raises StorageError."""
        if self._clock is None:
            return
        async with self._db.read() as session:
            known = await clocks.known(session)
        change = self._clock.start(await self._read(), known.seen, known.hold)
        self._was_off = change is not None and change.by > timedelta(0)
        await self._heed(change)

    def sign(self, take_back: Callable[[], Awaitable[None]]) -> None:
        """This process is a worker: what it goes by is written down, as what a later start is judged by.

        `take_back` undoes what was done too early, by a time that nobody confirmed and that was put right since.
        """
        self._take_back = take_back

    async def run(self) -> None:
        """Looks every few seconds, until it is cancelled."""
        while self._clock is not None:
            try:
                await self.look()
            except MorningPostError:
                pass  # without a database there is nothing to be decided either
            except Exception:
                log.exception("the clock was not read and will be tried again")
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Reads the clock, if it is time to, and does what follows from it. Raises StorageError."""
        clock = self._clock
        if clock is None:
            return
        due = clock.monotonic() - self._read_at >= READ_EVERY or not clock.is_confirmed
        if not (due or self._db.is_sqlite):
            return
        await self._heed(None)
        reading = await self._read()
        change = None
        if due:
            async with self._db.read() as session:
                known = await clocks.known(session)
            if clock.doubted is None:
                clock.hold = known.hold or EARLIEST
            elif _vouched_for(known, clock.doubted, reading):
                change = clock.believe(reading, vouched=True)
        await self._heed(change or clock.read(reading))
        if due:
            self._read_at = clock.monotonic()
            await self._tell_others()

    async def leave(self) -> None:
        """This process ends. Raises StorageError."""
        if self._told is not None:
            async with self._db.write() as session:
                await clocks.forget_offset(session, self.process)

    async def offsets(self) -> list[Offset]:
        """This process first, then others that are off."""
        own = Offset(self.process, self.offset.total_seconds())
        if self._clock is None or self._db.is_sqlite:
            return [own]
        async with self._db.read() as session:
            others = await clocks.offsets(session, self._clock.now())
        return [own, *(one for one in others if one.process != self.process)]

    async def confirm(self) -> datetime:
        """An operator says that the clock is right now: every process goes on by it. Gives the time.

        Raises Conflict where that cannot be, StorageError.
        """
        reading = await self._read()
        if reading.instant < EARLIEST:
            raise Conflict(f"It is not {reading.instant:%Y-%m-%d %H:%M} UTC: set the clock first.")
        async with self._db.write() as session:
            await clocks.confirm(session, reading.instant)
        return reading.instant

    async def _read(self) -> Reading:
        assert self._clock is not None
        if self._db.is_sqlite:
            return Reading(self._clock.machine.now(), self._clock.monotonic())
        async with self._db.read() as session:
            return await clocks.read_database(session, self._clock.monotonic)

    # -- what follows ------------------------------------------------------------------------------------

    async def _heed(self, change: Change | None) -> None:
        """Says what changed and writes down what follows, and what could not be written down before."""
        if change is not None:
            self._say(change)
            assert self._clock is not None
            too_early = change.set_back and self._clock.now() - change.by < self._clock.hold
            self._unheeded.append((change, too_early))
        while self._unheeded:
            await self._write_down(*self._unheeded[0])
            self._unheeded.pop(0)

    def _say(self, change: Change) -> None:
        tell = log.info if self._was_off else log.warning
        seconds = round(change.by.total_seconds(), 1)
        match change.turn:
            case Turn.DOUBTED:
                tell("the clock jumped; release, expiry and the timetable wait until it is confirmed", seconds=seconds)
            case Turn.RETURNED:
                tell("the clock was put right")
            case Turn.CONFIRMED:
                tell("the clock goes by its new time", seconds=seconds)

    async def _write_down(self, change: Change, too_early: bool) -> None:
        assert self._clock is not None
        now = self._clock.now()
        if change.turn is Turn.DOUBTED and not self._was_off:
            await self._write_to_operators("jumped", change.by, now)
        if change.turn is not Turn.DOUBTED:
            self._was_off = False
        if change.turn is not Turn.CONFIRMED:
            return
        if not change.vouched:
            self._clock.hold = now + HOLD if change.by > JUMP else now
            async with self._db.write() as session:
                await clocks.hold(session, self._clock.hold)
        if change.set_back:
            await self._bring_forward(now)
        if too_early and self._take_back is not None:
            async with self._db.write() as session:
                await clocks.reopen_slots(session, now)
            await self._take_back()

    async def _bring_forward(self, now: datetime) -> None:
        async with self._db.write() as session:
            shards = await clocks.bring_forward(session, now)
        for edition_id, shard in shards:
            async with self._db.write() as session:
                await clocks.bring_shard_forward(session, edition_id, shard, now)

    async def _tell_others(self) -> None:
        """Once in a while: the time that a worker goes by, and how far off this process's machine is."""
        assert self._clock is not None
        now, offset = self._clock.now(), self.offset
        if not self._clock.is_confirmed:
            return
        if not self._db.is_sqlite:
            await self._tell_offset(offset, now)
        if self._take_back is not None:
            async with self._db.write(brief=True) as session:
                await clocks.see(session, now)
                await clocks.prune_offsets(session, now)

    async def _tell_offset(self, offset: timedelta, now: datetime) -> None:
        off, told = abs(offset) > OFF, self._told
        seconds = round(offset.total_seconds(), 1)
        if off:
            if told is None:
                log.warning("this machine's clock is wrong; the database's decides", seconds=seconds)
                await self._write_to_operators("off", offset, now)
            elif abs(offset - told) > max(TOLD_AGAIN, abs(told) / 2):
                log.warning("this machine's clock is wrong by another amount now", seconds=seconds)
            else:
                offset = told
            self._told = offset
            async with self._db.write(brief=True) as session:
                await clocks.tell_offset(session, self.process, seconds, now)
        elif told is not None and abs(offset) <= OFF / 2:
            log.warning("this machine's clock is right again", seconds=seconds)
            self._told = None
            async with self._db.write(brief=True) as session:
                await clocks.forget_offset(session, self.process)

    async def _write_to_operators(self, what: str, by: timedelta, now: datetime) -> None:
        """Once a day for each machine; of a jump, once a day for all."""
        host = socket.gethostname()
        whose = host[:30] if what == "off" else "all"
        async with self._db.write() as session:
            await operator_mail.owe(
                session,
                kind=CLOCK,
                topic=f"{CLOCK}:{what}:{whose}:{now:%Y%m%d}",
                addresses=list(dict.fromkeys(self._operators)),
                parameters={
                    "what": what,
                    "seconds": round(by.total_seconds()),
                    "machine": host,
                    "sqlite": self._db.is_sqlite,
                    "at": f"{now + by:%Y-%m-%d %H:%M}",
                },
                now=now,
                until=now + NEWS_FOR,
            )


def _vouched_for(known: Known, doubted: Reading, reading: Reading) -> bool:
    """Has an operator confirmed the time that is read, or does a worker go by it that does not doubt it?"""
    if known.confirmed and -JUMP <= reading.instant - known.confirmed <= CONFIRMS_FOR:
        return True
    return known.seen is not None and doubted.instant - AGREE <= known.seen <= reading.instant + AGREE
