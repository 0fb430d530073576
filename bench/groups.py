"""Two workers and a mailbox provider with a limit, on PostgreSQL: its readers at its rate, all others as without it.

`python -m bench.groups --rate 50 --seconds 20`. One edition goes to readers at Gmail, as many as leave in that time at
that rate, and to twenty thousand others, mixed in all shards; once with the limit and once without. Each worker is a
process; the provider answers at once. The last line is one JSON object.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.core import log
from app.core.clock import SystemClock
from app.core.db import Database
from app.core.mail.message import Message
from app.core.mail.tokens import Limits
from app.stages.send import release, shard
from app.stages.send.throttle import ProviderThrottle
from app.stages.send.ways import Way
from tests.conftest import Postgres
from tests.people import SIGNER, add_edition
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import settings, template_for

OTHERS = 20_000
_READERS = """
INSERT INTO subscribers (id, ref, address, address_key, domain_group, status, zone, first_name, sections, frequency,
  form, language, created_at, confirmed_at)
SELECT i, 'reader-' || i, a, a, g, 'active', '', '', 1023, 'daily', 'html', '', '2020-01-01', '2020-01-01'
FROM (SELECT i, CASE WHEN i % :each = 0 THEN 'gmail' ELSE 'other' END AS g,
  'reader' || i || CASE WHEN i % :each = 0 THEN '@gmail.com' ELSE '@example.org' END AS a
  FROM generate_series(1, :count) AS i) AS made
"""


async def prepare(url: str, limited: int) -> None:
    """An edition that goes out to so many readers at Gmail, and to all others."""
    db = Database(url)
    each = (OTHERS + limited) // limited
    async with db.write() as session:
        await session.execute(text(_READERS), {"count": OTHERS + limited, "each": each})
    edition = await add_edition(db)
    await release.send_now(db, edition.id, settings(Path()), SystemClock().now())
    await db.close()


async def work(url: str, rate: float) -> None:
    """Prints when each message left, by group, and the processor time."""
    db, left = Database(url), {"gmail.com": list[float](), "example.org": list[float]()}
    provider = Scripted()

    def note(message: Message) -> None:
        left[message.recipient.rpartition("@")[2]].append(time.time())

    provider.before = note
    limits = Limits(groups={"gmail": rate} if rate else {})
    before, handed, idle = time.process_time(), 0, 0
    while idle < 30:
        handed = await shard.send_due(
            db,
            Way(provider),
            settings=settings(Path()),
            signer=SIGNER,
            clock=SystemClock(),
            template_for=template_for,
            owner=f"worker-{id(db)}",
            stop=asyncio.Event(),
            throttle=ProviderThrottle(db, "scripted", limits, ZoneInfo("UTC"), service=False),
        )
        idle = 0 if handed > 0 else idle + 1
        if handed <= 0:
            await asyncio.sleep(0.1)
    await db.close()
    sys.stdout.write(json.dumps({"left": left, "cpu": time.process_time() - before}) + "\n")


def run(server: Postgres, rate: float, limited: int) -> tuple[dict[str, list[float]], float]:
    """Sends to all; gives when messages left, by domain, and the processor time of both workers."""
    name = "limited" if rate else "free"
    server.run(f"CREATE DATABASE {name} TEMPLATE template_post")
    asyncio.run(prepare(server.url(name), limited))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.groups", "--rate", str(rate), "--worker", server.url(name)]
        files = [Path(folder) / str(number) for number in range(2)]
        workers = []
        for file in files:
            with file.open("wb") as out:
                workers.append(subprocess.Popen(command, stdout=out))  # noqa: S603
        for one in workers:
            one.wait()
        found = [json.loads(file.read_text()) for file in files]
    together = {name: sorted(at for one in found for at in one["left"][name]) for name in found[0]["left"]}
    return together, sum(one["cpu"] for one in found)


def measure(rate: float, seconds: float) -> dict[str, float]:
    server = Postgres()
    limited = round(rate * seconds)
    try:
        free, plain = run(server, 0, limited)
        left, cpu = run(server, rate, limited)
    finally:
        server.stop()
    gmail, others, before = left["gmail.com"], left["example.org"], free["example.org"]
    reached = (len(gmail) - 1) / (gmail[-1] - gmail[0])
    return {
        "rate": rate,
        "measured": round(reached, 2),
        "off_percent": round(100 * (reached / rate - 1), 2),
        "messages": len(gmail),
        "others": len(others),
        "others_a_second": round(len(others) / (others[-1] - others[0])),
        "others_a_second_without_limit": round(len(before) / (before[-1] - before[0])),
        "cpu_us_per_message": round(1e6 * cpu / (len(gmail) + len(others)), 1),
        "cpu_us_per_message_without_limit": round(1e6 * plain / (len(before) + len(free["gmail.com"])), 1),
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rate", type=float, default=50)
    asked.add_argument("--seconds", type=float, default=20)
    asked.add_argument("--worker", help=argparse.SUPPRESS)
    given = asked.parse_args()
    log.configure("console", "ERROR")
    if given.worker:
        asyncio.run(work(given.worker, given.rate))
    else:
        sys.stdout.write(json.dumps(measure(given.rate, given.seconds)) + "\n")


if __name__ == "__main__":
    main()
