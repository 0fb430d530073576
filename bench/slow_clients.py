"""Sign-ups beside a thousand clients that never finish what they send: `python -m bench.slow_clients`.

A real `serve` on SQLite; half of the clients send half a head, half of them a head and no body. Prints how long a
sign-up takes without them and beside them, and how many of them are still connected a minute later.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
HALF_HEAD = b"POST /subscribe HTTP/1.1\r\nhost: a\r\nconte"
NO_BODY = b"POST /subscribe HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"


async def sign_ups(client: httpx.AsyncClient, count: int, name: str) -> float:
    """The median time of a sign-up in milliseconds."""
    took = []
    for number in range(count):
        began = time.perf_counter()
        answer = await client.post("/subscribe", json={"email": f"{name}{number}@example.org"})
        took.append(time.perf_counter() - began)
        assert answer.status_code == 202, answer.text
    return statistics.median(took) * 1000


async def is_open(reader: asyncio.StreamReader) -> bool:
    """Has the server left the connection open?"""
    try:
        async with asyncio.timeout(0.02):
            await reader.read()
    except TimeoutError:
        return True
    except ConnectionError:
        pass
    return False


async def measure(port: int, clients: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
        for _ in range(100):
            try:
                await client.get("/healthz")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.2)
        quiet = await sign_ups(client, 40, "quiet")
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(clients)]
        for number, (_, writer) in enumerate(slow):
            writer.write(NO_BODY if number % 2 else HALF_HEAD)
        beside = await sign_ups(client, 40, "beside")
        await asyncio.sleep(60)
        alive = sum([await is_open(reader) for reader, _ in slow])
        for _, writer in slow:
            writer.close()
    sys.stdout.write(
        f"{clients} slow clients: a sign-up took {quiet:.1f} ms without them, {beside:.1f} ms beside them"
        f" ({beside / quiet:.2f} times); {alive} still connected after 60 s\n"
    )


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m bench.slow_clients", description=__doc__)
    words.add_argument("--clients", type=int, default=1000)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port = 18_400 + os.getpid() % 1000
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "MORNINGPOST_PORT": str(port),
            "MORNINGPOST_SIGNUPS_PER_CLIENT": "100000", "MORNINGPOST_SIGNUPS_PER_MINUTE": "100000",
        }  # fmt: skip
        subprocess.run([sys.executable, "-m", "app", "migrate"], cwd=folder, env=environment, check=True)
        with subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--no-worker"], cwd=folder, env=environment,
            stderr=subprocess.DEVNULL,
        ) as server:  # fmt: skip
            try:
                asyncio.run(measure(port, asked.clients))
            finally:
                server.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
