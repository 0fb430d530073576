"""Collects: asks every source at once, under one deadline, and stores what came as the day's charts and movers."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic

import structlog

from app.core.db import Database
from app.core.errors import SourceError, StorageError
from app.models.breaker import OF_SOURCES
from app.models.counts import Row, Snapshot, TrendKind, TrendSource
from app.stages.collect import history, tracked
from app.stages.collect.deadline import Deadline
from app.stages.collect.github import GitHub
from app.stages.collect.harvest import Before, Capture, Harvest, Source
from app.stages.collect.huggingface import HuggingFace
from app.stages.collect.measure import HORIZON, Counted, Facts
from app.stages.collect.movers import movers
from app.stages.collect.ranking import DEPTH, Chart, by_gain, by_score
from app.stages.collect.series import CLOSE, WEEK
from app.store import counts, health, trends

TRACKED = timedelta(days=60)
"""What was not counted for that long is no longer asked for by its number."""
BY_GAIN = (TrendKind.REPOSITORY, TrendKind.PAPER)
MOVING = (TrendKind.MODEL, TrendKind.DATASET, TrendKind.REPOSITORY)
"""The kinds whose charts the paper prints have movers."""
CHUNK = 200
"""Rows of one write transaction: about 30 ms on SQLite."""
_UNFORESEEN = "what it gave could not be worked with; the log says why"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one source gave. `problems` are sentences about what it did not give, and why."""

    name: str
    rows: int
    problems: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        return self.rows > 0


