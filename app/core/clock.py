"""The only place that reads wall time. Everything else is handed a `Clock` or an instant.

The service goes by a `GuardedClock`. It is set by readings (of the database's clock on PostgreSQL, of the machine's on
SQLite), and carried on by the monotonic clock in between. A reading that differs from it by more than a minute is a
jump, and is not believed at once: the clock goes on as before until the new time is confirmed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Protocol

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

JUMP = timedelta(minutes=1)
"""A reading that is off by more is a jump, and not a correction."""
CONFIRM_AFTER = 60.0
"""Seconds between the first and the second reading of a new time that confirm it."""
AGREE = timedelta(seconds=5)
"""How far those two may be apart."""
GAP = timedelta(minutes=10)
"""For how long a service may have been off to start again without a confirmation. Longer costs it a minute, while a
clock that lost its time zone or its battery is off by an hour or more."""
CALM = 600.0
"""Seconds after a start or a jump in which nothing is expired."""
HOLD = timedelta(hours=24)
"""For how long nothing is expired after a jump into the future that no operator confirmed: time enough to notice."""
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
"""This program did not exist before: such a time is never believed, however often it is read."""
TOLERATED = timedelta(hours=12)
"""How far in the future a time may lie that we signed ourselves: it was given out by a clock that was ahead."""


def steady() -> float:
    """Seconds that nobody sets. On Linux they go on while the machine is suspended, as the leases do that it holds."""
    return time.clock_gettime(_STEADY)


class Clock(Protocol):
    """Gives the present instant, timezone-aware, in UTC, and says how far it may be relied upon."""

    def now(self) -> datetime: ...

    @property
    def is_confirmed(self) -> bool:
        """May work that time drives run now: release, and the slots of the timetable?"""
        ...

    @property
    def may_expire(self) -> bool:
        """May anything be given up or forgotten now because it is too late or too old?"""
        ...


class SystemClock:
    """The machine's own wall clock, believed whatever it says."""

    is_confirmed = True
    may_expire = True

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved; for previews and tests."""

    def __init__(self, at: datetime) -> None:
        self.is_confirmed = True
        self.may_expire = True
        self.move(at)

    def now(self) -> datetime:
        return self._at

    def move(self, to: datetime) -> None:
        if to.tzinfo is None:
            raise ValueError("a clock needs a timezone-aware instant")
        self._at = to.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a clock said, and when that was on the monotonic clock, in seconds."""

    instant: datetime
    at: float

    def carried(self, to: float) -> datetime:
        """What it says at `to`, by the monotonic clock."""
        return self.instant + timedelta(seconds=to - self.at)


class Turn(Enum):
    """What a reading changed."""

    DOUBTED = "doubted"
    """It is a jump; time-driven work stops until it is confirmed or gone."""
    RETURNED = "returned"
    """The jump is gone: the clock that is read was put right."""
    CONFIRMED = "confirmed"
    """The clock goes by the new time from now on."""


@dataclass(frozen=True, slots=True)
class Change:
    """A turn, and how far what was read was ahead of what was known (negative: behind)."""

    turn: Turn
    by: timedelta
    set_back: bool = False
    """`now()` went backwards by more than a minute: what was put off by the old time must be put right."""
    vouched: bool = False
    """Somebody else confirmed it: what follows for all processes is theirs to say."""


class GuardedClock:
    """Follows readings of another clock. `now()` promises:

    - It follows what is read: a reading within a minute of it is taken over at once.
    - It never goes backwards for that. Where it was ahead, it stands still until the other has caught up.
    - A jump, of more than a minute against the monotonic clock, is taken over when two readings a minute apart agree on
      it, or when somebody vouches for it (`believe`). Until then `now()` goes on as if nothing had happened,
      `is_confirmed` and `may_expire` are false.

    `start` gives it its first reading; before that `now()` is a RuntimeError.
    """

    def __init__(self, machine: Clock | None = None, monotonic: Callable[[], float] = steady) -> None:
        self.machine = machine or SystemClock()
        self.monotonic = monotonic
        self.hold = EARLIEST
        """Nothing is expired before; known to all processes through the database."""
        self._calm_from = monotonic()
        self._shown: Reading | None = None
        self._known: Reading | None = None
        self._no_earlier = EARLIEST
        self._slack = JUMP
        self._doubted: Reading | None = None

    def now(self) -> datetime:
        if self._shown is None:
            raise RuntimeError("the clock was not started")
        return max(self._shown.carried(self.monotonic()), self._no_earlier)

    @property
    def is_confirmed(self) -> bool:
        return self._shown is not None and self._doubted is None

    @property
    def may_expire(self) -> bool:
        calm = self.monotonic() - self._calm_from >= CALM
        return calm and self.is_confirmed and self.now() >= self.hold

    @property
    def offset(self) -> timedelta:
        """How far the machine's own clock is ahead of this one."""
        return self.machine.now() - self.now()

    @property
    def doubted(self) -> Reading | None:
        """The first reading of a jump that is not confirmed yet."""
        return self._doubted

    def start(self, reading: Reading, seen: datetime | None, hold: datetime | None) -> Change | None:
        """The first reading. `seen`: the last time that a worker wrote down, in this process's life or before it.

        A start before that, or long after it, is a jump. While that is not confirmed, `now()` is the later of the two:
        time was never earlier than `seen`.
        """
        self.hold = hold or EARLIEST
        self._known = Reading(seen, reading.at) if seen else reading
        self._slack = GAP
        self._shown = max(reading, self._known, key=lambda one: one.instant)
        return self.read(reading)

    def read(self, reading: Reading) -> Change | None:
        """Takes a reading over, or doubts it; gives what that changed."""
        assert self._known is not None
        by = reading.instant - self._known.carried(reading.at)
        believable = reading.instant >= EARLIEST
        if believable and -JUMP <= by <= self._slack:
            return self._follow(reading, by)
        if self._doubted is None or abs(reading.instant - self._doubted.carried(reading.at)) > AGREE:
            self._doubted = reading
            return Change(Turn.DOUBTED, by)
        if believable and reading.at - self._doubted.at >= CONFIRM_AFTER:
            return self.believe(reading)
        return None

    def believe(self, reading: Reading, *, vouched: bool = False) -> Change:
        """Goes by `reading` from now on, however far it is off: it was confirmed."""
        assert self._known is not None
        by = reading.instant - self._known.carried(reading.at)
        return Change(Turn.CONFIRMED, by, self._take(reading), vouched)

    def _follow(self, reading: Reading, by: timedelta) -> Change | None:
        was_doubted = self._doubted is not None
        if set_back := self._take(reading):  # it started ahead of the time, and was put right before that was confirmed
            return Change(Turn.CONFIRMED, by, set_back)
        return Change(Turn.RETURNED, by) if was_doubted else None

    def _take(self, reading: Reading) -> bool:
        """Is `now()` more than a minute earlier from now on?"""
        before, at = self.now(), self.monotonic()
        set_back = before - reading.carried(at) > JUMP
        if self._doubted is not None:
            self._calm_from = at
        self._no_earlier = EARLIEST if set_back else before
        self._shown = self._known = reading
        self._slack, self._doubted = JUMP, None
        return set_back
