"""`morningpost worker` in a process that is quick to start and short of patience, for being killed again and again."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import app.bootstrap
import app.cli
import app.jobs.worker
from app.core.clock import SystemClock
from app.stages.send import course, policy, release
from app.store import leases, releases
from tests.chaos import networks


@dataclass(frozen=True)
class Pace:
    """What is other than in earnest, so that a night's troubles fit into seconds. All in seconds but `shard`."""

    lease: float = 2.0
    unknown_after: float = 0.3
    unknown_spread: float = 0.6
    shard: int = 40
    """Deliveries of a shard."""
    drain: float = app.jobs.worker.DRAIN_WITHIN
    """How long conversations may go on after SIGTERM."""
    unreached: float = app.jobs.worker.UNREACHED
    """How long the database may be silent before a worker ends."""


EARNEST = Pace(10.0, 600.0, 600.0, 1000)
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def start(
    folder: Path, settings: Mapping[str, str], pace: Pace, clock: Path, namespace: str | None = None
) -> BaseProcess:
    """A worker on `settings`; what it says goes to `worker.log` in `folder`. `clock` holds how far its clock is off.

    It runs on this machine, or in a network namespace.
    """
    process = _CONTEXT.Process(target=_work, args=(folder, dict(settings), pace, clock, namespace), daemon=True)
    process.start()
    return process


def _work(folder: Path, settings: dict[str, str], pace: Pace, clock: Path, namespace: str | None) -> None:
    if namespace:
        networks.enter(namespace)
    log = os.open(folder / "worker.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith("MORNINGPOST_")]:
        del os.environ[name]
    os.environ.update({f"MORNINGPOST_{name}": value for name, value in settings.items()})
    _hurry(pace)
    SystemClock.now = lambda _: _off_by(clock)  # type: ignore[method-assign, assignment]  # this process only
    app.bootstrap.GuardedClock = SystemClock  # type: ignore[attr-defined, assignment]  # believed whatever it says
    # Only the hand-over is under trial: the press, which wants the network, keeps out of its way.
    app.jobs.worker.TIMETABLE = ()  # type: ignore[attr-defined, assignment]  # imported there from its own file
    sys.argv = ["morningpost", "worker"]
    app.cli.main()


def _hurry(pace: Pace) -> None:
    leases.FOR_MS = int(pace.lease * 1000)
    course.WRITE_WITHIN, course.RENEW_EVERY = pace.lease * 0.6, pace.lease * 0.3
    policy.UNKNOWN_AFTER = timedelta(seconds=pace.unknown_after)
    policy.UNKNOWN_SPREAD = timedelta(seconds=pace.unknown_spread)
    releases.SHARD = pace.shard
    app.jobs.worker.DRAIN_WITHIN, app.jobs.worker.UNREACHED = pace.drain, pace.unreached
    release.CHUNK = max(pace.shard * 5, 100)


def _off_by(clock: Path) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(clock.read_text() or 0))
