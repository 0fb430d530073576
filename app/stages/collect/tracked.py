"""Joins what is stored of the things we count with what a source just said of them. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.models.counts import Point, Row, Thing
from app.stages.collect.harvest import Before
from app.stages.collect.measure import Counted


def joined(before: Before, rows: Sequence[Row], now: datetime, closed: Collection[str] = ()) -> tuple[Counted, ...]:
    """Everything open with its counts, today's among them, in order of external id."""
    fresh = {row.external_id: row for row in rows}
    found = [Counted(row, _with_today(before.series.get(key, ()), row, now)) for key, row in fresh.items()]
    for key, thing in before.things.items():
        points = before.series.get(key)
        if key not in fresh and points and thing.closed_on is None and key not in closed:
            found.append(Counted(row_of(thing, points[-1]), points))
    return tuple(sorted(found, key=lambda one: one.row.external_id))


def stored(
    things: Mapping[str, Thing], series: Mapping[str, Sequence[Point]], rows: Sequence[Row]
) -> tuple[Counted, ...]:
    """Everything open with its stored counts; `rows` say what their source knows of them beside the count."""
    fresh = {row.external_id: row for row in rows}
    found = []
    for key, points in series.items():
        if (thing := things.get(key)) is None or thing.closed_on is not None:
            continue
        row = row_of(thing, points[-1])
        if (told := fresh.get(key)) is not None:
            row = replace(told, count=row.count, forks=row.forks, detail=row.detail, created_at=row.created_at)
        found.append(Counted(row, points))
    return tuple(sorted(found, key=lambda one: one.row.external_id))


def row_of(thing: Thing, last: Point) -> Row:
    """The thing as it was last seen, with its newest count."""
    return Row(
        external_id=thing.external_id,
        name=thing.name,
        url=thing.url,
        detail=thing.detail,
        count=last.count,
        forks=last.forks,
        created_at=thing.created_at,
        node_id=thing.node_id,
        link=thing.link,
    )


def _with_today(points: Sequence[Point], row: Row, now: datetime) -> Sequence[Point]:
    """Today's count takes the place of an earlier one of today."""
    return [*(point for point in points if point.at.date() < now.date()), Point(now, row.count, row.forks)]
