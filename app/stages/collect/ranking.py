"""Turns a capture into a chart: the week's gain of each row, its rank, and its rank a week ago. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from app.models.counts import Basis, Point, Row, Snapshot
from app.stages.collect.harvest import Before
from app.stages.collect.history import LEAST_KNOWN
from app.stages.collect.series import WEEK, cleaned, gain, usual

YOUNG = WEEK + timedelta(days=LEAST_KNOWN)
"""Younger than that, nothing has a usual week."""


def ranked(rows: Sequence[Row], before: Before, at: datetime) -> tuple[Row, ...]:
    """The rows with gain, usual week and rank, the highest first, the unranked last by name.

    Our own counts a week apart outweigh the source's own figures. The order is the source's measure of the week where
    it has one, else the gain; equal rows share a rank; a row that gained nothing, or nobody knows what, has none.
    """
    told = sorted((_with_week(row, before.series.get(row.external_id, ()), at) for row in rows), key=_order)
    placed: list[Row] = []
    for place, row in enumerate(told, 1):
        if _measure(row) <= 0:
            placed.append(row)
        elif placed and _measure(placed[-1]) == _measure(row):
            placed.append(replace(row, rank=placed[-1].rank))
        else:
            placed.append(replace(row, rank=place))
    return tuple(placed)


def comparable(rows: Sequence[Row], week_ago: Snapshot | None) -> bool:
    """Whether arrows against `week_ago` mean anything: it ranked at least half as many rows as today's chart."""
    if week_ago is None:
        return False
    return 2 * _ranks(week_ago.rows) >= _ranks(rows) > 0


def moved(rows: Sequence[Row], week_ago: Snapshot, peaks: Mapping[str, int | None], at: datetime) -> tuple[Row, ...]:
    """The rows with their rank of a week ago. `peaks` are the best ranks up to that day, by the ids counted by then.

    New is what was never on a chart and was not counted either, or is too young for its week to have been known.
    Against a chart that was not whole nothing is new: absence then proves nothing.
    """
    then = {row.external_id: row.rank for row in week_ago.rows}

    def is_new(row: Row) -> bool:
        if not week_ago.complete or row.rank is None or peaks.get(row.external_id) is not None:
            return False
        return row.external_id not in peaks or (row.created_at is not None and at - row.created_at < YOUNG)

    return tuple(replace(row, was=then.get(row.external_id), new=is_new(row)) for row in rows)


def _with_week(row: Row, earlier: Sequence[Point], at: datetime) -> Row:
    points = cleaned([*earlier, Point(at, row.count)])
    own, own_usual = gain(points), usual(points, at)
    if row.created_at is not None and at - row.created_at <= WEEK:
        own = (row.count, Basis.COUNTED)  # all it has came in its first week
    if own is not None:
        row = replace(row, gained=min(own[0], row.count), basis=own[1])
    if row.gained is not None and row.gained < 0:
        # A counter may fall, by a purge or by readers who changed their mind. That is no gain, and nothing to print.
        row = replace(row, gained=None, basis=None)
    return replace(row, usual=row.usual if own_usual is None else own_usual)


def _measure(row: Row) -> float:
    """What the chart is ordered by."""
    return row.score if row.score is not None else float(row.gained or 0)


def _order(row: Row) -> tuple[float, str, str]:
    return (-max(0.0, _measure(row)), row.name, row.external_id)


def _ranks(rows: Sequence[Row]) -> int:
    return sum(row.rank is not None for row in rows)
