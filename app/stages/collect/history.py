"""Reads GitHub's star history of a repository: what each day brought, and what was counted on days we missed. Pure.

`GET /repositories/{id}/stargazers/history` gives weeks, the newest first: `{"week": <Sunday 00:00 UTC in
seconds>, "total": n, "days": [7 numbers, Sunday first]}`. It counts present stargazers only; today is still
filling; an empty answer means "not available", never zero.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from app.models.counts import Days, Point
from app.stages.collect import values

WEEKS = 12
"""How many to ask for; one answer holds up to 30. The charts need 49 days: a week, the week it is compared with,
and the four that make a usual week before."""
_DAY = timedelta(days=1)
TOLERANCE, LEAST = 0.1, 25
"""Two counts of a week agree within a tenth or within 25: days have other borders there, and un-stars are missing."""


def days_of(answer: Any) -> Days:
    """What each day brought; empty where the answer holds nothing that we can read."""
    found: dict[date, int] = {}
    for week in answer if isinstance(answer, list) else ():
        fields = values.mapping(week)
        start, counts = values.count(fields.get("week")), fields.get("days")
        if start is None or not isinstance(counts, list) or len(counts) != 7:
            continue
        first = datetime.fromtimestamp(start, UTC).date()
        for offset, value in enumerate(counts):
            if (gain := values.count(value)) is not None:
                found[first + timedelta(days=offset)] = gain
    return found


def gained(days: Days, since: datetime, now: datetime, born: datetime | None = None) -> int | None:
    """What came from `since` to `now`, today up to now; None where a day between them is not known.

    Of the first day, a part by its hours. Before it was `born` nothing came.
    """
    first = since.date()
    share = (datetime.combine(first + _DAY, time(), UTC) - since) / _DAY
    total = share * value if (value := _of(days, first, born)) is not None else None
    day = first
    while total is not None and (day := day + _DAY) <= now.date():
        total = None if (value := _of(days, day, born)) is None else total + value
    return None if total is None else round(total)


def counts_before(days: Days, count: int, now: datetime, born: datetime | None) -> Sequence[Point]:
    """The counts at this hour of earlier days, worked out backwards from today's: the oldest first.

    As far back as the days are known without a hole, and not before it was born.
    """
    points: list[Point] = []
    for back in range(1, 7 * WEEKS):
        at = now - back * _DAY
        came = gained(days, at, now, born)
        if came is None or (born is not None and at < born):
            break
        points.append(Point(at, max(0, count - came), told=True))
    return tuple(reversed(points))


def agrees(ours: int, theirs: int) -> bool:
    """Whether the source's own count of the week bears ours out."""
    return abs(ours - theirs) <= max(LEAST, TOLERANCE * max(ours, theirs))


def _of(days: Days, day: date, born: datetime | None) -> int | None:
    return days.get(day, 0 if born is not None and day < born.date() else None)
