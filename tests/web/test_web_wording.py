"""Dates, counts and promises in the paper's words."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.core.calendar import zone_words
from app.core.language import plural
from app.core.settings import load_settings
from app.web import wording
from app.web.morning import promise


def test_dates() -> None:
    day = date(2026, 11, 20)
    assert wording.short_date(day) == "Fri 20 Nov"
    assert wording.month(day) == "November 2026"
    assert wording.date_and_time(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)) == "Friday, 2 January 2026, 03:04"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/London", "London time"),
        ("America/New_York", "New York time"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time"),
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
    ],
)
def test_zones(zone: str, words: str) -> None:
    assert zone_words(ZoneInfo(zone)) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "no tools"),
        (1, "one tool"),
        (4, "four tools"),
        (12, "twelve tools"),
        (13, "13 tools"),
        (1234, "1,234 tools"),
    ],
)
def test_counts(number: int, words: str) -> None:
    assert plural("one tool", "{number} tools", number, number=wording.in_words(number)) == words


@pytest.mark.parametrize(
    ("zone", "minute", "now", "words"),
    [
        ("", None, datetime(2026, 11, 23, 5, 0, tzinfo=UTC), "Monday at 06:30, London time"),
        ("", None, datetime(2026, 11, 23, 6, 30, tzinfo=UTC), "Tuesday at 06:30, London time"),
        ("", 12 * 60, datetime(2026, 11, 23, 6, 30, tzinfo=UTC), "Monday at 12:00, London time"),
        ("Asia/Tokyo", None, datetime(2026, 11, 23, 12, 0, tzinfo=UTC), "Tuesday at 06:30, Tokyo time"),
        ("Asia/Tokyo", None, datetime(2026, 11, 23, 21, 30, tzinfo=UTC), "Wednesday at 06:30, Tokyo time"),
        ("Mars/Olympus", None, datetime(2026, 11, 23, 5, 0, tzinfo=UTC), "Monday at 06:30, London time"),
        # the clocks of London go back in the night of 25 October 2026
        ("", None, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Sunday at 06:30, London time"),
    ],
)
def test_the_next_paper(zone: str, minute: int | None, now: datetime, words: str) -> None:
    settings = load_settings(secret_keys="a-key-for-tests-that-is-long-enough-to-sign", timezone="Europe/London")
    assert promise(settings, now, zone, minute) == words
