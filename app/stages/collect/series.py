"""What a series of daily counts says about a week. Pure.

Real series have holes, days on which the counter was wrong, and a count that falls now and then.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from app.models.counts import Basis, Point

WEEK = timedelta(days=7)
BASELINE, LEAST_KNOWN = 28, 14
"""Days before the week that make a usual week, and how many of them must be known."""
SPARK = 14
"""Days of a sparkline."""
CLOSE = timedelta(hours=36)
"""A count further than that from the instant a week ago says nothing about the week."""
PURGED_FOR = timedelta(days=8)
_PURGE_LEAST, _PURGE_SHARE = 20, 0.005
_SAME = timedelta(hours=3)
_SAME_DAY = timedelta(hours=12)
_DAY = timedelta(days=1)
_HOLE = timedelta(days=3)
"""The widest hole that a sparkline may bridge by a straight line."""


def cleaned(points: Sequence[Point]) -> tuple[Point, ...]:
    """Each inner point becomes the median of itself and its neighbours, where these lie at most four days apart.

    One wrong day then changes no number. The first and the last point stay as they are.
    """
    if len(points) < 3:
        return tuple(points)
    inner = [_levelled(left, here, right) for left, here, right in zip(points, points[1:], points[2:], strict=False)]
    return (points[0], *inner, points[-1])


def nearest(points: Sequence[Point], at: datetime, within: timedelta = CLOSE) -> Point | None:
    """The point nearest to `at`, the earlier of two as near; None where none is as near as `within`."""
    after = bisect_left(points, at, key=_at)
    near = [point for point in points[max(0, after - 1) : after + 1] if abs(point.at - at) <= within]
    return min(near, key=lambda point: (abs(point.at - at), point.at), default=None)


def until(points: Sequence[Point], at: datetime) -> Sequence[Point]:
    """The points up to the one nearest to `at`; none where there is no such point."""
    last = nearest(points, at)
    return () if last is None else points[: bisect_left(points, last.at, key=_at) + 1]


def near_week_ago(points: Sequence[Point], now: datetime) -> Point | None:
    """The point nearest to the instant seven days before `now`."""
    return nearest(points, now - WEEK)


def gain(points: Sequence[Point]) -> tuple[int, Basis] | None:
    """What the seven days before the last point brought; None where no count of a week ago is known.

    Scaled by hours, not by dates, where the two captures are not seven days apart to within three hours.
    """
    if not points:
        return None
    last = points[-1]
    then = near_week_ago(points[:-1], last.at)
    if then is None:
        return None
    change, span = last.count - then.count, last.at - then.at
    if abs(span - WEEK) > _SAME:
        change = round(change * (WEEK / span))
    if abs(span - WEEK) > _SAME_DAY:
        return change, Basis.NEAREST
    return change, Basis.HISTORY if then.told else Basis.COUNTED


def forks_gained(points: Sequence[Point]) -> int | None:
    """What the same week brought in forks; None where they were not counted at both ends."""
    then = near_week_ago(points[:-1], points[-1].at) if points else None
    if then is None or then.forks is None or points[-1].forks is None:
        return None
    return points[-1].forks - then.forks


def usual(points: Sequence[Point], now: datetime) -> float | None:
    """Seven times the median daily gain of the four weeks before the week that ends `now`.

    None where fewer than 14 of those days are known; never below 0.
    """
    first, last = now - WEEK - BASELINE * _DAY - _SAME_DAY, now - WEEK + _SAME_DAY
    inside = points[bisect_left(points, first, key=_at) : bisect_left(points, last, key=_at)]
    daily = [
        (right.count - left.count) / ((right.at - left.at) / _DAY)
        for left, right in pairwise(inside)
        if _DAY / 2 <= right.at - left.at <= CLOSE
    ]
    return max(0.0, 7 * median(daily)) if len(daily) >= LEAST_KNOWN else None


def fall(points: Sequence[Point], now: datetime) -> int:
    """The steepest fall from one count to the next in the last eight days, where it is no mere change of mind.

    Over 20 and over half a percent, and it lasts: a purge. 0 where there is none. One wrong day is no fall: the day
    before a true one was as high, and the day after stays as low. Only the newest count may still be wrong.
    """
    found = [0]
    for index in range(bisect_left(points, now - PURGED_FOR, key=_at), len(points)):
        before, high, low, after = points[index - 2 : index - 1], points[index - 1], points[index], points[index + 1 :]
        least = max(_PURGE_LEAST, _PURGE_SHARE * high.count)
        lasts = not after or high.count - after[0].count > least
        was_so = not before or before[0].count - low.count > least
        if index and low.at > now - PURGED_FOR and high.count - low.count > least and lasts and was_so:
            found.append(high.count - low.count)
    return max(found)


def spark(points: Sequence[Point], created_at: datetime | None) -> tuple[int, ...] | None:
    """The gain of each of the 14 days before the last point, the oldest first, none below 0.

    A hole of at most three days is bridged by a straight line, and a thing has nothing before it is made; None where
    a day is not known.
    """
    if not points:
        return None
    end = points[-1].at
    levels = [_level(points, end - back * _DAY, created_at) for back in range(SPARK, -1, -1)]
    known = [level for level in levels if level is not None]
    if len(known) <= SPARK:
        return None
    return tuple(max(0, right - left) for left, right in pairwise(known))


def _level(points: Sequence[Point], at: datetime, created_at: datetime | None) -> int | None:
    """The count at an instant, by the straight line between its neighbours."""
    if created_at is not None and at <= created_at:
        return 0
    after = bisect_left(points, at, key=_at)
    if after == 0:
        if points[0].at - at <= _SAME_DAY:
            return points[0].count
        left = Point(created_at, 0) if created_at is not None and points[0].at - created_at <= _HOLE else None
    else:
        left = points[after - 1]
    if left is None or after == len(points) or points[after].at - left.at > _HOLE:
        return None
    right = points[after]
    return left.count + round((right.count - left.count) * ((at - left.at) / (right.at - left.at)))


def _levelled(left: Point, here: Point, right: Point) -> Point:
    if right.at - left.at > timedelta(days=4):
        return here
    middle = sorted((left.count, here.count, right.count))[1]
    return here if middle == here.count else Point(here.at, middle, here.forks, here.told)


def _at(point: Point) -> datetime:
    return point.at
