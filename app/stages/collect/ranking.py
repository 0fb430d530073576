"""Makes charts: the rank of each thing today, and on the same chart a week ago. Pure.

Repositories stand by the gain of their week, and last week's chart is worked out from the counts as they are known
today: one wrong or missing day of last week then changes no arrow. The Hub's things stand by its own score, which
nobody can work out afterwards: there last week's chart is the one that was stored.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.models.counts import Row, Snapshot
from app.stages.collect.holds import remarks
from app.stages.collect.measure import Counted, Facts, Measured, counted_by, current, gained_by, measured

DEPTH = 100
"""Arrows and "new" are about the first hundred of a chart."""
_BACK = (7, 6, 8, 5, 9)
"""Days ago on which last week's chart may be taken, the first that enough is known of."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Today's rows, the highest first. `compared`: there is a chart of a week ago. `cooled` left it since."""

    rows: tuple[Row, ...]
    compared: bool
    cooled: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class _Then:
    """Last week's chart: ranks by external id, of whom it is certain that they had none, and rows not named today."""

    ranks: Mapping[str, int]
    certain: Collection[str]
    absent: Mapping[str, Row] = field(default_factory=dict)


def by_gain(things: Sequence[Counted], facts: Facts) -> Chart:
    """The chart of the week's gain. Equal gains share a rank and stand by name; who gained nothing has none."""
    week = [measured(one, facts) for one in things if current(one, facts.at)]
    rows = _placed(week, remarks(week, facts), _gain)
    held = {row.external_id for row in rows if row.held}
    printable = [one for one in week if one.row.external_id not in held]
    then = _comparison(printable, facts.at)
    if then is None:
        return Chart(rows, compared=False)
    return _against(rows, _Then(_ranks_at(printable, then), _certain(printable, then, facts)))


def by_score(
    things: Sequence[Counted], facts: Facts, week_ago: Snapshot | None, order: Sequence[str] | None = None
) -> Chart:
    """The chart of the source's own measure of the week; `week_ago` is the stored one to compare with.

    `order` are external ids as the source ordered them, where it gave no measure.
    """
    week = [measured(one, facts) for one in things if current(one, facts.at)]
    places = {key: float(len(order) - place) for place, key in enumerate(order)} if order else {}
    rows = _placed(week, remarks(week, facts), lambda row: places.get(row.external_id, 0.0) if order else _score(row))
    if week_ago is None or not comparable(rows, week_ago):
        return Chart(rows, compared=False)
    then = {row.external_id: row for row in week_ago.rows if row.rank is not None and row.rank <= DEPTH}
    counted = {row.external_id for row in week_ago.rows}
    certain = {
        one.row.external_id
        for one in week
        if week_ago.complete or one.row.external_id in counted or _younger(one, week_ago.captured_at)
    }
    # A list names its first hundred only: who is not named has left it, unless the list is not whole.
    absent = {key: row for key, row in then.items() if facts.complete and key not in facts.seen}
    return _against(rows, _Then({key: row.rank or 1 for key, row in then.items()}, certain, absent))


def comparable(rows: Sequence[Row], week_ago: Snapshot | None) -> bool:
    """Whether arrows against `week_ago` mean anything: it ranked at least half as many rows as today's chart."""
    if week_ago is None:
        return False
    return 2 * _ranked(week_ago.rows) >= min(_ranked(rows), DEPTH) > 0


def _comparison(things: Sequence[Measured], at: datetime) -> datetime | None:
    """The instant about a week ago at which the week's gain is known of at least half of what there was then."""
    for back in _BACK:
        then = at - timedelta(days=back)
        there = [one for one in things if not _younger(one, then)]
        known = sum(gained_by(one, then) is not None for one in there)
        if known and 2 * known >= len(there):
            return then
    return None


def _ranks_at(things: Sequence[Measured], then: datetime) -> Mapping[str, int]:
    """The ranks of the first hundred of the chart at `then`, by external id."""
    gains = [(gained_by(one, then) or 0, one.row.name, one.row.external_id) for one in things]
    ranks: dict[str, int] = {}
    last = 0
    ordered = sorted((one for one in gains if one[0] > 0), key=lambda one: (-one[0], one[1], one[2]))
    for place, (gained, _, key) in enumerate(ordered, 1):
        if place == 1 or gained != ordered[place - 2][0]:
            last = place
        if last > DEPTH:
            break
        ranks[key] = last
    return ranks


def _certain(things: Sequence[Measured], then: datetime, facts: Facts) -> set[str]:
    """Those of whom it is known whether they were on the chart at `then`."""
    whole = facts.whole.get(then.date(), False)
    return {
        one.row.external_id
        for one in things
        if _younger(one, then) or gained_by(one, then) is not None or (whole and not counted_by(one, then))
    }


def _against(rows: tuple[Row, ...], then: _Then) -> Chart:
    """The rows with their places of a week ago. One with a remark has no arrow: its counts are not to be trusted."""

    def moved(row: Row) -> Row:
        if row.remark:
            return row
        was = then.ranks.get(row.external_id)
        return replace(row, was=was, new=was is None and row.rank is not None and row.external_id in then.certain)

    return Chart(tuple(moved(row) for row in rows), compared=True, cooled=_cooled(rows, then))


def _cooled(rows: Sequence[Row], then: _Then) -> tuple[Row, ...]:
    """Ranked then, and counted but beyond the chart's end now; the highest of last week first."""
    today = {row.external_id: row for row in rows}
    gone = []
    for key, was in then.ranks.items():
        row = today.get(key) or then.absent.get(key)
        if row is None or row.remark or (key in today and row.rank is not None and row.rank <= DEPTH):
            continue
        gone.append(replace(row, rank=None, was=was, new=False, gained=None, basis=None, usual=None, score=None))
    return tuple(sorted(gone, key=lambda row: (row.was or 0, row.name, row.external_id)))


def _placed(things: Sequence[Measured], held: Mapping[str, str], measure: Callable[[Row], float]) -> tuple[Row, ...]:
    """In order, with ranks; the held without one, and last."""
    told = sorted(
        (_remarked(one, held.get(one.row.external_id)) for one in things),
        key=lambda row: (row.held, -max(0.0, measure(row)), row.name, row.external_id),
    )
    placed: list[Row] = []
    for place, row in enumerate(told, 1):
        if row.held or measure(row) <= 0:
            placed.append(row)
        elif placed and measure(placed[-1]) == measure(row):
            placed.append(replace(row, rank=placed[-1].rank))
        else:
            placed.append(replace(row, rank=place))
    return tuple(placed)


def _remarked(one: Measured, why: str | None) -> Row:
    if why:
        return replace(one.row, held=True, remark=why[:200])
    if one.fell:
        return replace(one.row, remark=f"the count fell by {one.fell:,} in a day; it has no arrow for eight days")
    return one.row


def _younger(one: Measured, then: datetime) -> bool:
    return one.row.created_at is not None and one.row.created_at > then


def _gain(row: Row) -> float:
    return float(row.gained or 0)


def _score(row: Row) -> float:
    return row.score if row.score is not None else float(row.gained or 0)


def _ranked(rows: Sequence[Row]) -> int:
    return sum(row.rank is not None for row in rows)
