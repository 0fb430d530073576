"""What one thing's week was: its gain, its usual week, its sparkline, and what an editor should know of it. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from app.models.counts import Basis, Days, Point, Row, Ruling
from app.stages.collect import history
from app.stages.collect.series import CLOSE, WEEK, cleaned, fall, gain, spark, until, usual

HORIZON = timedelta(days=60)
"""Counts older than that change nothing: a week, the week it is compared with, and four before, with room for holes."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A thing with its counts, the oldest first; the last one is its newest."""

    row: Row
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside the counts, at the instant `at`."""

    at: datetime
    histories: Mapping[str, Days] = field(default_factory=dict)
    """Star histories asked for just now, by external id."""
    earlier: Mapping[str, Row] = field(default_factory=dict)
    """The rows of today's chart so far."""
    rulings: Mapping[str, Ruling] = field(default_factory=dict)
    whole: Mapping[date, bool] = field(default_factory=dict)
    """The days that have a chart, and whether it was whole: on another day an absence proves nothing."""
    complete: bool = True
    """Whether today's answer is whole."""
    seen: Collection[str] = ()
    """Ids that the source named today, those of variants that were folded away among them."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`row` knows its week; `points` are cleaned; `fell` is the size of a purge, 0 where there was none."""

    row: Row
    points: Sequence[Point]
    fell: int = 0


def measured(one: Counted, facts: Facts) -> Measured:
    """The thing's week up to its newest count."""
    recent = [point for point in one.points if point.at >= facts.at - HORIZON] or one.points[-1:]
    points = cleaned(recent)
    row = replace(
        one.row,
        usual=usual(points, points[-1].at),
        spark=spark(points, one.row.created_at),
        confirmed=None,
        held=False,
        remark="",
    )
    if (own := week_of(points, row.created_at)) is not None:
        row = replace(row, gained=min(own[0], row.count), basis=own[1])
    if row.gained is not None and row.gained < 0:
        # A counter may fall, by a purge or by readers who changed their mind. That is no gain, and nothing to print.
        row = replace(row, gained=None, basis=None)
    return Measured(replace(row, confirmed=_confirmed(row, points[-1].at, facts)), points, fall(recent, facts.at))


def week_of(points: Sequence[Point], created_at: datetime | None) -> tuple[int, Basis] | None:
    """The gain up to the last point. What is younger than a week gained all it has: three days are never scaled up."""
    if points and created_at is not None and points[-1].at - created_at <= WEEK:
        return points[-1].count, Basis.COUNTED
    return gain(points)


def gained_by(one: Measured, at: datetime) -> int | None:
    """The gain of the week that ended `at`, by the counts that we know today; None where nobody can say.

    Nor is there one of what was made later: its first count may lie near `at` all the same.
    """
    if one.row.created_at is not None and one.row.created_at > at:
        return None
    told = week_of(until(one.points, at), one.row.created_at)
    return None if told is None else told[0]


def counted_by(one: Measured, at: datetime) -> bool:
    """Whether there is a count of ours near `at`."""
    return bool(until(one.points, at))


def current(one: Counted, at: datetime) -> bool:
    """Whether the newest count is of the last day and a half: older ones do not make today's chart."""
    return bool(one.points) and at - one.points[-1].at <= CLOSE


def _confirmed(row: Row, last: datetime, facts: Facts) -> bool | None:
    """By the history asked for now; else as it was found earlier today."""
    days = facts.histories.get(row.external_id)
    told = None if days is None else history.gained(days, last - WEEK, last, row.created_at)
    if told is not None and row.gained is not None:
        return history.agrees(row.gained, told)
    earlier = facts.earlier.get(row.external_id)
    return None if earlier is None else earlier.confirmed
