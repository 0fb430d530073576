"""Collects: asks every source at once, under one deadline, and stores what came as the day's charts and movers."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import structlog

from app.core.db import Database
from app.core.errors import SourceError
from app.models.counts import Snapshot, TrendKind, TrendSource
from app.stages.collect.deadline import Deadline
from app.stages.collect.github import GitHub
from app.stages.collect.harvest import Before, Capture, Harvest, Source
from app.stages.collect.huggingface import HuggingFace
from app.stages.collect.movers import movers
from app.stages.collect.ranking import comparable, moved, ranked
from app.stages.collect.series import WEEK
from app.store import health, trends

_MEMORY = timedelta(days=37)
"""How far back counts are read: a week, the four weeks that make a usual one, and a day at either end."""
_TOLERANCE = timedelta(hours=36)
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


def sources(
    *, huggingface_url: str, github_url: str, contact: str, huggingface_token: str = "", github_token: str = ""
) -> tuple[Source, ...]:
    """The sources of the paper. `contact` is the address of our own site, named in every request."""
    return (
        HuggingFace(huggingface_url, contact, huggingface_token),
        GitHub(github_url, contact, github_token),
    )


async def collect(db: Database, sources: Sequence[Source], now: datetime, deadline_seconds: float) -> CollectReport:
    """Asks all of `sources`, for at most `deadline_seconds` in all, and stores what they gave under today's UTC date.

    A source that fails is in the report and changes nothing: its last figures stand. Collecting again on the same
    day replaces the day's figures. Raises StorageError; what was stored by then is whole.
    """
    deadline = Deadline(deadline_seconds, now)
    reports = []
    # Every one is waited for, so that nothing still writes once this function has left.
    for done in await asyncio.gather(
        *(_from_one(db, source, now, deadline) for source in sources), return_exceptions=True
    ):
        if isinstance(done, BaseException):
            raise done
        reports.append(done)
    return CollectReport(tuple(reports))


async def _from_one(db: Database, source: Source, now: datetime, deadline: Deadline) -> SourceReport:
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
    for capture in harvest.captures:
        await _store(db, source.source, capture, before.get(capture.kind, Before()), now)
    await _store_movers(db, source.source, now)
    return _reported(source, harvest)


async def _record(db: Database, source: Source, harvest: Harvest, latency_ms: int, now: datetime) -> None:
    """It answered, though perhaps not with everything."""
    items = sum(len(capture.rows) for capture in harvest.captures)
    odd = " ".join(harvest.problems)
    async with db.write() as session:
        await health.record_success(
            session, source.source.value, now, latency_ms=latency_ms, data_at=now, items=items, problem=odd
        )


def _reported(source: Source, harvest: Harvest) -> SourceReport:
    count = sum(len(capture.rows) for capture in harvest.captures)
    _log.info("trends collected", source=source.name, rows=count, problems=list(harvest.problems))
    return SourceReport(source.name, count, harvest.problems)


async def _before(db: Database, source: Source, now: datetime) -> Mapping[TrendKind, Before]:
    today = now.date()
    async with db.read() as session:
        stored = await trends.of_day(session, source.source, today)
        found = {}
        for kind in source.kinds:
            rows = stored[kind].rows if kind in stored else ()
            counts = await trends.series(session, source.source, kind, today - _MEMORY, today)
            found[kind] = Before(counts, {row.external_id: row for row in rows})
    return found


async def _store(db: Database, source: TrendSource, capture: Capture, before: Before, now: datetime) -> None:
    """One chart, in one transaction."""
    today, kind = now.date(), capture.kind
    rows = ranked(capture.rows, before, now)
    async with db.write() as session:
        week_ago = await trends.nearest(session, source, kind, now - WEEK, _TOLERANCE)
        since = None
        if week_ago is not None and comparable(rows, week_ago):
            ids = [row.external_id for row in rows]
            peaks = await trends.peaks_until(session, source, kind, ids, week_ago.day)
            rows = moved(rows, week_ago, peaks, now)
        else:
            since = await trends.first_day(session, source, kind, today - WEEK) or today
        await trends.save(session, Snapshot(source, kind, today, now, capture.complete, rows, since))


async def _store_movers(db: Database, source: TrendSource, now: datetime) -> None:
    """The movers of today's charts, as a chart of their own."""
    async with db.write() as session:
        charts = await trends.of_day(session, source, now.date())
        counted = [charts[kind] for kind in sorted(charts) if kind is not TrendKind.MOVERS]
        rows, since = movers(counted)
        at = max(chart.captured_at for chart in counted)
        await trends.save(
            session, Snapshot(source, TrendKind.MOVERS, now.date(), at, complete=True, rows=rows, since=since)
        )
