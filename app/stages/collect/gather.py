"""Gathers stories: asks every source that is due, and folds what they show into candidates."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from urllib.parse import urlsplit

import structlog

from app.core.db import Database, Session
from app.core.errors import SourceError
from app.models import Source, SourceHealth, SourceKind
from app.models.breaker import Breaker, state
from app.stages.collect import arxiv, feeds, hackernews
from app.stages.collect.deadline import Deadline
from app.stages.collect.feeds import FeedParser
from app.stages.collect.fetch import Answer, Fetcher, Gone, Validators
from app.stages.collect.fold import Folded, fold
from app.stages.collect.found import Reading
from app.store import health, sources

EVERY = {
    SourceKind.FEED: timedelta(minutes=50),
    SourceKind.HACKERNEWS: timedelta(minutes=50),
    SourceKind.ARXIV: timedelta(hours=6),
}
"""How often a source is asked at most: hourly with a little ease; arXiv's answers change once a day."""
_PAUSES = {SourceKind.FEED: 1.0, SourceKind.HACKERNEWS: 1.0, SourceKind.ARXIV: arxiv.PAUSE}
"""Seconds between two requests to one host."""
_AT_ONCE = 8
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Gatherer:
    """What it takes to read any source."""

    fetcher: Fetcher
    parser: FeedParser = field(default_factory=FeedParser)

    async def read(
        self, kind: SourceKind, url: str, known: Validators, deadline: Deadline
    ) -> tuple[Answer, Reading | None]:
        """What a source says now; no Reading where nothing changed since `known`. Raises SourceError, Gone."""
        now = deadline.now
        asked = hackernews.query(url, now) if kind is SourceKind.HACKERNEWS else url
        pause = _PAUSES[kind] if kind is SourceKind.ARXIV else 0.5
        answer = await self.fetcher.get(asked, known, deadline, pause)
        if answer.body is None:
            return answer, None
        if kind is SourceKind.HACKERNEWS:
            return answer, hackernews.reading(answer.body, now)
        parsed = await self.parser.parse(answer.body, answer.url, answer.content_type, deadline)
        reading_of = arxiv.reading if kind is SourceKind.ARXIV else feeds.reading_of
        return answer, reading_of(parsed, answer.content_type, now)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one source gave. `problem` is a sentence; empty where all is well."""

    name: str
    new: int = 0
    folded: int = 0
    problem: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class GatherReport:
    sources: tuple[Gathered, ...]

    @property
    def summary(self) -> str:
        """One line for the record and the terminal."""
        new, folded = sum(one.new for one in self.sources), sum(one.folded for one in self.sources)
        failed = [one.name for one in self.sources if one.failed]
        line = f"{len(self.sources)} sources asked: {new} new candidates, {folded} folded into stories we had"
        return f"{line}; without answer: {', '.join(failed)}"[:400] if failed else line

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(one.problem if one.failed else f"{one.name}: {one.problem}" for one in self.sources if one.problem)


async def gather(
    db: Database, gatherer: Gatherer, now: datetime, deadline_seconds: float, *, all_of_them: bool = False
) -> GatherReport:
    """Asks the sources that are due, for at most `deadline_seconds` in all, one request at a time to each host.

    A source that fails is in the report and in its record, and changes nothing. `all_of_them` asks also those that
    were asked a moment ago; a breaker that is open keeps its source out of it. Raises StorageError.
    """
    deadline = Deadline(deadline_seconds, now)
    async with db.read() as session:
        records = await health.of_sources(session)
        due = [one for one in await sources.enabled(session) if _is_due(one, records.get(one.id), now, all_of_them)]
    room = asyncio.Semaphore(_AT_ONCE)
    lanes = [_lane(db, gatherer, lane, now, deadline, room) for lane in _by_host(due)]
    reports: list[Gathered] = []
    # Every lane is waited for, so that nothing still writes once this function has left.
    for done in await asyncio.gather(*lanes, return_exceptions=True):
        if isinstance(done, BaseException):
            raise done
        reports += done
    return GatherReport(tuple(reports))


def _is_due(source: Source, record: SourceHealth | None, now: datetime, always: bool) -> bool:
    if record is None:
        return True
    if state(record.failures, record.open_until, now) is Breaker.OPEN:
        return False
    return always or now - record.asked_at >= EVERY[source.kind] or now < record.asked_at


def _by_host(due: Sequence[Source]) -> Sequence[Sequence[Source]]:
    lanes = defaultdict(list)
    for source in due:
        lanes[urlsplit(source.url).netloc.lower()].append(source)
    return list(lanes.values())


async def _lane(
    db: Database,
    gatherer: Gatherer,
    lane: Sequence[Source],
    now: datetime,
    deadline: Deadline,
    room: asyncio.Semaphore,
) -> list[Gathered]:
    reports = []
    async with room:
        for number, source in enumerate(lane):
            if number:
                await asyncio.sleep(min(_PAUSES[source.kind], deadline.left))
            if deadline.left:
                reports.append(await _from_one(db, gatherer, source, now, deadline))
    return reports


async def _from_one(db: Database, gatherer: Gatherer, source: Source, now: datetime, deadline: Deadline) -> Gathered:
    async with db.read() as session:
        record = await health.get(session, health.name_of(source.id))
    known = Validators(record.etag, record.last_modified) if record else Validators()
    asked = monotonic()
    try:
        answer, reading = await gatherer.read(source.kind, source.url, known, deadline)
    except SourceError as error:
        return await _failed(db, source, error, now)
    latency_ms = round((monotonic() - asked) * 1000)
    async with db.write() as session:
        folded = await _take(session, source, answer, reading, latency_ms, now)
    problem = reading.problem if reading else ""
    _log.info("stories gathered", source=source.name, new=folded.added, folded=folded.folded, problem=problem)
    return Gathered(source.name, folded.added, folded.folded, problem)


async def _take(
    session: Session, source: Source, answer: Answer, reading: Reading | None, latency_ms: int, now: datetime
) -> Folded:
    """All that follows from an answer, in one transaction: what is not folded is asked for again."""
    if await sources.get(session, source.id) is None:  # removed while it was asked
        return Folded()
    folded = Folded() if reading is None else await fold(session, source, reading.finds, now)
    await health.record_success(
        session,
        health.name_of(source.id),
        now,
        source_id=source.id,
        latency_ms=latency_ms,
        data_at=reading.newest if reading else None,
        usual_gap=reading.usual_gap if reading else None,
        items=len(reading.finds) if reading else None,
        problem=reading.problem if reading else "",
        validators=(answer.validators.etag, answer.validators.last_modified) if reading else None,
    )
    if answer.moved and source.kind is SourceKind.FEED and len(answer.moved) <= 1000:
        moved = await sources.change(session, source.id, {"url": answer.moved}, now)
        _log.info("a source has moved for good", source=source.name, to=answer.moved, kept=moved)
    return folded


async def _failed(db: Database, source: Source, error: SourceError, now: datetime) -> Gathered:
    problem = f"{source.name} could not be read: {error}."
    _log.warning("a source of stories failed", source=source.name, why=str(error))
    async with db.write() as session:
        if await sources.get(session, source.id) is None:  # removed while it was asked
            return Gathered(source.name, problem=problem, failed=True)
        await health.record_failure(
            session, health.name_of(source.id), problem, now, source_id=source.id, retry_after=error.retry_after
        )
        if isinstance(error, Gone) and not await sources.change(session, source.id, {"enabled": False}, now):
            _log.info("the source was removed meanwhile", source=source.name)
    return Gathered(source.name, problem=problem, failed=True)
