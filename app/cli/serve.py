"""The web process, and the worker it looks after."""

import asyncio
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import structlog
import uvicorn

from app.bootstrap import build
from app.cli.workshop import demand_migrated
from app.core import heap
from app.core.errors import ConfigurationError
from app.core.net import trust
from app.core.settings import Settings
from app.main import create_app
from app.web.protocol import LONGEST_HEAD, BoundedProtocol, Crowd

RESTART_AFTER = (1.0, 2.0, 5.0, 15.0)
STEADY = 60.0
MOST_FILES = 65_536
WEB_ENDS_WITHIN, WORKER_ENDS_WITHIN = 8, 12.0
"""Seconds, from the same instant."""

log = structlog.get_logger(__name__)


class _Web(uvicorn.Server):
    """uvicorn without its handling of signals: after a clean end it would still die of the one that ended it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: Settings, *, with_worker: bool) -> None:
    """Serves until SIGTERM or SIGINT; the worker drains meanwhile. A second signal waits for neither's conversations.

    Raises ConfigurationError.
    """
    container = build(settings)
    try:
        await demand_migrated(container)
        listener = _listen(settings.host, settings.port)
    except BaseException:
        await container.close()
        raise
    files = _many_files()
    web = _Web(
        uvicorn.Config(
            create_app(container, with_worker=with_worker),
            log_config=None,
            proxy_headers=False,
            server_header=False,
            http=partial(BoundedProtocol, crowd=Crowd(settings.trusted_proxies, files // 2)),  # type: ignore[arg-type]  # a factory
            h11_max_incomplete_event_size=LONGEST_HEAD,
            timeout_graceful_shutdown=WEB_ENDS_WITHIN,
        )
    )
    log.info("serving", url=settings.public_url, address=f"http://{settings.host}:{listener.getsockname()[1]}")
    trust.ready()
    heap.settle()
    keeper = _Keeper()
    looking = asyncio.create_task(keeper.look_after()) if with_worker else None
    _on_signals(partial(_end, web, keeper, looking))
    try:
        await web.serve(sockets=[listener])
    finally:
        if looking:
            if not looking.cancelling():  # a second time would break off its waiting for the worker
                looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking


def _many_files() -> int:
    """Lets this process have as many open files as the system allows, and gives how many that is.

    Each connection is one, and 1,024 is a usual limit. Half are left to the database, to mail and to feeds.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return MOST_FILES if soft == resource.RLIM_INFINITY else min(soft, MOST_FILES)


def _on_signals(end: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end)


def _end(web: uvicorn.Server, keeper: "_Keeper", looking: asyncio.Task[None] | None) -> None:
    if web.should_exit:
        web.force_exit = True
        keeper.terminate()
    web.should_exit = True
    if looking and not looking.cancelling():
        looking.cancel()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"{host}:{port} cannot be listened on: {error.strerror}") from None
    listener.set_inheritable(False)
    return listener


class _Keeper:
    """Keeps one worker running."""

    def __init__(self) -> None:
        self._child: asyncio.subprocess.Process | None = None

    async def look_after(self) -> None:
        """Starts the worker, and again when it dies; cancelled, it asks it to drain and waits."""
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            self._child = child = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "app", "worker", "--supervised", stdin=asyncio.subprocess.PIPE
            )
            try:
                code = await child.wait()
            except asyncio.CancelledError:
                await self._drain(child)
                raise
            failures = 0 if loop.time() - began > STEADY else failures
            pause = RESTART_AFTER[min(failures, len(RESTART_AFTER) - 1)]
            failures += 1
            log.warning("the worker ended; starting it again", code=code, after_seconds=pause)
            await asyncio.sleep(pause)

    def terminate(self) -> None:
        if self._child and self._child.returncode is None:
            self._child.terminate()

    async def _drain(self, child: asyncio.subprocess.Process) -> None:
        self.terminate()
        try:
            await asyncio.wait_for(child.wait(), WORKER_ENDS_WITHIN)
        except TimeoutError:
            log.warning("the worker did not end in time and is killed")
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
