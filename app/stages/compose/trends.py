"""Turns stored charts and movers into the edition's. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.models.content import Chart, ChartRow, Cooled, Counted, Move, Mover, Movers
from app.models.counts import Basis, Row, Snapshot, TrendKind, TrendSource, ref_of
from app.stages.compose.standing import Past, move_of, multiple, named, reentry, told
from app.store.listings import Listed

OLDEST = timedelta(hours=48)
"""Figures older than that are not printed."""
_FRESH = timedelta(hours=6)
MOVERS, ENTRANTS, A_SITE, COOLED = 5, 2, 3, 3
"""Rows of the movers, of the new ones, how many of the movers one site may take while the other has any, and of

those that left the charts.
"""
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


def charts(stored: Stored, now: datetime, past: Past) -> tuple[Chart, ...]:
    """The charts that can be printed at `now`, in the paper's order. Older than 48 hours is left out."""
    found = ((table, stored.get((table.source, table.kind))) for table in _TABLES)
    made = (
        _chart(table, one, now, past) for table, one in found if one is not None and now - one.captured_at <= OLDEST
    )
    return tuple(chart for chart in made if chart.rows)


def movers(stored: Stored, now: datetime, past: Past) -> Movers | None:
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
    stale = all(_stale(one, now) for one in used)
    lanes = [(one.source, row) for one in used for row in one.rows if row.rank is not None]
    rising = sorted((lane for lane in lanes if not _entered(lane)), key=_by_surprise if compared else _by_rank)
    entered = sorted((lane for lane in lanes if _entered(lane)), key=_by_gain)
    left = [(one.source, row) for one in used for row in one.rows if row.rank is None and row.was is not None]
    return Movers(
        as_of=min(one.captured_at for one in used),
        stale=stale,
        measuring_since=None if compared else min(one.since for one in used if one.since is not None),
        rows=tuple(_mover(*lane, past, stale=stale) for lane in _mixed(rising)),
        new=tuple(_mover(*lane, past, stale=stale, lane=True) for lane in entered[:ENTRANTS]),
        cooled=() if stale else tuple(_cooled(*lane) for lane in sorted(left, key=_by_place)[:COOLED]),
    )


def listings(stored: Stored, printed: Collection[Counted], now: datetime) -> tuple[Listed, ...]:
    """What the edition remembers: today's charts of a hundred, and what of it is printed.

    A chart of another day was remembered by that day's edition; of it only what is printed again counts.
    """
    shown = {row.ref for row in printed}
    found: dict[str, Listed] = {}
    for (source, kind), snapshot in sorted(stored.items()):
        for row in snapshot.rows:
            ref = ref_of(source, row.kind or kind, row.external_id)
            charted = kind is not TrendKind.MOVERS and row.rank is not None and not _stale(snapshot, now)
            if not charted and ref not in shown:
                continue
            known = found.get(ref)
            rank = row.rank if charted else known.rank if known else None
            found[ref] = Listed(ref, rank, printed=ref in shown, name=row.name if ref in shown else "")
    return tuple(found[ref] for ref in sorted(found))


def refs(stored: Stored) -> Mapping[str, tuple[TrendSource, TrendKind, Row]]:
    """Everything on the charts, by ref; what is held too, for editors read of it."""
    return {
        ref_of(source, row.kind or kind, row.external_id): (source, row.kind or kind, row)
        for (source, kind), snapshot in stored.items()
        for row in snapshot.rows
    }


def _stale(snapshot: Snapshot, now: datetime) -> bool:
    """Of another day, and hours old: the source did not answer today."""
    return snapshot.day < now.date() and now - snapshot.captured_at > _FRESH


def _chart(table: _Table, snapshot: Snapshot, now: datetime, past: Past) -> Chart:
    stale = _stale(snapshot, now)
    return Chart(
        key=table.key,
        title=table.title,
        unit=_UNITS[table.source],
        as_of=snapshot.captured_at,
        stale=stale,
        rows=tuple(_row(table, row, past, stale=stale) for row in _printed(snapshot, table.rows)),
    )


def _printed(snapshot: Snapshot, most: int) -> Sequence[Row]:
    """The first rows. Where too few have a known week, all stand by their totals instead, without arrows."""
    shown = [row for row in snapshot.rows if not row.held]
    placed = [row for row in shown if row.rank is not None]
    if len(placed) >= min(most, len(shown)):
        return sorted(placed, key=lambda row: (row.rank or 0, row.name, row.external_id))[:most]
    by_total = sorted(shown, key=lambda row: (-row.count, row.name, row.external_id))
    return [replace(row, rank=place, was=None, new=False) for place, row in enumerate(by_total[:most], 1)]


def _row(table: _Table, row: Row, past: Past, *, stale: bool) -> ChartRow:
    ref = ref_of(table.source, table.kind, row.external_id)
    again = not stale and reentry(row, ref, past)
    move, places = (Move.UNKNOWN, 0) if stale or again else move_of(row)
    name, detail = named(table.source, row)
    return ChartRow(
        **told(table.source, row, ref, past, stale=stale),
        reentry=again,
        rank=row.rank or 1,
        name=name,
        url=row.url,
        detail=detail,
        variants=row.variants,
        move=move,
        places=places,
        gained=row.gained,
        approximate=row.basis in _GUESSES,
        total=row.count if table.source is TrendSource.GITHUB or row.gained is None else None,
    )


def _mover(source: TrendSource, row: Row, past: Past, *, stale: bool, lane: bool = False) -> Mover:
    """`lane`: among those without a usual week, which are new or back."""
    ref = ref_of(source, row.kind or TrendKind.MOVERS, row.external_id)
    again = not stale and reentry(row, ref, past)
    return Mover(
        **told(source, row, ref, past, stale=stale),
        reentry=again,
        name=named(source, row)[0],
        url=row.url,
        site=_SITES[source],
        unit=_UNITS[source],
        was=None if stale else row.was,
        now=row.rank or 1,
        gained=row.gained,
        approximate=row.basis in _GUESSES,
        multiple=multiple(row),
        new=lane and not again,
        total=row.count,
    )


def _cooled(source: TrendSource, row: Row) -> Cooled:
    return Cooled(name=named(source, row)[0], url=row.url, site=_SITES[source], was=row.was or 1)


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


def _by_place(lane: _Lane) -> tuple[int, str]:
    return (lane[1].was or 0, lane[1].name)


def _by_rank(lane: _Lane) -> tuple[int, int, str]:
    return (lane[1].rank or 0, *_by_gain(lane))


def _by_gain(lane: _Lane) -> tuple[int, str]:
    return (-(lane[1].gained or 0), lane[1].name)
