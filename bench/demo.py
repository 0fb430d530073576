"""How long `morningpost demo --once` takes, from an empty folder to the edition in the outbox."""

import os
import subprocess
import sys
import tempfile
import time

from bench.measure import Measurement


def measure() -> Measurement:
    """With whatever network there is: the demo waits for trends five seconds at most."""
    # The demo leaves its folder for whoever reads the edition there; here nobody does.
    with tempfile.TemporaryDirectory(prefix="morningpost-bench-") as folder:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "app", "demo", "--once"],
            check=True, capture_output=True, timeout=120, env={**os.environ, "TMPDIR": folder},
        )  # fmt: skip
        took = time.perf_counter() - began
    return Measurement("morningpost demo --once", took, "s", 20)
