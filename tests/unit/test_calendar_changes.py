"""Every change of the clocks from 2026 to 2028, for every zone this machine knows and every delivery time.

The expectations are worked out in whole minutes from the offsets between changes, without any local time: an oracle
that shares nothing with the code it judges. It is itself held against a minute-by-minute count.
"""

import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.calendar import Window, due_instant, edition_window, zone_named

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime(2025, 12, 25, tzinfo=UTC), datetime(2029, 1, 7, tzinfo=UTC)
A_DAY = 24 * 60

ZONES = sorted(name for name in available_timezones() if zone_named(name))
PAPERS = [
    ("UTC", time(5, 30)),
    ("Europe/Berlin", time(2, 30)),
    ("America/New_York", time(1, 15)),
    ("Australia/Lord_Howe", time(2, 0)),
    ("Asia/Kathmandu", time(0, 0)),
    ("Pacific/Auckland", time(23, 59)),
]
STEP = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "search" else 30
"""Readers choose among steps of 30 minutes; the search looks at every minute all the same."""


def minutes_of(instant: datetime) -> int:
    """Whole minutes since 1970 UTC."""
    return (instant - EPOCH) // MINUTE


@dataclass(frozen=True)
class Offsets:
    """A zone as pieces of constant offset: `starts[i]` to `starts[i + 1]`, both in minutes, has `values[i]`."""

    starts: tuple[int, ...]
    values: tuple[int, ...]

    def changes(self) -> tuple[int, ...]:
        """The minutes at which the clocks are changed."""
        return self.starts[1:]

    def skipped(self, minute: int, change: int) -> int | None:
        """How many minutes into the gap that begins at `change` the local time `minute` lies; None if outside."""
        at = bisect_left(self.starts, change)
        if at == 0 or at == len(self.starts) or self.starts[at] != change:
            return None
        into = (minute - change - self.values[at - 1]) % A_DAY
        return into if into < self.values[at] - self.values[at - 1] else None

    def first(self, minute: int, start: int, end: int) -> int | None:
        """The first minute of [start, end) at which the clocks show `minute` of the day."""
        at = bisect_right(self.starts, start) - 1
        while at < len(self.starts) and self.starts[at] < end:
            low = max(start, self.starts[at])
            high = min(end, self.starts[at + 1]) if at + 1 < len(self.starts) else end
            found = low + (minute - low - self.values[at]) % A_DAY
            if found < high:
                return found
            at += 1
        return None

    def first_skipped(self, minute: int, start: tuple[int, int], end: tuple[int, int]) -> int | None:
        """The end of the first gap that skips `minute`, from (minute, minutes into a gap) to another."""
        for change in self.changes():
            into = self.skipped(minute, change)
            if into is not None and start <= (change, into) < end:
                return change
        return None

    def local_day(self, minute: int) -> int:
        """The local date, in days since 1970."""
        return (minute + self.values[bisect_right(self.starts, minute) - 1]) // A_DAY


@cache
def offsets_of(name: str) -> Offsets:
    """Looks at each noon, and between two that differ for the minute of the change.

    Zones that change twice within a day and back would be missed; there are none (the closest are weeks apart).
    """
    zone = ZoneInfo(name)

    def offset(minute: int) -> int:
        shift = (EPOCH + MINUTE * minute).astimezone(zone).utcoffset()
        assert shift is not None
        assert shift % MINUTE == timedelta(0)
        return shift // MINUTE

    starts, values = [minutes_of(FIRST)], [offset(minutes_of(FIRST))]
    for noon in range(minutes_of(FIRST), minutes_of(LAST), A_DAY):
        if offset(noon) != values[-1]:
            low, high = noon - A_DAY, noon
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == values[-1] else (low, middle)
            starts.append(high)
            values.append(offset(high))
    return Offsets(tuple(starts), tuple(values))


@cache
def readers() -> dict[Offsets, list[str]]:
    """The zones by what their clocks show: names of the same clocks would be due at the same instants."""
    found: dict[Offsets, list[str]] = {}
    for name in ZONES:
        found.setdefault(offsets_of(name), []).append(name)
    return found


def windows_around(change: int, paper: str, freeze_at: time) -> Iterator[Window]:
    """The windows of three editions, so that the change lies in one of them or on its border."""
    day = (EPOCH + MINUTE * change).astimezone(ZoneInfo(paper)).date()
    for shift in (-1, 0, 1):
        yield edition_window(day + DAY * shift, freeze_at, ZoneInfo(paper))


def expected(offsets: Offsets, minute: int, window: Window, paper: str, freeze_at: time) -> int:
    start, end = minutes_of(window.start), minutes_of(window.end)
    freeze = freeze_at.hour * 60 + freeze_at.minute
    begins, ends = ((at, offsets_of(paper).skipped(freeze, at) or 0) for at in (start, end))
    found = [offsets.first(minute, start, end), offsets.first_skipped(minute, begins, ends)]
    return min([at for at in found if at is not None] + [end - 1])


