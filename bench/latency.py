"""Sending while the database is far away: `python -m bench.latency --readers 4000`.

PostgreSQL of our own behind a proxy that holds every octet back, 0 to 100 ms each way; one worker, and two; mails of
about 30 kB to Postfix's `smtp-sink`. Prints the rate, its part of the rate at 0 ms in the same run and through the same
proxy, how long the first mail took, and how many round trips a group of mails cost. The last line is one JSON object.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from app.core import log
from app.core.db import Database
from app.stages.send import control
from bench.send import SOME, Service, sink
from tests.conftest import Postgres
from tests.proxy import Proxy

ONE_WAY = (0, 1, 5, 20, 100)
"""Milliseconds."""
LASTS = 25.0
"""Seconds of one measurement at most."""
COUNTED_FROM, COUNTED_TO = 0.1, 0.9
"""The part of an edition over which the rate is taken: neither the first group, nor the end of the last."""


async def measure(server: Postgres, port: int, one_way: int, workers: int, readers: int) -> dict[str, Any]:
    """One edition of so many readers."""
    with (
        ExitStack() as stack,
        tempfile.TemporaryDirectory(prefix="morningpost-bench-") as name,
        server.database() as url,
    ):
        direct = make_url(url)
        path = f"{direct.query['host']}/.s.PGSQL.{direct.port or 5432}"
        proxy = stack.enter_context(Proxy(path, one_way / 1000))
        far = f"postgresql://{direct.username}@127.0.0.1:{proxy.port}/{direct.database}"
        service = Service(Path(name), port, url)
        await service.prepare(readers, SOME)
        await service.release()
        service.settings["DATABASE_URL"] = far
        logs = [Path(name) / f"log{number}" for number in range(workers)]
        processes = [stack.enter_context(_worker(service, one)) for one in logs]
        for one in logs:
            while b"the worker runs" not in one.read_bytes():
                await asyncio.sleep(0.1)
                assert all(process.poll() is None for process in processes), one.read_text()[-3000:]
        await asyncio.sleep(4 + one_way / 20)  # the first round of the timetable is not part of a send
        found = await _send(service.db, service.edition, service, readers)
        groups = sum(_groups(one) for one in logs)
        await service.db.close()
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(30)
    return {"one_way_ms": one_way, "workers": workers, **found, "groups": groups}


def _worker(service: Service, out: Path) -> subprocess.Popen[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MORNINGPOST_")}
    ours = {f"MORNINGPOST_{name}": value for name, value in service.settings.items()}
    root = str(Path(__file__).resolve().parents[1])
    with out.open("wb") as file:
        return subprocess.Popen(  # ours
            [sys.executable, "-m", "app", "worker"],
            cwd=out.parent,
            env={**clean, **ours, "PYTHONPATH": root, "PYTHONSAFEPATH": ""},
            stdout=file,
            stderr=file,
        )


def _groups(file: Path) -> int:
    return len(re.findall(r"a group was committed", file.read_text()))


async def _send(db: Database, edition: int, service: Service, readers: int) -> dict[str, float]:
    began = time.perf_counter()
    async with db.write() as session:
        await control.resume(session, edition)
    seen: list[tuple[float, int]] = []
    while True:
        count, at = await service.accepted(), time.perf_counter() - began
        if count and (not seen or count != seen[-1][1]):
            seen.append((at, count))
        if count >= readers * COUNTED_TO or at > LASTS:
            break
        await asyncio.sleep(0.02)
    first = seen[0][0] if seen else float("inf")
    counted = [(at, count) for at, count in seen if count >= min(readers, seen[-1][1]) * COUNTED_FROM]
    (start, had), (end, has) = counted[0], counted[-1]
    return {"first_s": first, "rate": (has - had) / max(end - start, 0.001), "accepted": has}


async def main(readers: int, one_ways: list[int]) -> list[dict[str, Any]]:
    server = await asyncio.to_thread(Postgres)
    found: list[dict[str, Any]] = []
    try:
        with sink() as port:
            for workers in (1, 2):
                for one_way in one_ways:
                    one = await measure(server, port, one_way, workers, readers)
                    still = next((a for a in found if a["workers"] == workers), one)
                    one["of_still"] = one["rate"] / still["rate"]
                    found.append(one)
                    sys.stdout.write(
                        "{workers} worker(s), {one_way_ms} ms one way: {rate:,.0f} a second, {of_still:.2f} of that at "
                        "0 ms; the first after {first_s:.1f} s; {accepted} mails in {groups} groups\n".format(**one)
                    )
                    sys.stdout.flush()
    finally:
        server.stop()
    return found


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--readers", type=int, default=8_000)
    words.add_argument("--one-way", type=int, nargs="+", default=list(ONE_WAY), help="milliseconds; the first is 0")
    asked = words.parse_args()
    log.configure("console", "ERROR")
    sys.stdout.write(json.dumps(asyncio.run(main(asked.readers, asked.one_way))) + "\n")
