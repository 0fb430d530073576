"""The worker: asks what is owed, and does it, until SIGTERM; then it finishes what it holds and ends.

On SQLite one worker does everything itself. On PostgreSQL there may be any number: each says what is owed, and the
queue spreads it over all of them. The functions that do the work are the same.
"""

import asyncio
import fcntl
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from app.bootstrap import Container
from app.core.clock import steady
from app.core.errors import ConfigurationError, MorningPostError, StorageError
from app.core.mail.provider import lacking, wanted
from app.core.settings import VAR
from app.jobs import fleet, tasks
from app.jobs.ahead import take_back
from app.jobs.fleet import POST, Bell
from app.jobs.mailroom import Mailroom
from app.jobs.owner import make_owner
from app.jobs.timetable import TIMETABLE
from app.operations import shared_settings
from app.operations.clock_watch import LOOK_EVERY
from app.stages.send.edition_ledger import MOST_SHARDS
from app.stages.send.journal import Journal

if TYPE_CHECKING:
    from app.jobs.queue import Queue

DRAIN_WITHIN, RECORD_WITHIN, END_WITHIN = 6.0, 2.5, 9.5
"""Seconds after SIGTERM: to let conversations end by themselves, to write down what became of them, and in all."""
SETTINGS_EVERY = 30
"""Seconds between two looks at whether the settings that all processes share are still those of this one."""
UNREACHED = 30.0
"""Seconds without an answer of the database after which a worker ends: whoever supervises it starts a new one, which is
as good as new, and an operator sees that it does not run."""
UNREACHED_CODE = 75
"""The exit code then: EX_TEMPFAIL of sysexits.h. Not 0, so that supervisors restart it."""
SIGN_EVERY = 5
"""Seconds between two signs of life, with what only this process can count."""

log = structlog.get_logger(__name__)

Work = Callable[[], Awaitable[object]]


