"""Is this process alive, and could it do its work now?"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal, cast

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from app.bootstrap import Container
from app.core.errors import StorageError
from app.operations import migrations, shared_settings, writable
from app.store import workers

router = APIRouter(tags=["health"])
_log = structlog.get_logger(__name__)

_PATIENCE = 5.0
_FRESH = 10.0

State = Literal["ok", "off", "unconfirmed", "elsewhere", "failed"]
"""Those in the middle are no failures: two are the clock's, of which an operator must know; `elsewhere` is the
worker's, where this process was started without one.
"""


class Health(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """`parts` names each thing this process needs, and whether it answered.

    `clock` is `off` where the machine's clock, or another process's, differs from the database's by more than 5 s: the
    database's decides. It is `unconfirmed` where the clock that decides has jumped: release, expiry and the timetable
    wait a minute for it, while pages, sign-ups and service mail go on. Neither makes a process not ready: sending its
    visitors elsewhere would mend nothing.

    `worker` is `failed` where this process supervises one and none has given a sign of life for 15 s; `elsewhere` where
    it was started with `--no-worker` and expects none.
    """

    status: Literal["ready", "not ready"]
    parts: dict[str, State]


class Part:
    """One thing that is checked, at most every `fresh` seconds: whoever polls us does not poll a mail server."""

    def __init__(self, name: str, check: Callable[[], Awaitable[State | bool | None]], fresh: float) -> None:
        self.name = name
        self._check = check
        self._fresh = fresh
        self._state: State = "failed"
        self._until = float("-inf")
        self._lock = asyncio.Lock()

    async def state(self) -> State:
        async with self._lock:
            if time.monotonic() >= self._until:
                self._state = await self._ask()
                self._until = time.monotonic() + self._fresh
            return self._state

    async def _ask(self) -> State:
        try:
            async with asyncio.timeout(_PATIENCE):
                answered = await self._check()
        except Exception as error:  # whatever it is, this part is not ready; the log says why
            _log.warning("not ready", part=self.name, error=str(error) or type(error).__name__)
            return "failed"
        if answered is False:
            _log.warning("not ready", part=self.name, error="the tables are not this version's: run migrate")
            return "failed"
        return answered if isinstance(answered, str) else "ok"


class _Worker:
    """The worker that this process supervises: it is seen by its signs of life."""

    def __init__(self, container: Container) -> None:
        self._db = container.db
        self._started = time.monotonic()

    async def state(self) -> State:
        """Raises StorageError where none was given for long; a moment to start is left it."""
        async with self._db.read() as session:
            count, _ = await workers.living(session)
        if count == 0 and time.monotonic() - self._started > workers.LIVES_MS / 1000:
            raise StorageError("no worker has given a sign of life for 15 seconds; the log says why it ends")
        return "ok"


async def _elsewhere() -> State:
    return "elsewhere"


def parts_of(container: Container, *, with_worker: bool) -> tuple[Part, ...]:
    """What this process cannot do without; `with_worker`: it supervises one."""

    async def carriers() -> None:
        """One is enough, whoever answers first: they stand in for each other."""
        asked = [asyncio.create_task(one.check()) for one in container.providers]
        try:
            for number, answer in enumerate(asyncio.as_completed(asked), 1):
                try:
                    return await answer
                except Exception as error:
                    if number == len(asked):
                        raise
                    _log.warning("a provider would take no mail", error=str(error))
        finally:
            for one in asked:
                one.cancel()

    async def clock() -> State:
        if not container.clock.is_confirmed:
            return "unconfirmed"
        with suppress(StorageError):  # that has a part of its own
            return "off" if container.watch.is_off or len(await container.watch.offsets()) > 1 else "ok"
        return "ok"

    return (
        Part("database", container.db.check, 0),
        Part("writing", lambda: writable.check(container.db), _FRESH),
        Part("migrations", lambda: migrations.current(container.db), _FRESH),
        Part("settings", lambda: shared_settings.demand_current(container.db, container.settings), _FRESH),
        Part("provider", carriers, _FRESH),
        Part("clock", clock, 0),
        Part("worker", _Worker(container).state if with_worker else _elsewhere, 0),
    )


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> Health:
    return Health()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", summary="Could it work now?", responses={503: {"model": Readiness}})
async def readyz(request: Request) -> JSONResponse:
    parts = cast("tuple[Part, ...]", request.app.state.parts)
    states = dict(
        zip((part.name for part in parts), await asyncio.gather(*(part.state() for part in parts)), strict=True)
    )
    ready = all(state != "failed" for state in states.values())
    answer = Readiness(status="ready" if ready else "not ready", parts=states)
    return JSONResponse(answer.model_dump(), 200 if ready else 503)
