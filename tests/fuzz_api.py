"""`make fuzz-api`: schemathesis against a service of its own, on an empty SQLite database. `--examples 500` is longer.

What the API's description allows must be taken, what it forbids must be refused, and every answer must be described.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.acceptance.house import free_port

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = r"trends/collect|/test$|/check$"
"""These ask other servers, or mail somebody."""


def play(folder: Path, *, phases: str, examples: int, seconds: int, seed: int = 1) -> tuple[int, str]:
    """Gives schemathesis' exit code, 0 where nothing was found, and what it printed."""
    port = free_port()
    ours = {"PUBLIC_URL": f"http://127.0.0.1:{port}", "PORT": str(port), "SIGNUPS_PER_CLIENT": "1000000"}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MORNINGPOST_")}
    environment = {**clean, **{f"MORNINGPOST_{name}": value for name, value in ours.items()}, "PYTHONPATH": str(ROOT)}
    service = [sys.executable, "-m", "app"]
    subprocess.run([*service, "migrate"], cwd=folder, env=environment, check=True, capture_output=True)
    made = subprocess.run(
        [*service, "keys", "create", "fuzz"], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    key = next(word for word in made.stdout.split() if word.startswith("mp_"))
    with (folder / "serve.log").open("wb") as log:
        server = subprocess.Popen([*service, "serve", "--no-worker"], cwd=folder, env=environment, stderr=log)
        try:
            _wait(port)
            command = [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(ROOT / "schemathesis.toml"), "run"),
                *(f"http://127.0.0.1:{port}/openapi.json", "-H", f"Authorization: Bearer {key}", "--no-color"),
                *("--phases", phases, "--exclude-path-regex", LEFT_OUT, "--continue-on-failure"),
                *("--max-examples", str(examples), "--seed", str(seed)),
            ]
            ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
        finally:
            server.terminate()
            server.wait(30)
    return ran.returncode, ran.stdout + ran.stderr


def _wait(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the service did not answer within 30 s")


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--examples", type=int, default=100, help="random requests for each operation")
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="morningpost-fuzz-") as name:
        found, told = play(
            Path(name),
            phases="examples,coverage,fuzzing,stateful",
            examples=asked.examples,
            seconds=7200,
            seed=asked.seed,
        )
    sys.stdout.write(told)
    sys.exit(found)
