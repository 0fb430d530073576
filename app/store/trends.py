"""Trends: the charts of each day. What they were made of is in store/counts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, func, insert, or_, select

from app.core.db import Session
from app.models import TrendItem, TrendSnapshot
from app.models.counts import Row, Snapshot, TrendKind, TrendSource
from app.store import upsert

KEPT = timedelta(days=400)
_NAMES = tuple(field.name for field in fields(Row) if field.name in TrendItem.__table__.columns)
_COLUMNS = tuple(getattr(TrendItem, name) for name in _NAMES)


@dataclass(frozen=True, slots=True)
class Capture:
    """One capture without its rows; `rows` says how many there are, `held` how many of them are kept from print."""

    id: int
    source: TrendSource
    kind: TrendKind
    day: date
    captured_at: datetime
    complete: bool
    since: date | None
    rows: int
    held: int


async def save(session: Session, snapshot: Snapshot) -> bool:
    """Lets `snapshot` stand for its day, in place of an earlier capture of that day.

    False, and nothing changes, where the day already has a later capture, or a whole one and this one is not.
    The condition stands in the UPDATE itself, so two workers cannot undo each other.
    """
    statement = upsert.insert(session, TrendSnapshot).values(
        source=snapshot.source,
        kind=snapshot.kind,
        day=snapshot.day,
        captured_at=snapshot.captured_at,
        complete=snapshot.complete,
        since=snapshot.since,
    )
    new = statement.excluded
    snapshot_id = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=[TrendSnapshot.source, TrendSnapshot.kind, TrendSnapshot.day],
            set_={"captured_at": new.captured_at, "complete": new.complete, "since": new.since},
            where=(TrendSnapshot.captured_at <= new.captured_at) & or_(new.complete, ~TrendSnapshot.complete),
        ).returning(TrendSnapshot.id)
    )
    if snapshot_id is None:
        return False
    await session.execute(delete(TrendItem).where(TrendItem.snapshot_id == snapshot_id))
    if snapshot.rows:
        await session.execute(insert(TrendItem), [_values(row, snapshot_id) for row in snapshot.rows])
    return True


async def of_day(session: Session, source: TrendSource, day: date) -> Mapping[TrendKind, Snapshot]:
    """What stands for `day`, by kind."""
    found = await session.scalars(select(TrendSnapshot).where(TrendSnapshot.source == source, TrendSnapshot.day == day))
    return {snapshot.kind: snapshot for snapshot in await _filled(session, found.all())}


async def on_day(session: Session, day: date) -> Mapping[tuple[TrendSource, TrendKind], Snapshot]:
    """What stands for `day`, of every source."""
    found = await session.scalars(select(TrendSnapshot).where(TrendSnapshot.day == day))
    return {(one.source, one.kind): one for one in await _filled(session, found.all())}


async def get(session: Session, snapshot_id: int) -> Snapshot | None:
    """One capture with its rows."""
    found = await session.get(TrendSnapshot, snapshot_id)
    return next(iter(await _filled(session, [found] if found else [])), None)


async def captures(
    session: Session,
    limit: int,
    before: int | None = None,
    *,
    source: TrendSource | None = None,
    kind: TrendKind | None = None,
    day: date | None = None,
) -> Sequence[Capture]:
    """A page of captures below the id `before`, the highest id first."""
    chosen = select(TrendSnapshot).order_by(TrendSnapshot.id.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(TrendSnapshot.id < before)
    for column, value in ((TrendSnapshot.source, source), (TrendSnapshot.kind, kind), (TrendSnapshot.day, day)):
        if value is not None:
            chosen = chosen.where(column == value)
    found = (await session.scalars(chosen)).all()
    # Counted for this page only: joined, the plan would count every row of 400 days first.
    sizes = await session.execute(
        select(TrendItem.snapshot_id, func.count(), func.sum(case((TrendItem.held, 1), else_=0)))
        .where(TrendItem.snapshot_id.in_([one.id for one in found]))
        .group_by(TrendItem.snapshot_id)
    )
    size = {snapshot_id: (rows, held) for snapshot_id, rows, held in sizes}
    return [
        Capture(
            one.id, one.source, one.kind, one.day, one.captured_at, one.complete, one.since, *size.get(one.id, (0, 0))
        )
        for one in found
    ]


async def latest(session: Session, not_before: datetime) -> Mapping[tuple[TrendSource, TrendKind], Snapshot]:
    """The last capture of each chart, where it is not older than `not_before`."""
    newest = (
        select(TrendSnapshot.source, TrendSnapshot.kind, func.max(TrendSnapshot.day).label("day"))
        .where(TrendSnapshot.captured_at >= not_before)
        .group_by(TrendSnapshot.source, TrendSnapshot.kind)
        .subquery()
    )
    found = await session.scalars(
        select(TrendSnapshot).join(
            newest,
            (TrendSnapshot.source == newest.c.source)
            & (TrendSnapshot.kind == newest.c.kind)
            & (TrendSnapshot.day == newest.c.day),
        )
    )
    return {(one.source, one.kind): one for one in await _filled(session, found.all())}


async def nearest(
    session: Session, source: TrendSource, kind: TrendKind, at: datetime, within: timedelta
) -> Snapshot | None:
    """The capture nearest to the instant `at`, not further off than `within`; a whole one before any other."""
    found = await session.scalars(
        select(TrendSnapshot).where(
            TrendSnapshot.source == source,
            TrendSnapshot.kind == kind,
            TrendSnapshot.captured_at.between(at - within, at + within),
        )
    )
    best = min(found, key=lambda one: (not one.complete, abs(one.captured_at - at), one.day), default=None)
    return next(iter(await _filled(session, [best] if best else [])), None)


async def first_day(session: Session, source: TrendSource, kind: TrendKind, not_before: date) -> date | None:
    """The first day from `not_before` on that has a capture."""
    day: date | None = await session.scalar(
        select(func.min(TrendSnapshot.day)).where(
            TrendSnapshot.source == source, TrendSnapshot.kind == kind, TrendSnapshot.day >= not_before
        )
    )
    return day


async def whole_days(session: Session, source: TrendSource, kind: TrendKind, first: date) -> Mapping[date, bool]:
    """The days from `first` on that have a chart, and whether it was whole."""
    found = await session.execute(
        select(TrendSnapshot.day, TrendSnapshot.complete).where(
            TrendSnapshot.source == source, TrendSnapshot.kind == kind, TrendSnapshot.day >= first
        )
    )
    return {day: complete for day, complete in found}  # noqa: C416  # dict() takes a Result for a mapping


async def prune(session: Session, today: date) -> int:
    """Deletes captures older than 400 days, with their rows; gives how many captures went."""
    gone = await session.scalars(
        delete(TrendSnapshot).where(TrendSnapshot.day < today - KEPT).returning(TrendSnapshot.id)
    )
    return len(gone.all())


async def _filled(session: Session, found: Sequence[TrendSnapshot]) -> Sequence[Snapshot]:
    """The captures with their rows, in order of rank and name; all rows are read in one go."""
    rows: dict[int, list[Row]] = defaultdict(list)
    answer = await session.execute(
        select(TrendItem.snapshot_id, *_COLUMNS).where(TrendItem.snapshot_id.in_([one.id for one in found]))
    )
    for snapshot_id, *values in answer:
        rows[snapshot_id].append(_row(dict(zip(_NAMES, values, strict=True))))
    return [
        Snapshot(one.source, one.kind, one.day, one.captured_at, one.complete, _ordered(rows[one.id]), one.since)
        for one in found
    ]


def _values(row: Row, snapshot_id: int) -> dict[str, Any]:
    values = {name: value for name, value in asdict(row).items() if name in _NAMES}
    values["spark"] = None if row.spark is None else " ".join(map(str, row.spark))
    return {**values, "snapshot_id": snapshot_id}


def _row(values: dict[str, Any]) -> Row:
    spark = values["spark"]
    return Row(**{**values, "spark": None if spark is None else tuple(map(int, spark.split()))})


def _ordered(rows: Sequence[Row]) -> tuple[Row, ...]:
    # Here and not in SQL: the two engines sort names differently, and the same rows must give the same paper.
    return tuple(sorted(rows, key=lambda row: (row.rank is None, row.rank, row.name, row.external_id)))
