"""Signing up and leaving on SQLite while an edition is sent at 500 mails a second, against the same when none is sent.

`python -m bench.signup`. A real `serve`, a real `worker`, an SMTP server that takes 500 mails a second, one file.
People sign up and leave with a pause to think; the edition is paused and goes on by turns, so that both halves meet the
same machine. Everything stays on this machine and ends after so many turns.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from app.cli import demo_stories
from app.core.clock import FixedClock
from app.core.db import Database
from app.core.publication import Publication
from app.core.settings import Settings
from app.core.signing import Purpose, Signer, Suppressor
from app.operations import migrations
from app.stages.audience.import_readers.columns import recognise
from app.stages.audience.import_readers.run import Arrival, Terms, import_rows
from app.stages.audience.import_readers.table import Row
from app.stages.compose import draft
from app.stages.render import freeze
from app.stages.send import control
from tests.acceptance.house import free_port

READERS, RATE, CLIENTS, THINK = 40_000, 500, 10, 0.5
TURNS, SECONDS = 4, 8.0
BUDGET, HELD = 2.0, 50
SECRET = "the benchmark signs its links with these very words"  # noqa: S105  # of a database that lives a minute
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_TROUBLE = ("database is locked", "did not answer")


class Post:
    """A whole service in a folder; its processes end with it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.web_port, self.sink_port = folder, free_port(), free_port()
        self.url = f"sqlite:///{folder}/post.db"
        # A zone in which it is about noon: the edition of that day has been due since half past six.
        hours = 12 - datetime.now(UTC).hour
        self.zone = f"Etc/GMT{-hours:+d}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MORNINGPOST_")},
            **{f"MORNINGPOST_{name}": value for name, value in self._settings().items()},
        }

    def _settings(self) -> dict[str, str]:
        return {
            "ENVIRONMENT": "production",
            "DATABASE_URL": self.url,
            "PUBLIC_URL": "https://post.test-paper.net",
            "SECRET_KEYS": SECRET.replace(" ", "-"),
            "SUPPRESSION_KEY": SECRET.replace(" ", "_"),
            "FROM_ADDRESS": "The AI Morning Post <post@test-paper.net>",
            "POSTAL_ADDRESS": "1 Press Lane, Testford",
            "PORT": str(self.web_port),
            "PROVIDERS": f"smtp://127.0.0.1:{self.sink_port}?tls=none&connections=8",
            "TIMEZONE": self.zone,
            "SIGNUPS_PER_CLIENT": "1000000",
            "SIGNUPS_PER_MINUTE": "1000000",
            "HUGGINGFACE_URL": "http://127.0.0.1:9",
            "GITHUB_URL": "http://127.0.0.1:9",
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        words = (
            ["bench.sink", str(self.sink_port), str(RATE)],
            ["bench.watched", "web.json", "serve", "--no-worker"],
            ["bench.watched", "worker.json", "worker"],
        )
        with (self.folder / "log").open("wb") as log:
            started = [self._start(one, log) for one in words]
            try:
                yield
            finally:
                for process in reversed(started):
                    # Not SIGTERM: uvicorn sends itself what ended it once more, and nothing would be written at exit.
                    process.send_signal(signal.SIGINT)
                    process.wait(60)

    def _start(self, words: list[str], log: Any) -> "subprocess.Popen[bytes]":
        environment = {**self.environment, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        command = [sys.executable, "-m", *words]
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)  # noqa: S603  # ours


async def prepare(db: Database, zone: str) -> int:
    """Readers, and an edition of today that is frozen and paused; gives its id."""
    columns = recognise(["email"], None)
    arrival = Arrival(columns, Terms(confirm=False, basis="a benchmark"), lambda *_: None)
    file = (Row(n, [f"reader{n}@host{n % 997}.example.org"]) for n in range(READERS))
    async for _ in import_rows(db, Suppressor(SECRET.replace(" ", "_")), FixedClock(LONG_AGO), file, arrival):
        pass
    now = datetime.now(UTC)
    await demo_stories.load(db, now)
    composed = await draft.compose(db, now.date(), now)
    await freeze.freeze(db, composed.edition_id, _publication(zone), now)
    async with db.write() as session:
        await control.pause(session, composed.edition_id)
    return composed.edition_id


def _publication(zone: str) -> Publication:
    return Settings(_env_file=None, timezone=zone).publication


async def accepted(db: Database) -> int:
    async with db.read() as session:
        return int(await session.scalar(text("SELECT count(*) FROM deliveries WHERE status = 'accepted'")) or 0)


class Client:
    """Somebody who signs up and lets a reader leave, again and again, with a pause between."""

    def __init__(self, web: httpx.AsyncClient, tokens: Iterator[str]) -> None:
        self.web, self.tokens = web, tokens
        self.failures = 0

    async def go_on(self, until: float, took: list[float]) -> None:
        chance = random.SystemRandom()
        while time.monotonic() < until:
            address = f"new{chance.getrandbits(60):x}@post.example.org"
            await self._post(took, 202, "/subscribe", json={"email": address})
            await asyncio.sleep(THINK * 2 * chance.random())
            leave = {"List-Unsubscribe": "One-Click"}
            await self._post(took, 200, f"/unsubscribe/{next(self.tokens)}", data=leave)
            await asyncio.sleep(THINK * 2 * chance.random())

    async def _post(self, took: list[float], expected: int, path: str, **body: Any) -> None:
        began = time.perf_counter()
        answer = await self.web.post(path, **body)
        took.append(time.perf_counter() - began)
        self.failures += answer.status_code != expected


async def measure(folder: Path) -> int:
    post = Post(folder)
    await migrations.upgrade(post.url)
    db = Database(post.url)
    edition = await prepare(db, post.zone)
    signer = Signer([SECRET.replace(" ", "-")])
    async with db.read() as session:
        refs = (await session.scalars(text("SELECT ref FROM subscribers ORDER BY id DESC LIMIT 10000"))).all()
    tokens = iter([signer.sign(Purpose.UNSUBSCRIBE, ref) for ref in refs])
    quiet: list[float] = []
    busy: list[float] = []
    rates: list[float] = []
    with post.running():
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{post.web_port}", timeout=30, trust_env=False) as web:
            await _up(web)
            clients = [Client(web, tokens) for _ in range(CLIENTS)]
            await _turn(clients, 3.0, [])  # warms up; counts for neither
            for _ in range(TURNS):
                await _turn(clients, SECONDS, quiet)
                await _switch(db, edition, control.resume)
                # Releasing the readers and finding the first shard is part of a send, but not of its rate.
                await _turn(clients, 2.0, busy)
                before, began = await accepted(db), time.monotonic()
                await _turn(clients, SECONDS, busy)
                rates.append((await accepted(db) - before) / (time.monotonic() - began))
                await _switch(db, edition, control.pause)
                await _turn(clients, 1.5, [])
    await db.close()
    return _report(folder, quiet, busy, rates, sum(one.failures for one in clients))


async def _up(web: httpx.AsyncClient) -> None:
    for _ in range(300):
        try:
            if (await web.get("/healthz")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.2)
    raise SystemExit("the service did not come up")


async def _turn(clients: list[Client], seconds: float, took: list[float]) -> None:
    until = time.monotonic() + seconds
    await asyncio.gather(*(one.go_on(until, took) for one in clients))


async def _switch(db: Database, edition: int, way: Any) -> None:
    async with db.write() as session:
        await way(session, edition)


def _report(folder: Path, quiet: list[float], busy: list[float], rates: list[float], failures: int) -> int:
    log = (folder / "log").read_text(errors="replace")
    trouble = sum(log.count(words) for words in _TROUBLE)
    held = {name: json.loads((folder / f"{name}.json").read_text()) for name in ("web", "worker")}
    for name, took in (("no edition", quiet), ("an edition", busy)):
        figures = ", ".join(f"p{share} {_within(took, share):.1f} ms" for share in (50, 95, 99))
        sys.stdout.write(f"{name} being sent: {figures} of {len(took):,} requests\n")
    ratio = _within(busy, 99) / _within(quiet, 99)
    sys.stdout.write(f"ratio of p99: {ratio:.2f} of {BUDGET}: {'ok' if ratio <= BUDGET else 'over'}\n")
    sys.stdout.write(f"mails a second in each turn: {', '.join(f'{one:,.0f}' for one in rates)} (asked: {RATE})\n")
    sys.stdout.write(f"answers that were not as expected: {failures}; lock errors: {trouble}\n")
    for name, one in held.items():
        verdict = "ok" if one["longest"] <= HELD else "over"
        sys.stdout.write(
            f"{name}: longest write transaction {one['longest']:.1f} ms of {HELD}: {verdict}; "
            f"99 in 100 of {one['transactions']:,} within {one['p99']:.1f} ms; the longest: {'; '.join(one['did'])}\n"
        )
    longest = max(one["longest"] for one in held.values())
    return 0 if ratio <= BUDGET and not trouble and not failures and longest <= HELD else 1


def _within(took: list[float], share: int) -> float:
    return sorted(took)[min(len(took) * share // 100, len(took) - 1)] * 1000


def main() -> int:

    with tempfile.TemporaryDirectory(prefix="morningpost-bench-") as folder:
        return asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
