"""The calendar, checked against every zone there is."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.calendar import (
    Window,
    due_instant,
    edition_day,
    edition_window,
    instant_of,
    roman,
    volume_of,
    zone_named,
)

MINUTE = timedelta(minutes=1)
ZONES = sorted(name for name in available_timezones() if zone_named(name))

zones = st.sampled_from(ZONES).map(ZoneInfo)
minutes = st.integers(0, 24 * 60 - 1)
days = st.dates(date(2026, 1, 1), date(2028, 12, 31))
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))


def wall(instant: datetime, zone: ZoneInfo) -> tuple[date, time]:
    local = instant.astimezone(zone)
    return local.date(), local.time()


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day, hour, minute


@given(zone=zones, minute=minutes, paper=zones, freeze_at=times, day=days)
@settings(max_examples=400, deadline=None)
def test_every_reader_is_due_exactly_once_in_every_window(
    zone: ZoneInfo, minute: int, paper: ZoneInfo, freeze_at: time, day: date
) -> None:
    """The due instant is the first minute of the window with the asked local time or at the end of a gap over it, or
    the window's last minute.
    """
    window = edition_window(day, freeze_at, paper)
    due = due_instant(zone, minute, window)

    asked = time(minute // 60, minute % 60)
    length = int((window.end - window.start) / MINUTE)
    instants = (window.start + MINUTE * n for n in range(length))
    matching = [instant for instant in instants if instant.astimezone(zone).time() == asked]
    if matching and due != matching[0]:
        assert due < matching[0]
        assert is_end_of_gap(due, asked, zone)
    if not matching and due != window.end - MINUTE:
        assert is_end_of_gap(due, asked, zone)
    assert window.holds(due)


@given(paper=zones, freeze_at=times, day=days)
@settings(max_examples=300, deadline=None)
def test_windows_follow_each_other_without_gap_or_overlap(paper: ZoneInfo, freeze_at: time, day: date) -> None:
    """One edition's window ends where the next begins, and is about a day long."""
    window = edition_window(day, freeze_at, paper)
    following = edition_window(day + timedelta(days=1), freeze_at, paper)

    assert window.end == following.start
    assert timedelta(hours=20) <= window.end - window.start <= timedelta(hours=28)
    assert edition_day(window.start, freeze_at, paper) == day
    assert edition_day(window.end - MINUTE, freeze_at, paper) == day
    assert edition_day(window.end, freeze_at, paper) == day + timedelta(days=1)


@given(zone=zones, at=times, day=days)
@settings(max_examples=300, deadline=None)
def test_a_planned_instant_shows_the_planned_local_time_or_the_end_of_a_gap(
    zone: ZoneInfo, at: time, day: date
) -> None:
    """Where the local time does not exist, the instant is the one at which clocks were put forward."""
    instant = instant_of(day, at, zone)

    if wall(instant, zone) == (day, at):
        assert wall(instant - timedelta(days=1), zone) != (day, at)
        return
    before, after = (instant - MINUTE).astimezone(zone), instant.astimezone(zone)
    assert after.utcoffset() > before.utcoffset()  # type: ignore[operator]  # zones have offsets
    assert before.replace(tzinfo=None) < datetime.combine(day, at) < after.replace(tzinfo=None)


def is_end_of_gap(instant: datetime, asked: time, zone: ZoneInfo) -> bool:
    """Do the clocks jump over `asked` just before `instant`? To the minute: a window may end there."""
    for at in (instant, instant + MINUTE):
        before, after = ((at - step).astimezone(zone).replace(tzinfo=None) for step in (MINUTE, timedelta(0)))
        days = (before.date(), after.date())
        if any(before < datetime.combine(day, asked) < after for day in days):
            return True
    return False


BERLIN = ZoneInfo("Europe/Berlin")
KNOWN_MORNINGS = [
    # the reader's zone, their time, the date of the edition of a paper frozen at 05:30 UTC, the due instant
    ("Europe/Berlin", "06:30", date(2026, 11, 23), utc(2026, 11, 24, 5, 30) - timedelta(days=1)),
    ("Asia/Tokyo", "06:30", date(2026, 11, 23), utc(2026, 11, 23, 21, 30)),
    ("America/New_York", "06:30", date(2026, 11, 23), utc(2026, 11, 23, 11, 30)),
    ("Pacific/Auckland", "00:00", date(2026, 11, 23), utc(2026, 11, 23, 11, 0)),
    ("Asia/Kathmandu", "06:30", date(2026, 11, 23), utc(2026, 11, 24, 0, 45)),
]


@pytest.mark.parametrize(("zone", "at", "day", "due"), KNOWN_MORNINGS)
def test_known_mornings(zone: str, at: str, day: date, due: datetime) -> None:
    """A few mornings worked out by hand."""
    hour, minute = map(int, at.split(":"))
    window = edition_window(day, time(5, 30), ZoneInfo("UTC"))
    assert due_instant(ZoneInfo(zone), hour * 60 + minute, window) == due


