"""How long `morningpost demo --once` takes, from an empty folder to the edition in the outbox."""

import subprocess
import sys
import time

from bench.measure import Measurement


def measure() -> Measurement:
    """With whatever network there is: the demo waits for trends five seconds at most."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "app", "demo", "--once"], check=True, capture_output=True, timeout=120)
    return Measurement("morningpost demo --once", time.perf_counter() - began, "s", 20)
