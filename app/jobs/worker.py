"""The worker: interval ticks that ask what is owed, until SIGTERM; then it finishes what it holds and ends."""

import asyncio
import fcntl
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from app.bootstrap import Container
from app.core.errors import ConfigurationError, MorningPostError
from app.jobs import tasks
from app.jobs.mailroom import Mailroom
from app.jobs.owner import make_owner
from app.jobs.timetable import TIMETABLE

DRAIN_WITHIN = 8.0
RECORD_WITHIN = 10.0

log = structlog.get_logger(__name__)


class Worker:
    """The clockwork of one process. Ticks hold no state: a missed one is made up for by the next."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._owner = make_owner()
        self._running: set[asyncio.Task[None]] = set()
        self._planned: dict[int, datetime] = {}
        self.stop = asyncio.Event()
        self._mailroom = Mailroom(container, self._owner, self.stop)

    async def run(self) -> None:
        """Runs until `stop` is set, then drains: no new hand-over, what is in hand is finished or recorded."""
        scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for name, every, job in self._ticks():
            scheduler.add_job(self._tracked(name, job), IntervalTrigger(seconds=every), id=name)
        scheduler.start()
        log.info("the worker runs", owner=self._owner)
        try:
            await self.stop.wait()
        finally:
            scheduler.pause()
            await self._drain()
            scheduler.shutdown(wait=False)
            log.info("the worker has ended", unfinished=len(self._running))

    async def _drain(self) -> None:
        """Lets what runs end by itself; then breaks it off, which still writes down what became of each message."""
        if self._running:
            _, slow = await asyncio.wait(set(self._running), timeout=DRAIN_WITHIN)
            for task in slow:
                task.cancel()
            if slow:
                await asyncio.wait(slow, timeout=RECORD_WITHIN)

    def _ticks(self) -> Iterator[tuple[str, int, Callable[[], Awaitable[None]]]]:
        yield "post", 1, self._mailroom.post
        yield "papers", 1, self._mailroom.papers
        yield "release", 1, partial(tasks.let_go, self._container, self._planned)
        for entry in TIMETABLE:
            yield entry.name, entry.every, partial(entry.job, self._container, self._owner)

    def _tracked(self, name: str, job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def tick() -> None:
            task = asyncio.current_task()
            assert task is not None
            self._running.add(task)
            try:
                await job()
            except MorningPostError as error:
                log.warning("a tick failed and will be tried again", job=name, why=str(error))
            except Exception:
                log.exception("a tick failed and will be tried again", job=name)
            finally:
                self._running.discard(task)

        return tick


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


async def run_until_signalled(container: Container, *, supervised: bool = False) -> None:
    """Runs a worker until SIGTERM or SIGINT; `supervised`, also until standard input closes: the parent is gone."""
    worker = Worker(container)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, worker.stop.set)
    if supervised:
        loop.add_reader(0, _on_parent, loop, worker.stop)
    with only_worker(container.db.file):
        await worker.run()


def _on_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(0, 4096):
        loop.remove_reader(0)
        stop.set()
