"""How fast another product's readers move in on SQLite, the longest write transaction, and the memory it takes.

`python -m bench.transfer --rows 1000000`. Each reader is owed a confirmation mail, the dearer way. In the same run a
bare `executemany` puts the same file into a table of nothing but unique addresses: a measure of the machine that day.
The import is a process of its own, so that the peak of memory is its own.
"""

import argparse
import asyncio
import csv
import json
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from app.core import heap
from app.core.clock import SystemClock
from app.core.db import Database
from app.core.signing import Suppressor
from app.operations import migrations
from app.stages.audience.import_readers.columns import recognise
from app.stages.audience.import_readers.run import Fate, Terms, begin, import_rows
from app.stages.audience.import_readers.survey import survey
from app.stages.audience.import_readers.table import open_table
from bench.held import Held

ROWS = 200_000
DOMAINS = 5_000
RATE, HELD, MEMORY = 20_000, 50, 200
HEADER = ("Email Address", "First Name", "Last Name", "MEMBER_RATING", "OPTIN_TIME", "OPTIN_IP", "CONFIRM_TIME",
          "CONFIRM_IP", "TIMEZONE", "LAST_CHANGED", "LEID", "EUID")  # fmt: skip


def write_file(path: Path, count: int) -> None:
    """Made-up readers at made-up domains, in the shape of a Mailchimp export and in no order."""
    chance = random.Random(11)  # noqa: S311  # the same file in every run
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for n in range(count):
            name = "".join(chance.choices("abcdefghijklmnoprstuvwy", k=6))
            address = f"{name.capitalize()}.{n}@host{chance.randrange(DOMAINS)}.example.org"
            at = f"20{n % 20 + 5:02}-0{n % 9 + 1}-11 07:{n % 60:02}:11"
            out.writerow((address, f"Name{n % 999}", "X", 2, at, "", at, "", "Europe/Berlin", at, n, f"{n:x}"))


async def bring_in(folder: Path) -> dict[str, float]:
    """The import itself: seconds of wall and processor time, milliseconds that the writer was held, megabytes."""
    db = Database(f"sqlite:///{folder}/bench.db")
    heap.settle()  # as the command does
    held = Held(db)
    began, worked = time.perf_counter(), time.process_time()
    table = open_table(folder / "members.csv")
    plan = survey(table, recognise(table.header, None), order=None, answers={}, dates_count=False)
    arrival = begin(table, plan, Terms(confirm=True), _never)
    async for _ in import_rows(db, Suppressor("k" * 32), SystemClock(), table.rows(), arrival):
        pass
    wall, processor = time.perf_counter() - began, time.process_time() - worked
    await db.close()
    return {
        "added": arrival.fates[Fate.ADDED],
        "wall": wall,
        "processor": processor,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **held.figures(),
    }


def _never(_: object, reason: str) -> None:
    raise AssertionError(reason)


def floor(folder: Path) -> float:
    """Seconds of a bare `executemany` of the same addresses, five hundred a transaction, as durable as ours."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE readers (id INTEGER PRIMARY KEY, address TEXT UNIQUE, name TEXT, at TEXT)")
    began = time.perf_counter()
    with (folder / "members.csv").open(encoding="utf-8", newline="") as file:
        rows = ((row[0], row[1], row[4]) for row in islice(csv.reader(file), 1, None))
        while chunk := list(islice(rows, 500)):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO readers (address, name, at) VALUES (?, ?, ?)", chunk)
            connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return took


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m bench.transfer")
    words.add_argument("--rows", type=int, default=ROWS)
    words.add_argument("--only", type=Path, help=argparse.SUPPRESS)
    chosen = words.parse_args()
    if chosen.only:
        sys.stdout.write(json.dumps(asyncio.run(bring_in(chosen.only))))
        return 0
    with tempfile.TemporaryDirectory(prefix="morningpost-bench-") as name:
        folder = Path(name)
        write_file(folder / "members.csv", chosen.rows)
        asyncio.run(migrations.upgrade(f"sqlite:///{folder}/bench.db"))
        bare = floor(folder)
        command = [sys.executable, "-m", "bench.transfer", "--only", name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=3600)  # noqa: S603  # ourselves
    return _report(chosen.rows, json.loads(done.stdout), bare)


def _report(rows: int, found: dict[str, float], bare: float) -> int:
    assert found["added"] == rows
    rate = rows / found["wall"]
    lines = (
        ("rows a second", rate, RATE, rate > RATE),
        ("longest write transaction, ms", found["longest"], HELD, found["longest"] <= HELD),
        ("peak memory, MB", found["memory"], MEMORY, found["memory"] < MEMORY),
    )
    for what, value, budget, within in lines:
        verdict = "ok" if within else "over"
        sys.stdout.write(f"{what}: {value:,.1f}, {value / budget:.2f} of {budget:,}: {verdict}\n")
    sys.stdout.write(
        f"{rows:,} rows; processor time {found['processor'] / rows * 1e6:.1f} µs a row; "
        f"transactions {found['transactions']:,.0f}, 99 in 100 within {found['p99']:.1f} ms; "
        f"a bare executemany made {rows / bare:,.0f} rows a second; ours takes {found['wall'] / bare:.2f} times as long"
        "\n"
    )
    return 0 if all(within for *_, within in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
