"""What is counted: things, their daily counts, what happened to them, and what their sources were asked."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update

from app.core.db import Session
from app.models import TrendAsk, TrendCount, TrendNote, TrendThing
from app.models.counts import Asked, Note, Point, Row, Ruling, Thing, TrendKind, TrendSource
from app.store import upsert

KEPT = timedelta(days=400)
ASKS_KEPT = timedelta(days=14)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEEN = ("name", "url", "detail", "node_id", "link", "created_at")


async def record(
    session: Session, source: TrendSource, kind: TrendKind, rows: Sequence[Row], at: datetime
) -> Mapping[str, int]:
    """Counts `rows` at `at`; gives the ids of their things by external id.

    Counting again on the same day takes the place of an earlier count of that day. A thing that its source calls
    gone is open again once it is counted.
    """
    day = at.date()
    things = [
        {**{name: getattr(row, name) for name in _SEEN}, "external_id": row.external_id, "source": source, "kind": kind,
         "first_day": day, "last_day": day}
        for row in rows
    ]  # fmt: skip
    statement = upsert.insert(session, TrendThing)
    new = statement.excluded
    if things:
        # A refresh by number knows no more than names and counts: what it does not know stays as it was.
        kept = {name: func.coalesce(func.nullif(new[name], ""), TrendThing.__table__.c[name])
                for name in ("detail", "node_id", "link")}  # fmt: skip
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[TrendThing.source, TrendThing.kind, TrendThing.external_id],
                set_={
                    **kept,
                    "name": new.name,
                    "url": new.url,
                    "created_at": func.coalesce(new.created_at, TrendThing.created_at),
                    "last_day": new.last_day,
                    "closed_on": None,
                },
                where=TrendThing.last_day <= new.last_day,
            ),
            things,
        )
    ids = await ids_of(session, source, kind)
    await _count(session, [(ids[row.external_id], Point(at, row.count, row.forks)) for row in rows])
    return ids


async def fill_in(session: Session, ids: Mapping[str, int], told: Mapping[str, Sequence[Point]]) -> None:
    """Puts what a source's history says where no count of ours stands."""
    values = [_values(ids[key], point) for key, points in told.items() if key in ids for point in points]
    if values:
        await session.execute(upsert.insert_ignoring(session, TrendCount), values)


async def close(
    session: Session, source: TrendSource, kind: TrendKind, external_ids: Collection[str], day: date
) -> None:
    """Ends the series of what is gone, private or archived."""
    await session.execute(
        update(TrendThing)
        .where(TrendThing.source == source, TrendThing.kind == kind, TrendThing.external_id.in_(external_ids))
        .values(closed_on=day)
        .execution_options(synchronize_session=False)
    )


async def rule(session: Session, thing_id: int, ruling: Ruling | None) -> None:
    """Writes down what an editor decided; None takes it back."""
    await session.execute(
        update(TrendThing)
        .where(TrendThing.id == thing_id)
        .values(ruling=ruling)
        .execution_options(synchronize_session=False)
    )


async def ids_of(session: Session, source: TrendSource, kind: TrendKind) -> Mapping[str, int]:
    found = await session.execute(
        select(TrendThing.external_id, TrendThing.id).where(TrendThing.source == source, TrendThing.kind == kind)
    )
    return {external_id: thing_id for external_id, thing_id in found}  # noqa: C416


async def things(session: Session, source: TrendSource, kind: TrendKind, not_before: date) -> Mapping[str, Thing]:
    """All that was counted on `not_before` or later, and all that an editor ruled on, by external id."""
    found = await session.scalars(
        select(TrendThing).where(
            TrendThing.source == source,
            TrendThing.kind == kind,
            or_(TrendThing.last_day >= not_before, TrendThing.ruling.is_not(None)),
        )
    )
    return {one.external_id: _thing(one) for one in found}


async def named(session: Session, name: str) -> Sequence[tuple[int, TrendSource, TrendKind, Thing]]:
    """Every thing of that name or external id, whatever its kind, in order of source and kind."""
    found = await session.scalars(
        select(TrendThing)
        .where(or_(func.lower(TrendThing.name) == name.lower(), TrendThing.external_id == name))
        .order_by(TrendThing.source, TrendThing.kind, TrendThing.id)
    )
    return [(one.id, one.source, one.kind, _thing(one)) for one in found]


