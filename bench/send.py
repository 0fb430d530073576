"""The whole service: readers released, handed over by a real worker to Postfix's `smtp-sink`, and written down.

`python -m bench.send --readers 20000`: an edition of about 30 kB a mail, as the budgets have it, then the whole demo's.
In the same run, at the same sink: `smtp-source`, Postfix's load generator in C, with mails of the same size over as
many connections, which it keeps (`-d`, its best) or opens anew for each mail; and the plain way, `email.message` and
aiosmtplib.
Rates depend on who else uses the machine; the CPU a message costs the sender hardly does. `--million` also measures
1,000,000 readers against 10,000, three pairs in turn, and a release of 1,000,000 on PostgreSQL. The last line is one
JSON object.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from statistics import median
from typing import Any

import aiosmtplib
from sqlalchemy import text

from app.cli import demo_stories
from app.core import log
from app.core.db import Database
from app.core.mail.message import Message
from app.core.settings import Settings, load_settings
from app.operations import migrations
from app.stages.collect import stories as desk
from app.stages.compose import draft
from app.stages.render import freeze, message
from app.stages.send import control, release
from app.store import editions
from bench.held import Held
from bench.smtp import MODERN, over_distance
from tests.acceptance.house import free_port
from tests.conftest import Postgres

CONNECTIONS = 8
PLAIN = 300
SENT_OF_EACH, PAIRS = 10_000, 3
SOME, ALL = 2, 1_000
"""Stories of an edition: so many make about 30 kB a mail; all that there are, nearly twice as much."""
SECRET = "the-benchmark-signs-its-links-with-these-very-words"  # noqa: S105  # of a database that lives a minute
_TICKS = os.sysconf("SC_CLK_TCK")
_READERS = """
INSERT INTO subscribers (id, ref, address, address_key, domain_group, status, zone, first_name, sections, frequency,
  form, language, created_at, confirmed_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
SELECT i, 'reader-' || i, 'reader' || i || '@host' || (i % 997) || '.example.org',
  'reader' || i || '@host' || (i % 997) || '.example.org', 'other', 'active', '', '', :sections, 'daily', 'html', '',
  '2020-01-01 00:00:00.000000', '2020-01-01 00:00:00.000000' FROM n
"""


class Service:
    """A database of one edition and its readers, in a folder; a sink for its mail."""

    def __init__(self, folder: Path, sink: int, url: str = "") -> None:
        self.folder = folder
        hours = 12 - datetime.now(UTC).hour
        self.settings = {
            "ENVIRONMENT": "production",
            "DATABASE_URL": url or f"sqlite:///{folder}/post.db",
            "PUBLIC_URL": "https://post.test-paper.net",
            "SECRET_KEYS": SECRET,
            "SUPPRESSION_KEY": SECRET[::-1],
            "FROM_ADDRESS": "The AI Morning Post <post@test-paper.net>",
            "POSTAL_ADDRESS": "1 Press Lane, Testford",
            "PROVIDERS": f"smtp://127.0.0.1:{sink}?tls=none&connections={CONNECTIONS}",
            # A zone in which it is about noon, so that the edition of the day is due.
            "TIMEZONE": f"Etc/GMT{-hours:+d}",
            "HUGGINGFACE_URL": "http://127.0.0.1:9",
            "GITHUB_URL": "http://127.0.0.1:9",
            "CHECK_LINKS": "off",
        }
        self.read: Settings = load_settings(**{name.lower(): value for name, value in self.settings.items()})
        self.db = Database(self.settings["DATABASE_URL"])
        self.held = Held(self.db)
        self.edition = 0

    async def prepare(self, readers: int, stories: int) -> int:
        """A frozen edition of so many of the demo's stories and its readers, nobody released; gives a mail's octets."""
        await migrations.upgrade(self.settings["DATABASE_URL"])
        now = datetime.now(UTC)
        await self._write_stories(now, stories)
        composed = await draft.compose(self.db, now.date(), now)
        self.edition = composed.edition_id
        await freeze.freeze(self.db, self.edition, self.read.publication, now, force=True)
        async with self.db.write() as session:
            await session.execute(text(_READERS), {"count": readers, "sections": 2**31 - 1})
        template = await message.template_of(self.db, self.edition, self.read.publication)
        slots = dict.fromkeys(template.slots, "x" * 40)
        return len(Message(1, 1, "a@b.org", "<a@b.org>", now, "a@b.org", template, slots).as_bytes())

    async def _write_stories(self, now: datetime, most: int) -> None:
        bundled = demo_stories.bundled()
        async with self.db.write() as session:
            for fields in bundled[:: max(1, len(bundled) // most)][:most]:
                await desk.create(session, desk.parse(fields), now)

    async def release(self) -> dict[str, float]:
        """Releases everybody, held back by a pause at the end; seconds, and the longest the writer was held."""
        self.held.seconds.clear()
        began = time.perf_counter()
        count = await release.send_now(self.db, self.edition, self.read, datetime.now(UTC))
        seconds = time.perf_counter() - began
        longest = self.held.figures()
        async with self.db.write() as session:
            await control.pause(session, self.edition)
        return {"released": count, "seconds": seconds, "longest_ms": longest["longest"], "p99_ms": longest["p99"]}

    @contextmanager
    def worker(self) -> Iterator[int]:
        """A real worker beside us, started and idle; gives its process id."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MORNINGPOST_")}
        ours = {f"MORNINGPOST_{name}": value for name, value in self.settings.items()}
        root = str(Path(__file__).resolve().parents[1])
        with (self.folder / "log").open("wb") as out:
            command = [sys.executable, "-m", "bench.watched", "held.json", "worker"]
            process = subprocess.Popen(  # noqa: S603  # ours
                command, cwd=self.folder, env={**clean, **ours, "PYTHONPATH": root}, stdout=out, stderr=out
            )
            try:
                while b"the worker runs" not in (self.folder / "log").read_bytes():
                    time.sleep(0.2)
                    assert process.poll() is None, (self.folder / "log").read_text()
                time.sleep(6)  # its first round of the timetable is not part of a send
                yield process.pid
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(60)

    async def accepted(self) -> int:
        async with self.db.read() as session:
            return int(await session.scalar(text("SELECT SUM(accepted) FROM delivery_counts")) or 0)

    async def send(self, pid: int, most: int) -> dict[str, float]:
        """Lets the worker go; stops counting at `most` mails. The rate is that from the first look that found some."""
        before = _cpu(pid)
        async with self.db.write() as session:
            await control.resume(session, self.edition)
        while not (already := await self.accepted()):  # noqa: ASYNC110  # another process is waited for
            await asyncio.sleep(0.02)
        began = time.perf_counter()
        while (count := await self.accepted()) < most:
            await asyncio.sleep(0.1)
            assert (await self._status()) != "paused", (self.folder / "log").read_text()[-3000:]
        seconds, cpu = time.perf_counter() - began, _cpu(pid) - before
        return {
            "messages": count,
            "rate": (count - already) / seconds,
            "cpu_us_per_message": cpu / count * 1e6,
            "messages_per_cpu_second": count / cpu,
            "peak_rss_mb": _peak(pid),
        }

    async def _status(self) -> str:
        async with self.db.read() as session:
            edition = await editions.get(session, self.edition)
        assert edition is not None
        return edition.status.value


