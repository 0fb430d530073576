"""How fast another product's readers move in on SQLite, the longest write transaction, and the memory it takes.

`python -m bench.transfer 1000000` measures a million rows; each reader is owed a confirmation mail, the dearer way.
"""

import asyncio
import csv
import random
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.core.clock import SystemClock
from app.core.db import Database, Session
from app.core.signing import Suppressor
from app.operations import migrations
from app.stages.audience import transfer, transfer_columns, transfer_file
from app.stages.audience.transfer import Arrival, Fate, Terms

ROWS = 200_000
DOMAINS = 5_000
HEADER = ("Email Address", "First Name", "Last Name", "MEMBER_RATING", "OPTIN_TIME", "OPTIN_IP", "CONFIRM_TIME",
          "CONFIRM_IP", "TIMEZONE", "LAST_CHANGED", "LEID", "EUID")  # fmt: skip


class Timed(Database):
    """Remembers the longest time that the writer was held, in seconds."""

    longest = 0.0

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        began = time.perf_counter()
        async with super().write() as session:
            yield session
        self.longest = max(self.longest, time.perf_counter() - began)


def write_file(path: Path, count: int) -> None:
    """Made-up readers at made-up domains, in the shape of a Mailchimp export."""
    chance = random.Random(11)  # noqa: S311  # the same file in every run
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for n in range(count):
            address = f"{chance.choice(('reader', 'News', 'a.b'))}.{n}@host{chance.randrange(DOMAINS)}.example.org"
            at = f"20{n % 20 + 5:02}-0{n % 9 + 1}-11 07:{n % 60:02}:11"
            out.writerow((address, f"Name{n % 999}", "X", 2, at, "", at, "", "Europe/Berlin", at, n, f"{n:x}"))


async def measure(count: int, chunk: int) -> None:
    with tempfile.TemporaryDirectory(prefix="morningpost-bench-") as folder:
        path = Path(folder) / "members.csv"
        write_file(path, count)
        url = f"sqlite:///{Path(folder)}/bench.db"
        await migrations.upgrade(url)
        db = Timed(url)
        began, worked = time.perf_counter(), time.process_time()
        with transfer_file.opened(path) as (header, rows):
            arrival = Arrival(transfer_columns.recognise(header, None, {}), Terms(confirm=True), _never)
            async for _ in transfer.bring_in(db, Suppressor("k" * 32), SystemClock(), rows, arrival, chunk):
                pass
        took, worked = time.perf_counter() - began, time.process_time() - worked
        await db.close()
    assert arrival.fates[Fate.ADDED] == count
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(  # noqa: T201
        f"{count:,} rows in chunks of {chunk:,}: {count / took:,.0f} rows/s (budget 20,000), "
        f"{worked / count * 1e6:.0f} µs of processor a row, "
        f"longest write transaction {db.longest * 1000:.1f} ms (50), peak memory {peak:.0f} MB (200)"
    )


def _never(_: object, reason: str) -> None:
    raise AssertionError(reason)


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    asyncio.run(measure(words[0] if words else ROWS, words[1] if len(words) > 1 else transfer.CHUNK))
