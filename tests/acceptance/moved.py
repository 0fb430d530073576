"""`morningpost` on a clock that the test moves: `python -m tests.acceptance.moved worker`.

The file that CLOCK_FILE names holds how many seconds the wall clock is off; it is read at every look.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import app.bootstrap
from app.core.clock import SystemClock

FILE = "MOVED_CLOCK_FILE"


def _now(_: SystemClock) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(Path(os.environ[FILE]).read_text() or 0))


if __name__ == "__main__":
    SystemClock.now = _now  # type: ignore[method-assign, assignment]  # this process only
    app.bootstrap.GuardedClock = SystemClock  # type: ignore[attr-defined, assignment]  # believed whatever it says
    from app.cli import main

    main()
