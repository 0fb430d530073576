"""Trends: what was counted each day."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, insert, or_, select

from app.core.db import Session
from app.models import TrendItem, TrendSnapshot
from app.models.counts import Point, Row, Snapshot, TrendKind, TrendSource
from app.store import upsert

KEPT = timedelta(days=400)
_NAMES = tuple(field.name for field in fields(Row))
_COLUMNS = tuple(getattr(TrendItem, name) for name in _NAMES)


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
        await session.execute(insert(TrendItem), [{**asdict(row), "snapshot_id": snapshot_id} for row in snapshot.rows])
    return True


async def of_day(session: Session, source: TrendSource, day: date) -> Mapping[TrendKind, Snapshot]:
    """What stands for `day`, by kind."""
    found = await session.scalars(select(TrendSnapshot).where(TrendSnapshot.source == source, TrendSnapshot.day == day))
    return {snapshot.kind: snapshot for snapshot in await _filled(session, found.all())}


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


async def series(
    session: Session, source: TrendSource, kind: TrendKind, first: date, before: date
) -> Mapping[str, Sequence[Point]]:
    """The counts of everything from `first` up to, not including, `before`: by external id, the oldest first."""
    found = await session.execute(
        select(TrendItem.external_id, TrendSnapshot.captured_at, TrendItem.count)
        .join(TrendSnapshot, TrendSnapshot.id == TrendItem.snapshot_id)
        .where(
            TrendSnapshot.source == source,
            TrendSnapshot.kind == kind,
            TrendSnapshot.day >= first,
            TrendSnapshot.day < before,
        )
        .order_by(TrendSnapshot.day)
    )
    points: dict[str, list[Point]] = defaultdict(list)
    for external_id, at, count in found:
        points[external_id].append(Point(at, count))
    return dict(points)


async def first_day(session: Session, source: TrendSource, kind: TrendKind, not_before: date) -> date | None:
    """The first day from `not_before` on that has a capture."""
    day: date | None = await session.scalar(
        select(func.min(TrendSnapshot.day)).where(
            TrendSnapshot.source == source, TrendSnapshot.kind == kind, TrendSnapshot.day >= not_before
        )
    )
    return day


async def peaks_until(
    session: Session, source: TrendSource, kind: TrendKind, ids: Collection[str], day: date
) -> Mapping[str, int | None]:
    """The best rank that each of `ids` had on `day` or before, at any time we know of.

    None: it was counted, but never on a chart. Not in the mapping: it was never counted.
    """
    found = await session.execute(
        select(TrendItem.external_id, func.min(TrendItem.rank))
        .join(TrendSnapshot, TrendSnapshot.id == TrendItem.snapshot_id)
        .where(
            TrendSnapshot.source == source,
            TrendSnapshot.kind == kind,
            TrendSnapshot.day <= day,
            TrendItem.external_id.in_(ids),
        )
        .group_by(TrendItem.external_id)
    )
    return {external_id: peak for external_id, peak in found}  # noqa: C416  # dict() takes a Result for a mapping


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
        rows[snapshot_id].append(Row(**dict(zip(_NAMES, values, strict=True))))
    return [
        Snapshot(one.source, one.kind, one.day, one.captured_at, one.complete, _ordered(rows[one.id]), one.since)
        for one in found
    ]


def _ordered(rows: Sequence[Row]) -> tuple[Row, ...]:
    # Here and not in SQL: the two engines sort names differently, and the same rows must give the same paper.
    return tuple(sorted(rows, key=lambda row: (row.rank is None, row.rank, row.name, row.external_id)))
