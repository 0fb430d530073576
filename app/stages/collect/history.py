"""Reads GitHub's star history of a repository: the gain of the last week, and of a usual one. Pure.

`GET /repos/{owner}/{repo}/stargazers/history` gives weeks, the newest first: `{"week": <Sunday 00:00 UTC in
seconds>, "total": n, "days": [7 numbers, Sunday first]}`. It counts present stargazers only; today is still
filling; an empty answer means "not available", never zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

from app.stages.collect import values

WEEKS = 6
"""How many to ask for: any day of the present week, one whole week and four before it."""
BASELINE, LEAST_KNOWN = 28, 14
"""Days before the week that make a usual week, and how many of them must be known."""


@dataclass(frozen=True, slots=True)
class Week:
    """The gain of the seven whole days before today, and that of a usual week where it is known."""

    gained: int
    usual: float | None


def week_of(answer: Any, created_at: datetime | None, today: date) -> Week | None:
    """None where the answer does not hold seven whole days that we can read."""
    days = _days(answer)
    if not days:
        return None
    born = created_at.date() if created_at else date.min
    window = [_gain(days, today - timedelta(days=back), born) for back in range(1, 8)]
    before = [_gain(days, today - timedelta(days=back), date.min) for back in range(8, 8 + BASELINE)]
    known = [gain for back, gain in enumerate(before, 8) if gain is not None and today - timedelta(days=back) > born]
    if None in window:
        return None
    usual = max(0.0, 7 * float(median(known))) if len(known) >= LEAST_KNOWN else None
    return Week(sum(gain or 0 for gain in window), usual)


def _gain(days: Mapping[date, int], day: date, born: date) -> int | None:
    """What `day` brought; 0 before the repository was born, None where nobody says."""
    return days.get(day, 0 if day < born else None)


def _days(answer: Any) -> dict[date, int]:
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