async def ruled(
    session: Session, limit: int | None = None, before: int | None = None
) -> Sequence[tuple[int, TrendSource, TrendKind, Thing]]:
    """What an editor decided about, the highest id first; a page of it below the id `before`, or everything."""
    chosen = select(TrendThing).where(TrendThing.ruling.is_not(None)).order_by(TrendThing.id.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(TrendThing.id < before)
    return [(one.id, one.source, one.kind, _thing(one)) for one in await session.scalars(chosen)]


async def papers_about(
    session: Session, repositories: Collection[str], not_before: date
) -> Mapping[str, tuple[Thing, int]]:
    """The most upvoted daily paper counted since `not_before` for each of `repositories` (lower-case names).

    With its newest count of upvotes.
    """
    found = await session.execute(
        select(TrendThing, TrendCount.count)
        .join(TrendCount, TrendCount.thing_id == TrendThing.id)
        .where(
            TrendThing.source == TrendSource.HUGGINGFACE,
            TrendThing.kind == TrendKind.PAPER,
            TrendThing.link.in_(repositories),
            TrendThing.last_day >= not_before,
        )
        .order_by(TrendCount.day)
    )
    newest = {thing.external_id: (_thing(thing), count) for thing, count in found}
    best: dict[str, tuple[Thing, int]] = {}
    for thing, count in sorted(newest.values(), key=lambda one: (one[1], one[0].external_id)):
        best[thing.link] = (thing, count)
    return best


async def series(session: Session, source: TrendSource, kind: TrendKind, first: date) -> Mapping[str, Sequence[Point]]:
    """The counts of everything from `first` on: by external id, the oldest first."""
    found = await session.execute(
        select(
            TrendThing.external_id,
            TrendCount.day,
            TrendCount.minute,
            TrendCount.count,
            TrendCount.forks,
            TrendCount.told,
        )
        .join(TrendThing, TrendThing.id == TrendCount.thing_id)
        .where(TrendThing.source == source, TrendThing.kind == kind, TrendCount.day >= _day(first))
        .order_by(TrendCount.thing_id, TrendCount.day)
    )
    points: dict[str, list[Point]] = defaultdict(list)
    instants: dict[tuple[int, int], datetime] = {}
    for external_id, day, minute, count, forks, told in found:
        at = instants.get((day, minute))
        if at is None:
            at = instants[day, minute] = _EPOCH + timedelta(days=day, minutes=minute)
        points[external_id].append(Point(at, count, forks, told))
    return dict(points)


async def asked(session: Session, source: TrendSource) -> Mapping[str, Asked]:
    """What `source` was asked, and when, by subject."""
    found = await session.scalars(select(TrendAsk).where(TrendAsk.source == source))
    return {one.subject: Asked(one.asked_at, one.whole_at) for one in found}


async def remember(session: Session, source: TrendSource, asks: Mapping[str, Asked]) -> None:
    """Writes down what was asked. A question that was answered whole before, and now was not, keeps that day."""
    statement = upsert.insert(session, TrendAsk)
    values = [
        {"source": source, "subject": subject, "asked_at": one.at, "whole_at": one.whole_at}
        for subject, one in sorted(asks.items())
    ]
    if values:
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[TrendAsk.source, TrendAsk.subject],
                set_={
                    "asked_at": statement.excluded.asked_at,
                    "whole_at": func.coalesce(statement.excluded.whole_at, TrendAsk.whole_at),
                },
                where=TrendAsk.asked_at <= statement.excluded.asked_at,
            ),
            values,
        )


async def note(session: Session, ids: Mapping[str, int], notes: Iterable[Note]) -> None:
    """Keeps the newest note of each kind."""
    statement = upsert.insert(session, TrendNote)
    values = [
        {"thing_id": ids[one.external_id], "kind": one.kind, "title": one.title, "url": one.url, "at": one.at}
        for one in notes
        if one.external_id in ids
    ]
    if values:
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[TrendNote.thing_id, TrendNote.kind],
                set_={name: statement.excluded[name] for name in ("title", "url", "at")},
                where=TrendNote.at <= statement.excluded.at,
            ),
            values,
        )


async def notes(
    session: Session, source: TrendSource, kind: TrendKind, external_ids: Collection[str], since: datetime
) -> Mapping[str, Sequence[Note]]:
    """What happened to `external_ids` since then, the newest first."""
    found = await session.execute(
        select(TrendThing.external_id, TrendNote)
        .join(TrendThing, TrendThing.id == TrendNote.thing_id)
        .where(
            TrendThing.source == source,
            TrendThing.kind == kind,
            TrendThing.external_id.in_(external_ids),
            TrendNote.at >= since,
        )
        .order_by(TrendNote.at.desc(), TrendNote.kind)
    )
    told: dict[str, list[Note]] = defaultdict(list)
    for external_id, one in found:
        told[external_id].append(Note(external_id, one.kind, one.title, one.url, one.at))
    return dict(told)


async def prune(session: Session, now: datetime) -> None:
    """Deletes counts older than 400 days, things not counted since then, and questions of a fortnight ago."""
    first = now.date() - KEPT
    # By thing, so that the primary key finds the old days of each without reading the new ones.
    old = TrendCount.thing_id.in_(select(TrendThing.id)) & (TrendCount.day < _day(first))
    await session.execute(delete(TrendCount).where(old))
    await session.execute(delete(TrendThing).where(TrendThing.last_day < first, TrendThing.ruling.is_(None)))
    await session.execute(delete(TrendAsk).where(TrendAsk.asked_at < now - ASKS_KEPT))


async def _count(session: Session, counted: Sequence[tuple[int, Point]]) -> None:
    statement = upsert.insert(session, TrendCount)
    new = statement.excluded
    if counted:
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[TrendCount.thing_id, TrendCount.day],
                set_={
                    "minute": new.minute,
                    "count": new.count,
                    "forks": func.coalesce(new.forks, TrendCount.forks),
                    "told": new.told,
                },
                where=or_(TrendCount.told, TrendCount.minute <= new.minute),
            ),
            [_values(thing_id, point) for thing_id, point in counted],
        )


def _values(thing_id: int, point: Point) -> dict[str, Any]:
    at = point.at.astimezone(UTC)
    return {"thing_id": thing_id, "day": _day(at.date()), "minute": at.hour * 60 + at.minute, "count": point.count,
            "forks": point.forks, "told": point.told}  # fmt: skip


def _day(day: date) -> int:
    return (day - _EPOCH.date()).days


def _thing(one: TrendThing) -> Thing:
    return Thing(
        external_id=one.external_id,
        name=one.name,
        url=one.url,
        detail=one.detail,
        node_id=one.node_id,
        link=one.link,
        created_at=one.created_at,
        first_day=one.first_day,
        last_day=one.last_day,
        closed_on=one.closed_on,
        ruling=one.ruling,
    )
