"""Turns stored charts and movers into the edition's. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.models.content import Chart, ChartRow, Move, Mover, Movers
from app.models.counts import Basis, Row, Snapshot, TrendKind, TrendSource

OLDEST = timedelta(hours=48)
"""Figures older than that are not printed."""
_FRESH = timedelta(hours=6)
MOVERS, ENTRANTS, A_SITE = 5, 2, 3
"""Rows of the movers, of the new ones, and how many of the movers one site may take while the other has any."""
_GUESSES = (Basis.ESTIMATE, Basis.NEAREST)

Stored = Mapping[tuple[TrendSource, TrendKind], Snapshot]


@dataclass(frozen=True, slots=True)
class _Table:
    source: TrendSource
    kind: TrendKind
    key: str
    title: str
    rows: int


_TABLES = (
    _Table(TrendSource.HUGGINGFACE, TrendKind.MODEL, "huggingface-models", "Hugging Face models", 5),
    _Table(TrendSource.HUGGINGFACE, TrendKind.DATASET, "huggingface-datasets", "Hugging Face datasets", 3),
    _Table(TrendSource.GITHUB, TrendKind.REPOSITORY, "github-repositories", "GitHub repositories", 5),
)
_SITES = {TrendSource.HUGGINGFACE: "Hugging Face", TrendSource.GITHUB: "GitHub"}
_UNITS = {TrendSource.HUGGINGFACE: "likes", TrendSource.GITHUB: "stars"}


def charts(stored: Stored, now: datetime) -> tuple[Chart, ...]:
    """The charts that can be printed at `now`, in the paper's order. Older than 48 hours is left out."""
    found = ((table, stored.get((table.source, table.kind))) for table in _TABLES)
    made = (_chart(table, one, now) for table, one in found if one is not None and now - one.captured_at <= OLDEST)
    return tuple(chart for chart in made if chart.rows)


def movers(stored: Stored, now: datetime) -> Movers | None:
    """The movers of the newest day that has any; None where there is nothing to print.

    While one source can be compared with a week ago and another cannot yet, only the first one's are printed.
    """
    fresh = [
        one
        for (_, kind), one in stored.items()
        if kind is TrendKind.MOVERS and now - one.captured_at <= OLDEST and one.rows
    ]
    newest = [one for one in fresh if one.day == max(each.day for each in fresh)]
    compared = [one for one in newest if one.since is None]
    used = sorted(compared or newest, key=lambda one: one.source)
    if not used:
        return None
    lanes = [(one.source, row) for one in used for row in one.rows]
    rising = sorted((lane for lane in lanes if not _entered(lane)), key=_by_surprise if compared else _by_rank)
    entered = sorted((lane for lane in lanes if _entered(lane)), key=_by_gain)
    return Movers(
        as_of=min(one.captured_at for one in used),
        measuring_since=None if compared else min(one.since for one in used if one.since is not None),
        rows=tuple(_mover(*lane) for lane in _mixed(rising)),
        new=tuple(_mover(*lane, new=True) for lane in entered[:ENTRANTS]),
    )


def _chart(table: _Table, snapshot: Snapshot, now: datetime) -> Chart:
    stale = snapshot.day < now.date() and now - snapshot.captured_at > _FRESH
    return Chart(
        key=table.key,
        title=table.title,
        unit=_UNITS[table.source],
        as_of=snapshot.captured_at,
        stale=stale,
        rows=tuple(_row(table.source, row, stale) for row in _printed(snapshot, table.rows)),
    )


def _printed(snapshot: Snapshot, most: int) -> Sequence[Row]:
    """The first rows. Where too few have a known week, all stand by their totals instead, without arrows."""
    placed = [row for row in snapshot.rows if row.rank is not None]
    if len(placed) >= min(most, len(snapshot.rows)):
        return sorted(placed, key=lambda row: (row.rank or 0, row.name, row.external_id))[:most]
    by_total = sorted(snapshot.rows, key=lambda row: (-row.count, row.name, row.external_id))
    return [replace(row, rank=place, was=None, new=False) for place, row in enumerate(by_total[:most], 1)]


def _row(source: TrendSource, row: Row, stale: bool) -> ChartRow:
    move, places = (Move.UNKNOWN, 0) if stale else _move(row)
    name, detail = _named(source, row)
    return ChartRow(
        rank=row.rank or 1,
        name=name,
        url=row.url,
        detail=detail,
        variants=row.variants,
        move=move,
        places=places,
        gained=row.gained,
        approximate=row.basis in _GUESSES,
        total=row.count if source is TrendSource.GITHUB or row.gained is None else None,
    )


def _move(row: Row) -> tuple[Move, int]:
    if row.new:
        return Move.NEW, 0
    if row.was is None or row.rank is None:
        return Move.UNKNOWN, 0
    places = row.was - row.rank
    return Move.UP if places > 0 else Move.DOWN if places < 0 else Move.SAME, abs(places)


def _named(source: TrendSource, row: Row) -> tuple[str, str]:
    """A model goes by its own name, with its owner in the detail; a repository by both."""
    owner, slash, name = row.name.partition("/")
    if source is TrendSource.GITHUB or not slash:
        return row.name, row.detail
    return name, " · ".join(part for part in (owner, row.detail) if part)


def _mover(source: TrendSource, row: Row, *, new: bool = False) -> Mover:
    return Mover(
        name=_named(source, row)[0],
        url=row.url,
        site=_SITES[source],
        unit=_UNITS[source],
        was=row.was,
        now=row.rank or 1,
        gained=row.gained,
        approximate=row.basis in _GUESSES,
        multiple=_multiple(row),
        new=new,
    )


def _multiple(row: Row) -> float | None:
    """This week over the usual one, both moved up by 10 so that small weeks make no large multiple."""
    if row.gained is None or not row.usual:
        return None
    return round((row.gained + 10) / (row.usual + 10), 1)


_Lane = tuple[TrendSource, Row]


def _mixed(lanes: Sequence[_Lane]) -> Sequence[_Lane]:
    """The first rows in their order, at most three of one site unless the other has too few."""
    taken: list[_Lane] = []
    spare: list[_Lane] = []
    for lane in lanes:
        enough = sum(lane[0] is source for source, _ in taken) >= A_SITE
        (spare if enough else taken).append(lane)
    chosen = [*taken, *spare][:MOVERS]
    return [lane for lane in lanes if lane in chosen]


def _entered(lane: _Lane) -> bool:
    """New to our charts, and with nothing to judge its week by."""
    return lane[1].new and lane[1].usual is None


def _by_surprise(lane: _Lane) -> tuple[bool, float, int, int, str]:
    row = lane[1]
    places = (row.was - row.rank) if row.was is not None and row.rank is not None else 0
    return (row.score is None, -(row.score or 0.0), -places, *_by_gain(lane))


def _by_rank(lane: _Lane) -> tuple[int, int, str]:
    return (lane[1].rank or 0, *_by_gain(lane))


def _by_gain(lane: _Lane) -> tuple[int, str]:
    return (-(lane[1].gained or 0), lane[1].name)
