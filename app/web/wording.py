"""What only the site words: short dates, counts, places. The rest is worded as in the paper itself. Pure."""

from datetime import date, datetime

from app.stages.render.wording import DAYS, MONTHS, day_and_month, full_date

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def short_date(day: date) -> str:
    """Fri 20 Nov."""
    return f"{DAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]}"


def day_and_date(day: date) -> str:
    """Monday 7 December."""
    return f"{DAYS[day.weekday()]} {day_and_month(day)}"


def month(day: date) -> str:
    """November 2026."""
    return f"{MONTHS[day.month - 1]} {day.year}"


def clock_time(instant: datetime) -> str:
    """06:30, in the instant's own zone."""
    return f"{instant.hour:02}:{instant.minute:02}"


def date_and_time(instant: datetime) -> str:
    """Friday, 20 November 2026, 06:30, in the instant's own zone."""
    return f"{full_date(instant)}, {clock_time(instant)}"


def day_and_time(instant: datetime) -> str:
    """Monday at 06:30, in the instant's own zone."""
    return f"{DAYS[instant.weekday()]} at {clock_time(instant)}"


def in_words(number: int) -> str:
    """Nine; 13 in figures, as a newspaper writes numbers past twelve."""
    return _NUMBERS[number] if number < len(_NUMBERS) else f"{number:,}"


def count(number: int, one: str, many: str = "") -> str:
    """Four tools, one tool."""
    return f"{in_words(number)} {one if number == 1 else many or one + 's'}"