def test_the_changes_are_those_the_world_knows() -> None:
    """The oracle sees real changes: two a year in Berlin, none in Tokyo, half an hour on Lord Howe Island."""
    berlin = [EPOCH + MINUTE * change for change in offsets_of("Europe/Berlin").changes()]
    assert [f"{at:%Y-%m-%d %H:%M}" for at in berlin] == [
        "2026-03-29 01:00", "2026-10-25 01:00", "2027-03-28 01:00",
        "2027-10-31 01:00", "2028-03-26 01:00", "2028-10-29 01:00",
    ]  # fmt: skip
    assert offsets_of("Asia/Tokyo").changes() == ()
    assert {offsets_of("Australia/Lord_Howe").values} == {(660, 630, 660, 630, 660, 630, 660)}
    assert len(readers()) > 60
    assert sum(map(len, readers().values())) == len(ZONES) > 400


@pytest.mark.parametrize(("paper", "freeze_at"), PAPERS)
def test_around_every_change_each_reader_is_due_once_in_each_window(paper: str, freeze_at: time) -> None:
    """The reader's changes and the paper's: the first such minute of the window; the end of the gap that skips it; the
    window's last minute where there is neither.
    """
    papers = offsets_of(paper).changes()
    for offsets, (name, *_) in readers().items():
        zone = ZoneInfo(name)
        for change in sorted({*offsets.changes(), *papers[:2]}):
            for window in windows_around(change, paper, freeze_at):
                for minute in range(0, A_DAY, STEP):
                    due = due_instant(zone, minute, window)
                    assert minutes_of(due) == expected(offsets, minute, window, paper, freeze_at), (
                        name,
                        minute,
                        window,
                    )
                    assert window.holds(due)


@pytest.mark.parametrize(("paper", "freeze_at"), PAPERS)
def test_no_morning_is_lost_or_given_twice_but_by_a_change_of_clocks(paper: str, freeze_at: time) -> None:
    """From one edition to the next the local date goes on by one day.

    Only where a clock of the reader's or the paper's was changed between them may it stand (the hour came twice, and
    the border of two windows lay between) or jump by a second day (two mornings lay in one window).
    """
    days = [date(2026, 1, 1) + DAY * n for n in range(3 * 365)]
    borders = [edition_window(day, freeze_at, ZoneInfo(paper)) for day in days]
    papers = set(offsets_of(paper).changes())
    for offsets in readers():
        changes = sorted(papers | set(offsets.changes()))
        for minute in (0, 150, 390):
            dues = [expected(offsets, minute, window, paper, freeze_at) for window in borders]
            local = [offsets.local_day(due) for due in dues]
            for index in range(1, len(dues)):
                assert dues[index - 1] < dues[index]
                step = local[index] - local[index - 1]
                if step != 1:
                    start, end = minutes_of(borders[index - 1].start), minutes_of(borders[index].end)
                    assert bisect_right(changes, end) > bisect_left(changes, start), (minute, days[index])
                    assert 0 <= step <= 2


@pytest.mark.parametrize(
    "name", ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Santiago"]
)
def test_readers_in_the_papers_own_zone_have_each_edition_on_its_day(name: str) -> None:
    """At home no change of clocks moves a paper: after FREEZE_AT on the edition's date, before it on the next."""
    zone, freeze_at = ZoneInfo(name), time(5, 30)
    for change in offsets_of(name).changes():
        today = (EPOCH + MINUTE * change).astimezone(zone).date()
        for day in (today - DAY, today, today + DAY):
            window = edition_window(day, freeze_at, zone)
            for minute in range(0, A_DAY, STEP):
                local = due_instant(zone, minute, window).astimezone(zone)
                at = time(minute // 60, minute % 60)
                if local.time() == at:
                    assert local.date() == (day if at >= freeze_at else day + DAY)
                else:  # skipped in spring
                    assert due_instant(zone, minute, window) == EPOCH + MINUTE * change


@given(
    name=st.sampled_from(ZONES),
    paper=st.sampled_from(ZONES),
    freeze_at=st.builds(time, st.integers(0, 23), st.integers(0, 59)),
    minute=st.integers(0, A_DAY - 1),
    data=st.data(),
)
@settings(max_examples=150)
def test_the_oracle_agrees_with_counting_minutes(
    name: str, paper: str, freeze_at: time, minute: int, data: st.DataObject
) -> None:
    """Minute by minute through a window beside a change, where one of the two zones has one."""
    changes = [*offsets_of(name).changes(), *offsets_of(paper).changes()] or [minutes_of(FIRST) + 400 * A_DAY]
    change = data.draw(st.sampled_from(changes))
    window = data.draw(st.sampled_from(list(windows_around(change, paper, freeze_at))))
    zone, start, end = ZoneInfo(name), minutes_of(window.start), minutes_of(window.end)
    asked = time(minute // 60, minute % 60)
    counted = (at for at in range(start, end) if (EPOCH + MINUTE * at).astimezone(zone).time() == asked)
    assert offsets_of(name).first(minute, start, end) == next(counted, None)
    assert minutes_of(due_instant(zone, minute, window)) == expected(offsets_of(name), minute, window, paper, freeze_at)
