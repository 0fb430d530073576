"""The web process, and the worker it looks after."""

import asyncio
import socket
import sys
from contextlib import suppress

import structlog
import uvicorn

from app.bootstrap import build
from app.cli.workshop import demand_migrated
from app.core import heap
from app.core.errors import ConfigurationError
from app.core.settings import Settings
from app.main import create_app

RESTART_AFTER = (1.0, 2.0, 5.0, 15.0)
STEADY = 60.0
WORKER_ENDS_WITHIN = 25.0

log = structlog.get_logger(__name__)


async def serve(settings: Settings, *, with_worker: bool) -> None:
    """Serves until SIGTERM or SIGINT; the worker then drains. Raises ConfigurationError."""
    container = build(settings)
    try:
        await demand_migrated(container)
        listener = _listen(settings.host, settings.port)
    except BaseException:
        await container.close()
        raise
    config = uvicorn.Config(
        create_app(container),
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    web = uvicorn.Server(config)
    log.info("serving", url=settings.public_url, address=f"http://{settings.host}:{listener.getsockname()[1]}")
    heap.settle()
    worker = asyncio.create_task(_look_after_worker()) if with_worker else None
    try:
        await web.serve(sockets=[listener])
    finally:
        if worker:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker


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


async def _look_after_worker() -> None:
    """Starts the worker, and again when it dies; cancelled, it asks it to drain and waits."""
    loop, failures = asyncio.get_running_loop(), 0
    while True:
        began = loop.time()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", "worker", "--supervised", stdin=asyncio.subprocess.PIPE
        )
        try:
            code = await child.wait()
        except asyncio.CancelledError:
            await _drain(child)
            raise
        failures = 0 if loop.time() - began > STEADY else failures
        pause = RESTART_AFTER[min(failures, len(RESTART_AFTER) - 1)]
        failures += 1
        log.warning("the worker ended; starting it again", code=code, after_seconds=pause)
        await asyncio.sleep(pause)


async def _drain(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), WORKER_ENDS_WITHIN)
    except TimeoutError:
        log.warning("the worker did not end in time and is killed")
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
