"""What a series of daily counts says about a week. Pure.

Real series have holes, days on which the counter was wrong, and a count that falls now and then.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from app.models.counts import Basis, Point
from app.stages.collect.history import BASELINE, LEAST_KNOWN

WEEK = timedelta(days=7)
_CLOSE = timedelta(hours=36)
"""A capture further than that from the instant a week ago says nothing about the week."""
_SAME = timedelta(hours=3)
_SAME_DAY = timedelta(hours=12)
_DAY = timedelta(days=1)


def cleaned(points: Sequence[Point]) -> tuple[Point, ...]:
    """Each inner point becomes the median of itself and its neighbours, where these lie at most four days apart.

    One wrong day then changes no number. The first and the last point stay as they are.
    """
    if len(points) < 3:
        return tuple(points)
    inner = [
        Point(here.at, sorted((left.count, here.count, right.count))[1])
        if right.at - left.at <= timedelta(days=4)
        else here
        for left, here, right in zip(points, points[1:], points[2:], strict=False)
    ]
    return (points[0], *inner, points[-1])


def near_week_ago(points: Sequence[Point], now: datetime) -> Point | None:
    """The point nearest to the instant seven days before `now`."""
    close = [point for point in points if abs(now - WEEK - point.at) <= _CLOSE]
    return min(close, key=lambda point: (abs(now - WEEK - point.at), point.at), default=None)


def gain(points: Sequence[Point]) -> tuple[int, Basis] | None:
    """What the seven days before the last point brought; None where no count of a week ago is stored.

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
    return change, Basis.COUNTED if abs(span - WEEK) <= _SAME_DAY else Basis.NEAREST


def usual(points: Sequence[Point], now: datetime) -> float | None:
    """Seven times the median daily gain of the four weeks before the week that ends `now`.

    None where fewer than 14 of those days are known; never below 0.
    """
    first, last = now - WEEK - BASELINE * _DAY - _SAME_DAY, now - WEEK + _SAME_DAY
    inside = [point for point in points if first <= point.at <= last]
    daily = [
        (right.count - left.count) / ((right.at - left.at) / _DAY)
        for left, right in pairwise(inside)
        if _DAY / 2 <= right.at - left.at <= _CLOSE
    ]
    return max(0.0, 7 * median(daily)) if len(daily) >= LEAST_KNOWN else None