class Worker:
    """The clockwork of one process. Ticks hold no state: a missed one is made up for by the next."""

    def __init__(self, container: Container, concurrency: int = MOST_SHARDS) -> None:
        self._container = container
        self._owner = make_owner()
        self._running: set[asyncio.Task[None]] = set()
        self._planned: dict[int, datetime] = {}
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()
        self.unreached = asyncio.Event()
        """The database did not answer for long; the worker shall end."""
        self._journal = Journal(VAR / "handovers", self._owner)
        self._mailroom = Mailroom(container, self._owner, self.stop, concurrency, self._journal)
        self._queue = None if container.db.is_sqlite else self._follow_hints()
        self._bell = Bell(container, self._owner)
        self._rung: dict[str, float] = {}

    def _follow_hints(self) -> "Queue":
        from app.jobs.queue import Queue  # noqa: PLC0415  # 11 MB that a worker on SQLite does not need

        return Queue(self._container.db, self._paper, self._at_the_desk)

    async def run(self) -> None:
        """Runs until `stop` is set, then drains: no new hand-over, what is in hand is finished or recorded.

        Once `hurry` is set too, it no longer waits for conversations to end.
        """
        scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for name, every, work in self._ticks():
            scheduler.add_job(partial(self._do, name, work), IntervalTrigger(seconds=every), id=name)
        scheduler.start()
        self._journal.tidy()
        followed = asyncio.create_task(self._queue.run(self.stop)) if self._queue else None
        self._container.watch.sign(partial(take_back, self._container))
        log.info("the worker runs", owner=self._owner)
        self._warn()
        try:
            await self.stop.wait()
        finally:
            self.stop.set()
            scheduler.pause()
            await self._drain()
            with suppress(StorageError):
                await self._mailroom.meter.leave(self._container.db, self._owner)
                await self._container.watch.leave()
            scheduler.shutdown(wait=False)
            if followed:
                await self._leave(followed)
            self._journal.close()
            log.info("the worker has ended", unfinished=len(self._running))

    def _warn(self) -> None:
        """Of what the ways out cannot carry, though the mail goes out without it."""
        wishes = wanted(own_return_path=bool(self._container.settings.return_path_domain))
        for one in self._container.providers:
            for lack in lacking(one.capabilities, wishes):
                log.warning("a provider cannot carry all of a mail", provider=one.name, why=f"it {lack}")

    # -- what it does ------------------------------------------------------------------------------------

    def _chores(self) -> Mapping[str, tuple[int, Work]]:
        """All but editions and service mail: how often each is asked about, in seconds, and what it is."""
        entries = {entry.name: (entry.every, partial(entry.run, self._container, self._owner)) for entry in TIMETABLE}
        return {"release": (1, self._release), **entries}

    def _ticks(self) -> Iterator[tuple[str, int, Work]]:
        yield "clock", int(LOOK_EVERY), self._container.watch.look
        if not self._container.db.is_sqlite:
            yield "database", SIGN_EVERY, self._look_at_database
        yield "sign of life", SIGN_EVERY, partial(self._mailroom.meter.write_down, self._container.db, self._owner)
        yield "settings", SETTINGS_EVERY, self._look_at_settings
        if self._queue:
            yield "announce", 1, self._announce
            return
        yield POST, 1, self._mailroom.post
        yield "papers", 1, self._mailroom.papers
        for name, (every, work) in self._chores().items():
            yield name, every, work

    async def _look_at_database(self) -> None:
        silent = steady() - self._container.db.reached
        if silent > UNREACHED and not self.unreached.is_set():
            log.error("the database has not answered for long; this worker ends", seconds=round(silent))
            self.unreached.set()

    async def _look_at_settings(self) -> None:
        """Says in the log that the settings were changed since this process started."""
        await shared_settings.demand_current(self._container.db, self._container.settings)

    async def _release(self) -> None:
        if not self._container.clock.is_confirmed:
            return
        await tasks.let_go(self._container, self._planned)
        if self._queue:  # after the commit: what was just released need not wait for the next second
            await fleet.announce(self._container)

    async def _announce(self) -> None:
        await fleet.announce(self._container)
        now = time.monotonic()
        due = [name for name, (every, _) in self._chores().items() if now - self._rung.get(name, -every) >= every - 0.5]
        self._rung.update(dict.fromkeys(due, now))
        await self._bell.ring(due)

    async def _paper(self, edition_id: int, shard: int) -> None:
        if not self.stop.is_set():
            await self._do("paper", partial(self._mailroom.paper, (edition_id, shard)))

    async def _at_the_desk(self, name: str) -> None:
        works = {POST: self._mailroom.post, **{name: work for name, (_, work) in self._chores().items()}}
        if name not in works:
            log.warning("a hint from another version is left alone", job=name)
        elif not self.stop.is_set():
            await self._do(name, works[name])

    async def _do(self, name: str, work: Work) -> None:
        """Does a piece of work as a task of its own, which the end of the worker can wait for and break off."""
        task = asyncio.create_task(self._tried(name, work))
        self._running.add(task)
        try:
            await asyncio.wait({task})
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
            self._running.discard(task)

    async def _tried(self, name: str, work: Work) -> None:
        try:
            await work()
        except MorningPostError as error:
            log.warning("a job failed and will be tried again", job=name, why=str(error))
        except Exception:
            log.exception("a job failed and will be tried again", job=name)

    # -- how it ends -------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Lets what runs end by itself; then breaks it off, which still writes down what became of each message."""
        hurried = asyncio.create_task(self.hurry.wait())
        until = time.monotonic() + DRAIN_WITHIN
        while (busy := self._busy) and not hurried.done() and (left := until - time.monotonic()) > 0:
            await asyncio.wait({*busy, hurried}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        slow = self._busy
        for task in slow:
            task.cancel()
        if slow:
            await asyncio.wait(slow, timeout=RECORD_WITHIN)

    @property
    def _busy(self) -> set[asyncio.Task[Any]]:
        return {*self._running, *self._mailroom.tails}

    async def _leave(self, followed: asyncio.Task[None]) -> None:
        with suppress(StorageError):
            await self._bell.give_back()
        await asyncio.wait({followed}, timeout=1)
        followed.cancel()


@contextmanager
def only_worker(database_file: Path | None) -> Iterator[None]:
    """On SQLite one worker runs at a time, by a lock the system drops with the process. Raises ConfigurationError."""
    if database_file is None:
        yield
        return
    path = database_file.with_name(database_file.name + ".worker")
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(f"another worker already runs on {database_file}") from None
        yield
    finally:
        os.close(handle)


async def run_until_signalled(container: Container, *, supervised: bool = False, concurrency: int = MOST_SHARDS) -> int:
    """Runs a worker until SIGTERM or SIGINT; `supervised`, also until standard input closes: the parent is gone.

    A second signal breaks off what the first one let finish. Gives the exit code: 0, or `UNREACHED_CODE`.
    """
    worker = Worker(container, concurrency)
    loop = asyncio.get_running_loop()
    end = partial(_end, loop, worker)
    loop.add_signal_handler(signal.SIGTERM, end)
    # Ctrl-C reaches parent and child alike; the parent then says SIGTERM.
    loop.add_signal_handler(signal.SIGINT, (lambda: None) if supervised else end)
    if supervised:
        loop.add_reader(0, _on_parent, loop, end)
    unreached = asyncio.create_task(_when_unreached(loop, worker))
    with only_worker(container.db.file):
        await worker.run()
    unreached.cancel()
    return UNREACHED_CODE if worker.unreached.is_set() else 0


async def _when_unreached(loop: asyncio.AbstractEventLoop, worker: Worker) -> None:
    await worker.unreached.wait()
    worker.hurry.set()
    worker.stop.set()
    loop.call_later(END_WITHIN, os._exit, UNREACHED_CODE)


def _end(loop: asyncio.AbstractEventLoop, worker: Worker) -> None:
    if worker.stop.is_set():
        worker.hurry.set()
        return
    log.info("the worker is asked to end")
    worker.stop.set()
    loop.call_later(END_WITHIN, _break_off)


def _break_off() -> None:
    """Something hangs, such as the database. The ledger knows what was begun: it is looked at as after a crash."""
    log.error("the worker leaves without having written everything down")
    os._exit(1)


def _on_parent(loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
    if not os.read(0, 4096):
        loop.remove_reader(0)
        end()