SKIPPED = [
    # the reader's zone, their time, the paper's zone, FREEZE_AT, the edition, the end of the gap
    ("Europe/Berlin", "02:30", "Europe/Berlin", "00:00", date(2026, 3, 29), utc(2026, 3, 29, 1, 0)),
    ("Europe/Berlin", "02:30", "Europe/Berlin", "02:20", date(2027, 3, 28), utc(2027, 3, 28, 1, 0)),
    ("Africa/Cairo", "00:30", "Europe/Berlin", "05:00", date(2026, 4, 23), utc(2026, 4, 23, 22, 0)),
    ("Asia/Beirut", "00:00", "UTC", "05:30", date(2026, 3, 28), utc(2026, 3, 28, 22, 0)),
    ("America/Nuuk", "23:30", "UTC", "05:30", date(2026, 3, 28), utc(2026, 3, 29, 1, 0)),
    ("Australia/Lord_Howe", "02:15", "UTC", "05:30", date(2026, 10, 3), utc(2026, 10, 3, 15, 30)),
    ("Europe/Berlin", "02:30", "UTC", "01:00", date(2026, 3, 29), utc(2026, 3, 29, 1, 0)),
]


@pytest.mark.parametrize(("zone", "at", "paper", "freeze_at", "day", "due"), SKIPPED)
def test_a_reader_whose_time_is_skipped_in_spring_is_due_at_the_end_of_the_gap(
    zone: str, at: str, paper: str, freeze_at: str, day: date, due: datetime
) -> None:
    """Also where the gap is at midnight, before midnight, of half an hour, or where the window begins at its end."""
    asked = time.fromisoformat(at)
    window = edition_window(day, time.fromisoformat(freeze_at), ZoneInfo(paper))
    assert due_instant(ZoneInfo(zone), asked.hour * 60 + asked.minute, window) == due


def test_a_reader_due_just_before_a_skipped_freeze_has_one_edition_a_day() -> None:
    """FREEZE_AT 02:20 and delivery at 02:10 the next day: in the night of the gap the edition ends with its window,
    and the next one comes a day later.
    """
    dues = [due_instant(BERLIN, 130, edition_window(date(2027, 3, day), time(2, 20), BERLIN)) for day in (26, 27, 28)]
    assert dues == [utc(2027, 3, 27, 1, 10), utc(2027, 3, 28, 0, 59), utc(2027, 3, 29, 0, 10)]


def test_a_window_shorter_than_a_day_that_holds_no_such_time_ends_with_the_delivery() -> None:
    """Berlin's day of 23 hours, for a reader whose clocks are not changed."""
    window = edition_window(date(2027, 3, 27), time(5, 0), BERLIN)
    assert due_instant(ZoneInfo("UTC"), 210, window) == window.end - MINUTE


def test_a_reader_whose_time_comes_twice_in_autumn_gets_the_first() -> None:
    """02:30 comes twice in Berlin on 25 October 2026."""
    window = edition_window(date(2026, 10, 25), time(0, 0), BERLIN)
    assert due_instant(BERLIN, 150, window) == utc(2026, 10, 25, 0, 30)


def test_a_window_begins_at_the_end_of_the_gap_when_freeze_at_is_skipped() -> None:
    """FREEZE_AT 02:30 on the night clocks jump from 02:00 to 03:00 means 03:00 summer time."""
    assert instant_of(date(2026, 3, 29), time(2, 30), BERLIN) == utc(2026, 3, 29, 1, 0)


def test_a_window_is_half_open() -> None:
    """Its start belongs to it, its end to the next."""
    window = Window(utc(2026, 1, 1, 5, 30), utc(2026, 1, 2, 5, 30))
    assert window.holds(window.start)
    assert not window.holds(window.end)


@pytest.mark.parametrize(
    "name",
    ["", "Mars/Olympus", "Europe", "/etc/passwd", "../UTC", "right/Europe/London", "posix/UTC", "localtime",
     "Factory", "Europe/London\0", "Europe/London " * 30, "Zürich", "\ud800"],
)  # fmt: skip
def test_what_is_not_a_place_is_no_zone(name: str) -> None:
    """Unknown names, paths, and files beside the zones give None, never an error."""
    assert zone_named(name) is None


def test_a_known_zone_is_found() -> None:
    """Names are case-sensitive IANA names."""
    assert zone_named("Europe/London") == ZoneInfo("Europe/London")


def test_the_volume_grows_with_the_calendar_year() -> None:
    """Volume 1 in the year of the first edition."""
    assert [volume_of(date(year, 1, 1), date(2026, 11, 23)) for year in (2026, 2027, 2035)] == [1, 2, 10]


@pytest.mark.parametrize(
    ("number", "numeral"),
    [(1, "I"), (4, "IV"), (9, "IX"), (14, "XIV"), (40, "XL"), (90, "XC"), (1999, "MCMXCIX"), (3999, "MMMCMXCIX")],
)
def test_roman_numerals(number: int, numeral: str) -> None:
    """As newspapers print them."""
    assert roman(number) == numeral
