"""How much may leave by one way out: a rate, a day's allowance and a warm-up. Pure.

The rate is the generic cell rate algorithm (ITU-T I.371): all that is kept of the past is `full_at`, the theoretical
arrival time of the next message. Instants are microseconds since 1970 on one clock, the database's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SECOND = 1_000_000
BULK_AHEAD, SERVICE_AHEAD = SECOND // 4, SECOND
"""How far into the future papers and service mail may take tokens. Service mail may go on where papers have to wait,

and what it took is missing to the papers: so it comes first at any rate.
"""
MOST_OWED = 60 * SECOND
"""So long papers wait at most for what service mail took of a group; it waits for none of its tokens itself."""
KEPT_FOR_SERVICE = 0.05
"""The part of a day's allowance that papers leave to confirmations and other service mail."""
WARM_FIRST, WARM_LAST, WARM_DAYS = 200, 200_000, 41
"""The allowance of the first day of a warm-up, of its last, and the days between: the curve that Ghost uses."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider's URL says. Nothing said is no limit."""

    rate: float | None = None
    """Messages a second."""
    per_day: int | None = None
    """Messages a day of the paper's own zone."""
    warmup: date | None = None
    """The first day of a warm-up."""
    groups: Mapping[str, float] = field(default_factory=dict)
    """Messages a second to each group of recipients' domains that has a limit of its own."""

    def __bool__(self) -> bool:
        """Is anything said of the provider as a whole?"""
        return (self.rate, self.per_day, self.warmup) != (None, None, None)

    def allowance(self, day: date) -> int | None:
        """Messages that may leave on `day`; None is no limit."""
        warm = warm_allowance((day - self.warmup).days) if self.warmup else None
        known = [most for most in (warm, self.per_day) if most is not None]
        return min(known) if known else None


def day_of(instant: int, zone: ZoneInfo) -> date:
    """The date in `zone` at `instant`."""
    return datetime.fromtimestamp(instant / SECOND, UTC).astimezone(zone).date()


def warm_allowance(day: int) -> int | None:
    """Messages of day `day` of a warm-up, counted from 0; before it as on its first day, None when it is over."""
    if day > WARM_DAYS:
        return None
    growth: float = (WARM_LAST / WARM_FIRST) ** (max(day, 0) / WARM_DAYS)
    return round(WARM_FIRST * growth)


@dataclass(frozen=True, slots=True)
class Level:
    """What is remembered of a bucket."""

    full_at: int
    day: date
    used: int
    """Messages of `day`."""


@dataclass(frozen=True, slots=True)
class Grant:
    """How many messages may be begun now, and where there are none, why."""

    count: int
    wait: float = 0.0
    """Seconds until there is a token."""
    day_over: bool = False
    """Nothing more leaves today."""


def take(
    level: Level, limits: Limits, most: int, now: int, today: date, *, service: bool, furthest: int = SERVICE_AHEAD
) -> tuple[Level, Grant]:
    """Takes up to `most` tokens at `now`; service mail may look further ahead and use the whole day.

    `furthest`: so far ahead anybody may have taken any.
    """
    level = _on(level, today)
    allowance = limits.allowance(level.day)
    if allowance is not None:
        kept = 0 if service else int(allowance * KEPT_FOR_SERVICE)
        most = min(most, allowance - kept - level.used)
        if most <= 0:
            return level, Grant(0, day_over=True)
    if not limits.rate:
        return replace(level, used=level.used + most), Grant(most)
    each, ahead = _each(limits.rate), SERVICE_AHEAD if service else BULK_AHEAD
    # Not further off than anybody may reserve: a clock that was set back, or a rate that was raised, heals at once.
    full_at = min(max(level.full_at, now), now + furthest + each)
    count = min(most, max(0, (now + ahead + each - full_at) // each))
    if not count:
        return replace(level, full_at=full_at), Grant(0, wait=(full_at - ahead - now) / SECOND)
    return replace(level, full_at=full_at + count * each, used=level.used + count), Grant(count)


def charge(level: Level, limits: Limits, count: int, now: int, today: date) -> Level:
    """Counts messages that left without waiting for tokens: whoever waits does so for these too, but no longer than

    MOST_OWED.
    """
    level, cost = _on(level, today), count * _each(limits.rate) if limits.rate else 0
    full_at = max(level.full_at, min(max(level.full_at, now) + cost, now + MOST_OWED))
    return replace(level, full_at=full_at, used=level.used + count)


def give_back(level: Level, limits: Limits, count: int) -> Level:
    """Tokens that were taken and not used."""
    each = _each(limits.rate) if limits.rate else 0
    return replace(level, full_at=level.full_at - count * each, used=max(0, level.used - count))


def _each(rate: float) -> int:
    return max(1, round(SECOND / rate))


def _on(level: Level, today: date) -> Level:
    # Days only go forward, whichever of two machines is the first to see midnight.
    return level if level.day >= today else replace(level, day=today, used=0)
