"""The only place that reads wall time. Everything else is handed a `Clock` or an instant."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

TOLERATED = timedelta(hours=12)
"""How far in the future a time may lie that we signed ourselves: it was given out by a clock that was ahead."""


def steady() -> float:
    """Seconds that nobody sets. On Linux they go on while the machine is suspended, as the leases do that it holds."""
    return time.clock_gettime(_STEADY)


class Clock(Protocol):
    """Gives the present instant, timezone-aware, in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved; for previews and tests."""

    def __init__(self, at: datetime) -> None:
        self.move(at)

    def now(self) -> datetime:
        return self._at

    def move(self, to: datetime) -> None:
        if to.tzinfo is None:
            raise ValueError("a clock needs a timezone-aware instant")
        self._at = to.astimezone(UTC)
