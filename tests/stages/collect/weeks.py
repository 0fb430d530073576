"""Made-up things with series of counts, by what each day or week brought."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from app.models.counts import Point, Row
from app.stages.collect.measure import Counted, Facts
from tests.conftest import NOON

LONG_AGO = NOON - timedelta(days=900)
FACTS = Facts(NOON)


def thing(external_id: str, count: int, **more: Any) -> Row:
    made = {"name": f"org{external_id}/it", "url": f"https://example.org/{external_id}", "created_at": LONG_AGO, **more}
    return Row(external_id=external_id, count=count, **made)


def counted_daily(
    external_id: str, gains: Sequence[int], *, start: int = 20_000, until: datetime = NOON, forks: float = 0.12,
    **more: Any,
) -> Counted:  # fmt: skip
    """Counted at noon of every day up to `until`; `gains` are the days' gains, the oldest first."""
    total, points = start, []
    for back, gain in zip(range(len(gains), 0, -1), gains, strict=True):
        points.append(Point(until - timedelta(days=back), total, round(total * forks)))
        total += gain
    points.append(Point(until, total, round(total * forks)))
    return Counted(thing(external_id, total, forks=round(total * forks), **more), points)


def counted(external_id: str, *, gain: int, before: int = 0, usual: int | None = None, **more: Any) -> Counted:
    """Gained `gain` in the last week and `before` in the one before; `usual` a week in the five before these."""
    days = [*_spread(before), *_spread(gain)]
    if usual is not None:
        days = [*(_spread(usual) * 5), *days]
    return counted_daily(external_id, days, **more)


def _spread(week: int) -> list[int]:
    """A week's gain over its days."""
    return [week * (day + 1) // 7 - week * day // 7 for day in range(7)]


def without(one: Counted, *backs: int, until: datetime = NOON) -> Counted:
    """The thing without its counts of so many days ago."""
    lost = {until - timedelta(days=back) for back in backs}
    return Counted(one.row, [point for point in one.points if point.at not in lost])
