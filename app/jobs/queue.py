"""The queue of a fleet: Procrastinate on the same PostgreSQL wakes workers up and spreads the work among them.

It decides nothing. A job is a hint; its function asks the ledger what is owed, under the ledger's own leases,
and so may run twice, late, or in two places. That is why the jobs of a dead worker are thrown away: what they
were for is still owed, and is announced again within a second.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import DeleteJobCondition, Job, Status
from procrastinate.manager import JobManager
from psycopg.errors import RaiseException

from app.core import postgres
from app.core.db import Database
from app.jobs.hints import DESK, DESK_TASK, PAPER_TASK, PAPERS

AT_THE_DESK = 8

HEARTBEAT, DEAD_AFTER, SWEEP_EVERY, POLL_EVERY = 2.0, 10.0, 2.0, 0.5
"""Seconds. A job of a worker without a heartbeat for `DEAD_AFTER` is thrown away."""
CONNECT_WITHIN, AGAIN_AFTER = 5.0, 1.0

log = structlog.get_logger(__name__)

# A line for every start and end of a job would be one a second for nothing.
logging.getLogger("procrastinate").setLevel(logging.WARNING)


class Queue:
    """One process's part in following hints: one edition at a time, and the desk beside it.

    `paper` hands an edition over, beginning with a shard; `desk` sees to a chore by its name. Neither may raise.
    """

    def __init__(
        self,
        db: Database,
        paper: Callable[[int, int], Awaitable[None]],
        desk: Callable[[str], Awaitable[None]],
    ) -> None:
        self._url = db.url
        self._paper = paper
        self._desk = desk

    async def run(self, stop: asyncio.Event) -> None:
        """Follows hints until `stop`, then waits for what is in hand. Begins anew when its client dies:

        after a break of the database, or where this process slept so long that others struck it off.
        """
        while not stop.is_set():
            try:
                await self._follow(stop)
            except Exception as error:
                log.warning("the queue's client broke off; starting it again", why=_why(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_AFTER)

    async def _follow(self, stop: asyncio.Event) -> None:
        app, jobs = self._app()
        async with app.open_async():
            parts = [
                asyncio.create_task(self._client(app, PAPERS, 1)),
                asyncio.create_task(self._client(app, DESK, AT_THE_DESK)),
                asyncio.create_task(_sweep(jobs)),
                asyncio.create_task(stop.wait()),
            ]
            try:
                ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
                for part in ended:
                    part.result()
            finally:
                for part in parts:
                    part.cancel()  # a client then fetches nothing more, and ends with its last job
                await asyncio.wait(parts)

    def _app(self) -> tuple[App, "_Jobs"]:
        connector = PsycopgConnector(
            min_size=1,
            max_size=4,
            timeout=CONNECT_WITHIN,
            kwargs={**postgres.arguments(self._url), "prepare_threshold": None},
        )
        app = App(connector=connector)
        app.job_manager = jobs = _Jobs(connector)

        @app.task(name=PAPER_TASK, queue=PAPERS)
        async def paper(edition: int, shard: int) -> None:
            await self._paper(edition, shard)

        @app.task(name=DESK_TASK, queue=DESK)
        async def desk(name: str) -> None:
            await self._desk(name)

        return app, jobs

    async def _client(self, app: App, queue: str, concurrency: int) -> None:
        await app.run_worker_async(
            name=queue,
            queues=[queue],
            concurrency=concurrency,
            install_signal_handlers=False,
            delete_jobs=DeleteJobCondition.ALWAYS,
            update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=DEAD_AFTER,
            fetch_job_polling_interval=POLL_EVERY,
            listen_notify=False,  # a pooler in transaction mode forgets who listens
        )


class _Jobs(JobManager):
    """Jobs that others may have thrown away: a worker that slept comes back to one that is not there any more."""

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:  # Procrastinate's
        if not await self.ended(job, status, delete_job=delete_job):
            log.info("a job had been thrown away meanwhile", job=job.queueing_lock)

    async def ended(self, job: Job, status: Status, *, delete_job: bool) -> bool:
        """False where it had ended before. Raises ConnectorException."""
        try:
            await super().finish_job(job, status, delete_job)
        except ConnectorException as error:
            if isinstance(error.__cause__, RaiseException):  # the only thing that Procrastinate's function raises
                return False
            raise
        return True


async def _sweep(jobs: _Jobs) -> None:
    """In every worker: throws away the jobs of workers that give no sign of life."""
    while True:
        for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER):
            if await jobs.ended(job, Status.ABORTED, delete_job=True):
                log.warning("a job of a worker without a sign of life is thrown away", job=job.queueing_lock)
        await asyncio.sleep(SWEEP_EVERY)


def _why(error: Any) -> str:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return next(iter(str(cause).splitlines()), "") or type(cause).__name__
