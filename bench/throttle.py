"""Two workers, each a process with a database connection of its own, share one provider's rate on PostgreSQL.

`python -m bench.throttle --rate 50 --seconds 20`. Each hands over as fast as it is let; what left together, over the
time from the first message to the last, is held against the setting. The last line is one JSON object.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core import log
from app.core.db import Database, Session
from app.core.mail.message import Message
from app.core.mail.receipt import Receipt, Standstill
from app.core.mail.template import MailTemplate, Pieces
from app.core.mail.tokens import Limits
from app.stages.send.handover import Handover
from app.stages.send.ledger import Settled
from app.stages.send.throttle import ProviderThrottle
from tests.conftest import Postgres
from tests.stages.send.scripted import Scripted

_TEMPLATE = MailTemplate("A subject", ("Post", "post@example.org"), (), Pieces.cut("Words.\n", "5a175a175a17"))
_NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    attempt: int = 1
    expires_at: datetime = _NOW + timedelta(hours=12)


class Endless:
    """A ledger in memory that always owes more."""

    def __init__(self) -> None:
        self._next = 0

    async def turn(
        self,
        session: Session,  # noqa: ARG002  # as a ledger
        settled: Sequence[Settled[Row]],  # noqa: ARG002
        room: int | None,
        fault: Standstill | None = None,  # noqa: ARG002
    ) -> Sequence[Row] | None:
        self._next += room or 0
        return [Row(self._next - index) for index in range(room or 0)]

    @property
    def waits(self) -> float:
        return 0.0

    def told(self, row: Row) -> None: ...

    def holds(self, row: Row) -> bool:  # noqa: ARG002
        return True

    def written(self, row: Row) -> None: ...

    async def address(self, row: Row) -> Message | Receipt:
        return Message(row.id, 1, "a@example.org", f"<{row.id}@example.org>", _NOW, "post@example.org", _TEMPLATE, {})

    async def part(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None: ...

    async def close(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None: ...


async def work(url: str, rate: float, seconds: float) -> None:
    """Prints when each message left, and the CPU it took."""
    db, stop, left = Database(url), asyncio.Event(), list[float]()
    provider = Scripted()
    provider.before = lambda _: left.append(time.time())
    throttle = ProviderThrottle(db, "bench", Limits(rate=rate), ZoneInfo("UTC"), service=False)
    asyncio.get_running_loop().call_later(seconds, stop.set)
    before = time.process_time()
    await Handover(db, Endless(), stop, throttle).run(provider)
    await db.close()
    sys.stdout.write(json.dumps({"left": left, "cpu": time.process_time() - before}) + "\n")


def measure(rate: float, seconds: float) -> dict[str, float]:
    """Runs two workers beside each other."""
    server = Postgres()
    try:
        command = [sys.executable, "-m", "bench.throttle", "--rate", str(rate), "--seconds", str(seconds)]
        workers = [
            subprocess.Popen([*command, "--worker", server.url("template_post")], stdout=subprocess.PIPE)  # noqa: S603
            for _ in range(2)
        ]
        found = [json.loads(one.communicate()[0]) for one in workers]
    finally:
        server.stop()
    left = sorted(at for one in found for at in one["left"])
    reached = (len(left) - 1) / (left[-1] - left[0])
    return {
        "rate": rate,
        "measured": round(reached, 2),
        "off_percent": round(100 * (reached / rate - 1), 2),
        "messages": len(left),
        "of_the_first_worker": len(found[0]["left"]),
        "most_in_a_second": max(sum(at <= one < at + 1 for one in left) for at in left[:: max(1, len(left) // 500)]),
        "cpu_us_per_message": round(1e6 * sum(one["cpu"] for one in found) / len(left), 1),
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rate", type=float, default=50)
    asked.add_argument("--seconds", type=float, default=20)
    asked.add_argument("--worker", help=argparse.SUPPRESS)
    given = asked.parse_args()
    log.configure("console", "ERROR")
    if given.worker:
        asyncio.run(work(given.worker, given.rate, given.seconds))
    else:
        sys.stdout.write(json.dumps(measure(given.rate, given.seconds)) + "\n")


if __name__ == "__main__":
    main()
