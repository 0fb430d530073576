"""Dates as products, spreadsheets and people write them. Pure.

ISO 8601; day, month and year in any common order with dots, slashes or hyphens; names of months; 24 hours or AM and
PM; seconds since 1970. A time without a zone is UTC, as every product writes it.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import cache

from babel.dates import get_day_names, get_month_names

_LONGEST = 64
_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")
_TIME = re.compile(r"(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s?(am|pm|a\.m\.|p\.m\.)?")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
_PAIR = re.compile(r"(?<!\d)(\d{1,2})\s?[/-]\s?(\d{1,2})\s?[/-]\s?(?:\d{4}|\d{2})(?!\d)")
_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_DOTTED = re.compile(r"\d{1,2}\.\s?\d{1,2}\.\s?\d{2,4}")
_FILLERS = frozenset({"at", "um", "uhr", "st", "nd", "rd", "th", "de", "del", "of", "le", "den", "the", "t", "z", "utc",
                      "gmt", "er", "o", "cet", "cest", "bst", "wet", "eet", "est", "edt", "cst", "cdt", "mst", "mdt",
                      "pst", "pdt"})  # fmt: skip
"""Words in a date that say nothing about the day. Zones by abbreviation are not told apart: they are taken as UTC."""
_SECONDS, _MILLISECONDS = 10, 13
"""Digits of an instant of these decades, since 1970."""


class Order(StrEnum):
    """How 03/04/2024 is read where nothing in the file tells."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class AmbiguousDate(ValueError):
    """It is one of two dates, and nobody said how the file writes them."""


def read(text: str, order: Order | None = None) -> datetime:
    """An instant in UTC. Raises ValueError where there is none in the text, AmbiguousDate where there may be two."""
    written = text.strip()
    if len(written) > _LONGEST:
        raise ValueError(text)
    try:
        found = _iso(written) or _spelled(written.lower(), order)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


def order_shown(text: str) -> Order | None:
    """The order that this date can only have; None where it could be either, or is written in no such order."""
    first, second = _pair(text)
    if first > 12 >= second:
        return Order.DAY_FIRST
    return Order.MONTH_FIRST if second > 12 >= first else None


def is_ambiguous(text: str) -> bool:
    """Is it another date where day and month change places?"""
    first, second = _pair(text)
    return first != second and 0 < first <= 12 and 0 < second <= 12


def _pair(text: str) -> tuple[int, int]:
    """The numbers of which nobody knows which is the month; two noughts where there are none."""
    found = _PAIR.search(text) if len(text) <= _LONGEST else None
    return (int(found[1]), int(found[2])) if found else (0, 0)


def is_date(text: str) -> bool:
    """Is it a date in any order?"""
    return _or_none(text, Order.DAY_FIRST) is not None or _or_none(text, Order.MONTH_FIRST) is not None


def read_minute(text: str) -> int:
    """A time of day as a minute of it: 07:15, 7:15:00, 7:15 AM. Raises ValueError."""
    found = _TIME.fullmatch(text.strip().lower()) if len(text) <= _LONGEST else None
    if found is None:
        raise ValueError(text)
    hour, minute, _ = _clock(found)
    return 60 * hour + minute


def _or_none(text: str, order: Order) -> datetime | None:
    try:
        return read(text, order)
    except ValueError:
        return None


def _iso(text: str) -> datetime | None:
    if text.isascii() and text.isdigit() and len(text) in (_SECONDS, _MILLISECONDS):
        return datetime.fromtimestamp(int(text) / (1 if len(text) == _SECONDS else 1000), UTC)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _spelled(text: str, order: Order | None) -> datetime:
    hour = minute = second = 0
    if clock := _TIME.search(text):
        hour, minute, second = _clock(clock)
        zone, text = _offset(text[clock.end() :]), text[: clock.start()] + " " + _OFFSET.sub("", text[clock.end() :])
    else:
        zone = None
    year, month, day = _day(text, order)
    return datetime(year, month, day, hour, minute, second, tzinfo=zone or UTC)


def _clock(found: re.Match[str]) -> tuple[int, int, int]:
    """Hour, minute, second. Raises ValueError for a time no day has."""
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    half = (found[4] or "").replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(found[0])
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(found[0])
    return hour, minute, second


def _offset(text: str) -> timezone | None:
    found = _OFFSET.search(text)
    if found is None:
        return None
    away = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(away if found[1] == "+" else -away)


def _day(text: str, order: Order | None) -> tuple[int, int, int]:
    """Year, month and day of a date without its time. Raises ValueError, AmbiguousDate."""
    numbers, named = list[str](), list[int]()
    for token in _TOKEN.findall(text):
        if token.isdigit():
            numbers.append(token)
        elif token in _months():
            named.append(_months()[token])
        elif token not in _FILLERS and token not in _weekdays():
            raise ValueError(text)
    if len(named) == 1 and len(numbers) == 2:
        late = len(numbers[0]) < 4
        return _year(numbers[late]), named[0], int(numbers[not late])
    if named or len(numbers) != 3:
        raise ValueError(text)
    if len(numbers[0]) == 4:
        return int(numbers[0]), int(numbers[1]), int(numbers[2])
    day, month = _ordered(int(numbers[0]), int(numbers[1]), Order.DAY_FIRST if _DOTTED.search(text) else order)
    return _year(numbers[2]), month, day


def _ordered(first: int, second: int, order: Order | None) -> tuple[int, int]:
    """Day and month of the first two numbers: what can be only one of them is that, whatever the order."""
    if first > 12:
        return first, second
    if second > 12:
        return second, first
    if order is None and first != second:
        raise AmbiguousDate
    return (second, first) if order is Order.MONTH_FIRST else (first, second)


def _year(digits: str) -> int:
    """Two digits are of 1970 to 2069."""
    if len(digits) not in (2, 4):
        raise ValueError(digits)
    year = int(digits)
    return year if len(digits) == 4 else year + (2000 if year < 70 else 1900)


@cache
def _months() -> dict[str, int]:
    """By every name of the languages, long, short and without a dot."""
    return {
        name.strip(".").lower(): number
        for language in _LANGUAGES
        for width in ("abbreviated", "wide")
        for number, name in get_month_names(width, locale=language).items()
    } | {"sept": 9}


@cache
def _weekdays() -> frozenset[str]:
    names = (
        get_day_names(width, locale=language).values() for language in _LANGUAGES for width in ("abbreviated", "wide")
    )
    return frozenset(name.strip(".").lower() for some in names for name in some)