def _cpu(pid: int) -> float:
    """Seconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


@contextmanager
def sink() -> Iterator[int]:
    """Postfix's `smtp-sink` on a port of its own."""
    port = free_port()
    as_root = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen(["smtp-sink", *as_root, f"127.0.0.1:{port}", "1000"])  # noqa: S603, S607
    time.sleep(0.5)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


def blasted(port: int, count: int, size: int, *, stays: bool) -> float:
    """Mails a second of `smtp-source`; `stays`: over the same connections, as it does at its best (`-d`)."""
    began = time.perf_counter()
    words = ["smtp-source", "-s", str(CONNECTIONS), "-l", str(size), "-m", str(count), "-f", "a@b.org", "-t", "c@d.org"]
    if stays:
        words.insert(1, "-d")
    subprocess.run([*words, f"127.0.0.1:{port}"], check=True)  # noqa: S603
    return count / (time.perf_counter() - began)


async def plain(port: int, size: int) -> dict[str, float]:
    """`email.message` and aiosmtplib, one mail after the other on each connection."""
    began, before = time.perf_counter(), time.process_time()

    async def line(share: range) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, use_tls=False) as client:
            for number in share:
                mail = EmailMessage()
                mail["From"], mail["To"] = "post@test-paper.net", f"reader{number}@example.org"
                mail["Subject"] = "The AI Morning Post"
                mail.set_content("words " * (size // 24))
                mail.add_alternative("<p>words</p>" * (size // 24), subtype="html")
                await client.send_message(mail)

    await asyncio.gather(*(line(range(n, PLAIN, CONNECTIONS)) for n in range(CONNECTIONS)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - before
    return {"rate": PLAIN / seconds, "cpu_us_per_message": cpu / PLAIN * 1e6}


async def measure(port: int, readers: int, most: int, stories: int = SOME) -> dict[str, Any]:
    """One database of so many readers: released, and `most` of them sent to."""
    with tempfile.TemporaryDirectory(prefix="morningpost-bench-") as name:
        service = Service(Path(name), port)
        size = await service.prepare(readers, stories)
        released = await service.release()
        with service.worker() as pid:
            sent = await service.send(pid, most)
        await service.db.close()
        held = json.loads((Path(name) / "held.json").read_text())
    return {"readers": readers, "octets": size, "release": released, "send": sent, "worker_held": held}


async def main(readers: int, *, million: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"wire": {"pipelining_50ms": await over_distance("PIPELINING", count=60)}}
    found["wire"]["chunking_50ms"] = await over_distance(*MODERN, count=400)
    _say(
        "over 50 ms: {pipelining_50ms:.1f} a second with PIPELINING, {chunking_50ms:.0f} with CHUNKING".format(
            **found["wire"]
        )
    )
    with sink() as port:
        for name, stories in (("ours", SOME), ("whole", ALL)):
            found[name] = await beside(port, readers, stories)
        if million:
            found["million"] = await against_a_million(port)
            found["postgresql"] = await release_on_postgresql(1_000_000)
    return found


async def beside(port: int, readers: int, stories: int) -> dict[str, Any]:
    """Ours, then the others with mails of its size."""
    found = await measure(port, readers, readers, stories)
    _say(_line(found))
    found["smtp_source_rate"] = blasted(port, readers, found["octets"], stays=True)
    found["reconnecting_rate"] = blasted(port, readers, found["octets"], stays=False)
    found["times_smtp_source"] = found["send"]["rate"] / found["smtp_source_rate"]
    found["times_reconnecting"] = found["send"]["rate"] / found["reconnecting_rate"]
    found["plain"] = await plain(port, found["octets"])
    _say(
        "  smtp-source -d {:,.0f} a second, so {:.2f} times it; without -d {:,.0f}, so {:.2f}; "
        "plain {:,.0f} at {:,.0f} µs; load {:.1f}".format(
            found["smtp_source_rate"],
            found["times_smtp_source"],
            found["reconnecting_rate"],
            found["times_reconnecting"],
            found["plain"]["rate"],
            found["plain"]["cpu_us_per_message"],
            os.getloadavg()[0],
        )
    )
    return found


async def against_a_million(port: int) -> dict[str, Any]:
    """What a mail costs with 1,000,000 readers against 10,000, three pairs in turn; and releasing them all."""
    pairs = []
    for _ in range(PAIRS):
        pair = [await measure(port, readers, SENT_OF_EACH) for readers in (SENT_OF_EACH, 1_000_000)]
        for one in pair:
            _say(_line(one))
        pairs.append(pair)
    ratio = median(large["send"]["cpu_us_per_message"] / small["send"]["cpu_us_per_message"] for small, large in pairs)
    _say(f"a mail costs {ratio:.2f} times as much with 1,000,000 readers; load {os.getloadavg()[0]:.1f}")
    return {"pairs": pairs, "times_cpu": ratio}


async def release_on_postgresql(readers: int) -> dict[str, float]:
    """Everybody released at once on a PostgreSQL of our own, as durable as it comes."""
    server = await asyncio.to_thread(Postgres)  # it migrates in a loop of its own
    try:
        server.run("ALTER SYSTEM RESET ALL")
        server.run("SELECT pg_reload_conf()")
        server.run("CREATE DATABASE bench TEMPLATE template_post")
        with tempfile.TemporaryDirectory(prefix="morningpost-bench-") as name:
            service = Service(Path(name), 9, server.url("bench"))
            await service.prepare(readers, SOME)
            released = await service.release()
            await service.db.close()
    finally:
        server.stop()
    _say(
        f"{readers:,} readers on PostgreSQL: released in {{seconds:.1f}} s, longest {{longest_ms:.0f}} ms".format(
            **released
        )
    )
    return released


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _line(one: dict[str, Any]) -> str:
    sent, released = one["send"], one["release"]
    return (
        f"{one['readers']:,} readers, {one['octets'] / 1000:.0f} kB: released in {released['seconds']:.1f} s (longest "
        f"{released['longest_ms']:.0f} ms), {sent['rate']:,.0f} a second, {sent['cpu_us_per_message']:.0f} µs of CPU a "
        f"message, peak {sent['peak_rss_mb']:.0f} MB, writer held {one['worker_held']['longest']:.0f} ms at most"
    )


if __name__ == "__main__":
    words = argparse.ArgumentParser(description="The whole way of a mail, measured.")
    words.add_argument("--readers", type=int, default=20_000)
    words.add_argument("--million", action="store_true")
    asked = words.parse_args()
    log.configure("console", "ERROR")
    _say(json.dumps(asyncio.run(main(asked.readers, million=asked.million))))
