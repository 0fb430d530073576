"""The week's biggest movers, from a source's charts of one day. Pure.

Surprise is M = (g - u) / sqrt(u + 100), with g the week's gain and u the gain of a usual week: a big steady project
cannot win on size, a tiny one cannot win on percent.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from math import sqrt

from app.models.counts import Row, Snapshot

DEPTH = 100
"""Movers stand among the first hundred of their chart."""
LEAST, FACTOR = 50, 1.5
"""Eligible is a gain of at least 50, and of one and a half usual weeks."""
MOST = 20
COOLED_FROM = 10
"""Who stood among the first ten a week ago and left the chart has cooled; of the others nobody took notice."""


def movers(charts: Sequence[Snapshot], cooled: Sequence[Row] = ()) -> tuple[tuple[Row, ...], date | None]:
    """The movers, and "measuring since" while no chart can be compared with one of a week ago.

    Compared: by surprise first; then, where no usual week is known, by places climbed; then the new ones, marked
    `new`, by gain; last those that cooled, without a rank. `score` is M. Not compared: the highest rows of each
    chart, without a rank of last week. One row an owner, at most 20 of either lane.
    """
    compared = [row for chart in charts if chart.since is None for row in _rows(chart)]
    if compared or any(chart.since is None for chart in charts):
        entrants = sorted((replace(row, score=None) for row in compared if _entered(row)), key=_by_gain)
        known = [replace(row, score=surprise(row)) for row in compared if not _entered(row)]
        rising = sorted((row for row in known if row.score is not None or _climbed(row)), key=_by_surprise)
        left = sorted((row for row in cooled if (row.was or DEPTH) <= COOLED_FROM), key=_by_place)
        return _once((*_one_an_owner(rising), *_one_an_owner(entrants), *left[:MOST])), None
    young = [replace(row, score=None) for chart in charts for row in _rows(chart)]
    since = min((chart.since for chart in charts if chart.since is not None), default=None)
    return _once(_one_an_owner(sorted(young, key=lambda row: (row.rank, *_by_gain(row))))), since


def surprise(row: Row) -> float | None:
    """M; None where the usual week is not known or the row is not eligible."""
    gained = row.gained or 0
    if row.usual is None or gained < LEAST or gained < FACTOR * row.usual:
        return None
    return (gained - row.usual) / sqrt(row.usual + 100)


def _rows(chart: Snapshot) -> Sequence[Row]:
    return [replace(row, kind=chart.kind) for row in chart.rows if _in_chart(row)]


def _in_chart(row: Row) -> bool:
    """On the chart, with a gain that can be trusted: a purge in it says nothing about readers."""
    return row.rank is not None and row.rank <= DEPTH and bool(row.gained) and not row.remark


def _entered(row: Row) -> bool:
    """New to the chart, and without a usual week: with one, its gain can be judged like any other."""
    return row.new and row.usual is None and (row.gained or 0) >= LEAST


def _climbed(row: Row) -> bool:
    return row.usual is None and (row.gained or 0) >= LEAST and _places(row) > 0


def _places(row: Row) -> int:
    return row.was - row.rank if row.was is not None and row.rank is not None else 0


def _by_surprise(row: Row) -> tuple[float, int, int, str, str]:
    return (-(row.score or 0.0), -_places(row), *_by_gain(row))


def _by_gain(row: Row) -> tuple[int, str, str]:
    return (-(row.gained or 0), row.name, row.external_id)


def _by_place(row: Row) -> tuple[int, str, str]:
    return (row.was or 0, row.name, row.external_id)


def _once(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Every thing once: a model and a dataset without a database id may share a name."""
    return tuple({row.external_id: row for row in reversed(rows)}.values())[::-1]


def _one_an_owner(rows: Sequence[Row]) -> tuple[Row, ...]:
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row.name.partition("/")[0].lower(), row)
    return tuple(first.values())[:MOST]