@dataclass(frozen=True, slots=True)
class CollectReport:
    sources: tuple[SourceReport, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Every problem of every source, in order."""
        return tuple(problem for source in self.sources for problem in source.problems)

    @property
    def summary(self) -> str:
        """One line on what came, for the record and the terminal."""
        return "Counted: " + ", ".join(f"{source.rows} rows at {source.name}" for source in self.sources)


@dataclass(frozen=True, slots=True)
class Made:
    """A chart of today as it is stored, and what left it since last week."""

    snapshot: Snapshot
    cooled: tuple[Row, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.snapshot.rows


def sources(
    *, huggingface_url: str, github_url: str, contact: str, huggingface_token: str = "", github_token: str = ""
) -> tuple[Source, ...]:
    """The sources of the paper. `contact` is the address of our own site, named in every request."""
    return (
        HuggingFace(huggingface_url, contact, huggingface_token),
        GitHub(github_url, contact, github_token),
    )


async def collect(
    db: Database, sources: Sequence[Source], now: datetime, deadline_seconds: float, *, insist: bool = False
) -> CollectReport:
    """Asks all of `sources`, for at most `deadline_seconds` in all, and stores what they gave under today's UTC date.

    A source that fails is in the report and changes nothing: its last figures stand. One that failed again and again
    is left alone for some hours, unless we `insist`; one that asked us to wait is left alone even so. Collecting
    again on the same day replaces the day's figures. Raises StorageError; what was stored by then is whole, and the
    source's record says that something went wrong.
    """
    deadline = Deadline(deadline_seconds, now)
    # Every one is waited for, so that nothing still writes once this function has left.
    done = await asyncio.gather(
        *(_from_one(db, source, now, deadline, insist=insist) for source in sources), return_exceptions=True
    )
    for source, came in zip(sources, done, strict=True):
        if isinstance(came, Exception):
            with suppress(StorageError):  # where the database is out of reach, what came is what is raised
                async with db.write() as session:
                    await health.record_failure(session, source.source.value, f"{source.name}: {_UNFORESEEN}", now)
    for came in done:
        if isinstance(came, BaseException):
            raise came
    return CollectReport(tuple(one for one in done if isinstance(one, SourceReport)))


async def _from_one(db: Database, source: Source, now: datetime, deadline: Deadline, *, insist: bool) -> SourceReport:
    if (until := await _left_alone(db, source, now, insist=insist)) is not None:
        return SourceReport(source.name, 0, (f"{source.name} is left alone until {until:%H:%M} UTC",))
    before = await _before(db, source, now)
    asked = monotonic()
    try:
        harvest = await source.fetch(before, deadline)
    except SourceError as error:
        _log.warning("a source of trends failed", source=source.name, why=str(error))
        async with db.write() as session:
            await health.record_failure(session, source.source.value, str(error), now, retry_after=error.retry_after)
        return SourceReport(source.name, 0, (str(error),))
    await _record(db, source, harvest, round((monotonic() - asked) * 1000), now)
    made = []
    for capture in harvest.captures:
        known = before.get(capture.kind, Before())
        await _count(db, source.source, capture, known, now)
        if (chart := await _chart(db, source.source, capture, known, now)) is not None:
            made.append(chart)
    async with db.write() as session:
        await counts.remember(session, source.source, harvest.asked)
    await _store_movers(db, source.source, made, now)
    return _reported(source, harvest, made)


async def _left_alone(db: Database, source: Source, now: datetime, *, insist: bool) -> datetime | None:
    """Until when not to ask; None: now is well."""
    async with db.read() as session:
        record = await health.get(session, source.source.value)
    if record is None or record.open_until is None or record.open_until <= now:
        return None
    # After fewer failures than trip the breaker it was the source itself that asked for the wait.
    return None if insist and record.failures >= OF_SOURCES.trips_at else record.open_until


async def _record(db: Database, source: Source, harvest: Harvest, latency_ms: int, now: datetime) -> None:
    """It answered, though perhaps not with everything."""
    items = sum(len(capture.rows) for capture in harvest.captures)
    odd = " ".join(harvest.problems)
    async with db.write() as session:
        await health.record_success(
            session,
            source.source.value,
            now,
            latency_ms=latency_ms,
            data_at=now if items else None,
            items=items,
            problem=odd,
        )


def _reported(source: Source, harvest: Harvest, made: Sequence[Made]) -> SourceReport:
    count = sum(len(one.rows) for one in made)
    _log.info("trends collected", source=source.name, rows=count, problems=list(harvest.problems))
    return SourceReport(source.name, count, harvest.problems)


async def _before(db: Database, source: Source, now: datetime) -> Mapping[TrendKind, Before]:
    today = now.date()
    async with db.read() as session:
        newest = await trends.latest(session, now - timedelta(hours=48))
        asked = await counts.asked(session, source.source)
        found = {}
        for kind in source.kinds:
            chart = newest.get((source.source, kind))
            rows = {row.external_id: row for row in chart.rows} if chart else {}
            found[kind] = Before(
                await counts.things(session, source.source, kind, today - TRACKED),
                await counts.series(session, source.source, kind, today - HORIZON),
                rows if chart and chart.day == today else {},
                rows,
                asked,
            )
    return found


async def _count(db: Database, source: TrendSource, capture: Capture, before: Before, now: datetime) -> None:
    """What was counted, in transactions of a few hundred rows, so that nobody waits long for the one writer."""
    for first in range(0, len(capture.rows), CHUNK):
        async with db.write() as session:
            await counts.record(session, source, capture.kind, capture.rows[first : first + CHUNK], now)
    told = {
        one.row.external_id: history.counts_before(
            capture.histories[one.row.external_id], one.points[-1].count, one.points[-1].at, one.row.created_at
        )
        for one in tracked.joined(before, capture.rows, now)
        if one.row.external_id in capture.histories
    }
    async with db.write() as session:
        ids = await counts.ids_of(session, source, capture.kind)
        await counts.fill_in(session, ids, told)
        await counts.note(session, ids, capture.notes)
        await counts.close(session, source, capture.kind, capture.closed, now.date())


async def _chart(db: Database, source: TrendSource, capture: Capture, before: Before, now: datetime) -> Made | None:
    """One chart, worked out from everything counted, and stored in one transaction; its hour is the newest count's.

    None where nothing was counted today: the last chart there is then stands, with its date.
    """
    kind = capture.kind
    async with db.read() as session:
        things = await counts.things(session, source, kind, now.date() - TRACKED)
        series = await counts.series(session, source, kind, now.date() - HORIZON)
        whole = await trends.whole_days(session, source, kind, now.date() - HORIZON)
        week_ago = await trends.nearest(session, source, kind, now - WEEK, CLOSE)
    facts = Facts(
        now,
        capture.histories,
        before.today,
        {key: thing.ruling for key, thing in things.items() if thing.ruling is not None},
        whole,
        capture.complete,
        capture.seen,
    )
    counted = tracked.stored(things, series, capture.rows)
    newest = max((one.points[-1].at for one in counted), default=now)
    if newest.date() != now.date():
        return None
    # In a thread of its own: the worker hands mail over meanwhile.
    chart = await asyncio.to_thread(_ranked, counted, capture, facts, week_ago)
    async with db.write() as session:
        since = None
        if not chart.compared:
            since = await trends.first_day(session, source, kind, now.date() - WEEK) or now.date()
        made = Made(
            Snapshot(source, kind, now.date(), newest, capture.complete, _kept(chart.rows), since), chart.cooled
        )
        if not await trends.save(session, made.snapshot):
            _log.info("a later capture stands already", source=source.value, kind=kind.value)
    return made


def _ranked(counted: Sequence[Counted], capture: Capture, facts: Facts, week_ago: Snapshot | None) -> Chart:
    if capture.kind in BY_GAIN:
        return by_gain(counted, facts)
    named = {row.external_id for row in capture.rows}
    order = [row.external_id for row in capture.rows] if capture.ordered else None
    return by_score([one for one in counted if one.row.external_id in named], facts, week_ago, order)


def _kept(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The first hundred; where fewer have a rank, those with the highest totals beside them; and all that is held."""
    shown = [row for row in rows if not row.held]
    shown.sort(key=lambda row: (row.rank is None, row.rank or 0, -row.count, row.name, row.external_id))
    return (*shown[:DEPTH], *(row for row in rows if row.held))


async def _store_movers(db: Database, source: TrendSource, made: Sequence[Made], now: datetime) -> None:
    """The movers of today's charts, as a chart of their own."""
    cooled = {one.snapshot.kind: one.cooled for one in made}
    async with db.write() as session:
        charts = await trends.of_day(session, source, now.date())
        counted = [charts[kind] for kind in sorted(charts) if kind in MOVING]
        if not counted:
            return
        left = [replace(row, kind=kind) for kind in sorted(cooled) if kind in MOVING for row in cooled[kind]]
        rows, since = movers(counted, left)
        at = max(chart.captured_at for chart in counted)
        chart = Snapshot(source, TrendKind.MOVERS, now.date(), at, complete=True, rows=rows, since=since)
        if not await trends.save(session, chart):
            _log.info("a later capture stands already", source=source.value, kind=chart.kind.value)
