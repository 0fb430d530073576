"""A machine for tests, whose wall clock anybody may set and whose monotonic clock nobody can."""

from datetime import datetime, timedelta

from app.core.clock import GuardedClock, Reading


class Machine:
    """Time passes on both clocks only by `wait`. It is also the clock of a database that stands on it."""

    is_confirmed = True
    may_expire = True

    def __init__(self, wall: datetime) -> None:
        self.wall = wall
        self.monotonic = 1000.0

    def now(self) -> datetime:
        return self.wall

    def wait(self, **time: float) -> None:
        """So much time passes."""
        passed = timedelta(**time)
        self.wall += passed
        self.monotonic += passed.total_seconds()

    def read(self) -> Reading:
        """Both clocks at once."""
        return Reading(self.wall, self.monotonic)

    def clock(self) -> GuardedClock:
        """What a process on it goes by; not started."""
        return GuardedClock(self, lambda: self.monotonic)
