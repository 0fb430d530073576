"""The paper's calendar: which instants belong to an edition, and when each reader's morning is. Pure.

An edition of date D owns the window from FREEZE_AT of D to FREEZE_AT of D + 1, both in TIMEZONE:
planned instants, never the moment something really happened.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.core.language import Phrase, say

_MINUTE = timedelta(minutes=1)
_NOT_PLACES = re.compile(r"(right|posix)/.*|localtime|posixrules|Factory")
"""Files beside the IANA names on many machines: leap-second clocks, copies, and this machine's own zone."""


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open, `start <= instant < end`, both UTC."""

    start: datetime
    end: datetime
    start_skipped: timedelta = timedelta(0)
    """How far into a DST gap the planned local start lies; zero where that time exists. `start` is the gap's end."""
    end_skipped: timedelta = timedelta(0)
    """The same of `end`."""

    def holds(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


def zone_named(name: str) -> ZoneInfo | None:
    """The IANA zone `name`, or None where this machine knows no such zone."""
    if not name or _NOT_PLACES.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def minute_of(at: time) -> int:
    """A time of day in minutes."""
    return at.hour * 60 + at.minute


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """`day` at `at` in `zone`, as UTC. The first of two; where DST leaves none, the moment the gap ends at."""
    return _planned(day, at, zone)[0]


def _planned(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, timedelta]:
    """`instant_of`, and how far into a gap the local time lies."""
    instant = datetime.combine(day, at, zone).astimezone(UTC)
    if _wall(instant, zone) == (day, at):
        return instant, timedelta(0)
    # PEP 495: in a gap fold=0 takes the offset before it, so the instant lies past the gap's end by as much as the
    # local time lies past its beginning; fold=1 takes the offset after it.
    end = _gap_end(datetime.combine(day, at, zone).replace(fold=1).astimezone(UTC), instant, zone)
    return end, instant - end


def _gap_end(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    before = low.astimezone(zone).utcoffset()
    while high - low > _MINUTE:
        middle = low + (high - low) // 2
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high.replace(second=0, microsecond=0)


def edition_window(day: date, freeze_at: time, zone: ZoneInfo) -> Window:
    """The window that the edition of `day` owns."""
    start, start_skipped = _planned(day, freeze_at, zone)
    end, end_skipped = _planned(day + timedelta(days=1), freeze_at, zone)
    return Window(start, end, start_skipped, end_skipped)


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a publication: in which zone, and when an edition is composed, frozen and delivered in it."""

    zone: ZoneInfo
    compose_at: time
    freeze_at: time
    deliver_minute: int
    """Of the local day, for readers who chose no hour."""
    max_late: timedelta
    """How long after its due instant a delivery may still be begun."""

    def window(self, day: date) -> Window:
        """The window that the edition of `day` owns."""
        return edition_window(day, self.freeze_at, self.zone)

    def today(self, now: datetime) -> date:
        """The date in the publication's zone."""
        return now.astimezone(self.zone).date()

    def instant(self, day: date, at: time) -> datetime:
        """`day` at `at` in the publication's zone, as UTC."""
        return instant_of(day, at, self.zone)

    def is_over(self, day: date, now: datetime) -> bool:
        """Is it too late for whoever has not got the edition of `day`, but by an operator's deed?"""
        return now >= self.window(day).end + self.max_late


def edition_day(now: datetime, freeze_at: time, zone: ZoneInfo) -> date:
    """The date of the edition whose window holds `now`."""
    today = now.astimezone(zone).date()
    for day in (today + timedelta(days=1), today, today - timedelta(days=1)):
        if edition_window(day, freeze_at, zone).holds(now):
            return day
    raise AssertionError("windows leave no gap")


@lru_cache(maxsize=65_536)
def due_instant(zone: ZoneInfo, minute: int, window: Window) -> datetime:
    """When a reader in `zone`, who asked for minute `minute` of the local day, is due in `window` (UTC).

    The first such local time in the window. A local time that a DST gap skips is the gap's end, and belongs to the
    window that its place in the gap belongs to. The window's last minute where there is none: it is shorter than a day.
    """
    at = time(minute // 60, minute % 60)
    begins, ends = (window.start, window.start_skipped), (window.end, window.end_skipped)
    day = window.start.astimezone(zone).date() - timedelta(days=1)
    last = window.end.astimezone(zone).date()
    while day <= last:
        planned = _planned(day, at, zone)
        if begins <= planned < ends:
            return min(planned[0], window.end - _MINUTE)
        second = datetime.combine(day, at, zone).replace(fold=1).astimezone(UTC)
        if window.holds(second) and _wall(second, zone) == (day, at):
            return second
        day += timedelta(days=1)
    return window.end - _MINUTE


def _wall(instant: datetime, zone: ZoneInfo) -> tuple[date, time]:
    local = instant.astimezone(zone)
    return local.date(), local.time()


def zone_words(zone: ZoneInfo) -> Phrase:
    """How a person is told a zone: London time, for Europe/London; UTC for itself."""
    area, _, city = zone.key.rpartition("/")
    place = city.replace("_", " ")
    return say("{city} time", city=place) if area and area != "Etc" else Phrase(lambda _: place)


def volume_of(day: date, founded: date) -> int:
    """The paper's volume: 1 in the year it began, one more each calendar year."""
    return day.year - founded.year + 1


_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


def roman(number: int) -> str:
    """`number` (1 to 3999) in Roman numerals, as a newspaper prints its volume."""
    digits = []
    for value, sign in _ROMAN:
        count, number = divmod(number, value)
        digits.append(sign * count)
    return "".join(digits)
