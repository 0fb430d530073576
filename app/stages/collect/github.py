"""GitHub: which AI and machine-learning repositories gain stars.

A few searches, one a topic (several topics in one query would mean "and"), merged by the numeric id, which survives a
rename. Search knows totals only, so the week's gain comes from our own counts of a week ago or, for the rows that may
be printed, from `stargazers/history`. Anonymous limits: 10 searches a minute, 60 other calls an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import ClassVar

import structlog

from app.core.errors import SourceError
from app.models.counts import Basis, Row, TrendKind, TrendSource
from app.stages.collect import values
from app.stages.collect.client import Caller, Params, Unavailable, bearer, calling
from app.stages.collect.deadline import Deadline
from app.stages.collect.harvest import Before, Capture, Harvest
from app.stages.collect.history import WEEKS, Week, week_of
from app.stages.collect.lanes import each
from app.stages.collect.promise import most_promising
from app.stages.collect.repositories import row_of

TOPICS = ("llm", "machine-learning", "ai-agents", "deep-learning", "rag", "mcp", "computer-vision", "nlp")
"""Fewer than the ten searches a minute that GitHub allows without a token; the most telling ones first."""
HISTORIES, HISTORIES_WITH_TOKEN = 25, 60
"""Star histories asked for in one run: two runs fit into the 60 calls an hour without a token."""
_log = structlog.get_logger(__name__)
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2026-03-10"}
_SEARCHING = 0.6
"""The part of the time that the searches may take; the histories get the rest."""


@dataclass(frozen=True)
class GitHub:
    """GitHub's REST API at `url`. The token is optional and raises its limits."""

    url: str
    contact: str
    token: str = field(default="", repr=False)
    source: ClassVar = TrendSource.GITHUB
    name: ClassVar = "GitHub"
    kinds: ClassVar = (TrendKind.REPOSITORY,)

    async def fetch(self, before: Mapping[TrendKind, Before], deadline: Deadline) -> Harvest:
        """Searches, then asks for star histories. Raises SourceError where no search was answered."""
        _log.info("asking GitHub", anonymous=not self.token)
        known = before.get(TrendKind.REPOSITORY, Before())
        async with calling(self.name, self.url, self.contact, {**_HEADERS, **bearer(self.token)}) as caller:
            search = _Search(caller, deadline.share(_SEARCHING))
            await each(TOPICS, search.topic, search.deadline)
            rows = search.found()
            asked = most_promising(rows, known, deadline.now, HISTORIES_WITH_TOKEN if self.token else HISTORIES)
            histories = _Histories(caller, deadline)
            await each(asked, histories.ask, deadline)
        capture = Capture(TrendKind.REPOSITORY, [_told(row, known, histories.weeks) for row in rows], search.complete)
        return Harvest((capture,), search.problems + histories.problems)


class _Search:
    """The fan-out over topics, as far as time and limits go."""

    def __init__(self, caller: Caller, deadline: Deadline) -> None:
        self.deadline = deadline
        self._caller = caller
        self._rows: dict[str, Row] = {}
        self._failures: list[SourceError] = []
        self._answered = self._whole = 0

    async def topic(self, topic: str) -> bool:
        """Asks for one topic. False: there is no use in asking for another."""
        try:
            answer = await self._caller.json("/search/repositories", self._params(topic), deadline=self.deadline)
        except SourceError as error:
            self._failures.append(error)
            return not isinstance(error, Unavailable)
        fields = values.mapping(answer)
        self._answered += 1
        self._whole += fields.get("incomplete_results") is False
        items = fields.get("items")
        for item in items if isinstance(items, list) else ():
            if (row := row_of(item)) is not None:
                self._rows.setdefault(row.external_id, row)
        return True

    def found(self) -> tuple[Row, ...]:
        """Every repository found, in order of name. Raises SourceError where there is none."""
        if not self._rows:
            why = "it found no repository we understand" if self._answered else "there was no time left to ask"
            raise next(iter(self._failures), SourceError(f"GitHub could not be read: {why}"))
        return tuple(sorted(self._rows.values(), key=lambda row: (row.name, row.external_id)))

    @property
    def complete(self) -> bool:
        """False where a topic is missing, or GitHub says that it gave up early on one."""
        return self._whole == len(TOPICS)

    @property
    def problems(self) -> tuple[str, ...]:
        if self._answered == len(TOPICS):
            return ()
        why = self._failures[0] if self._failures else "there was no time left for the others"
        return (f"GitHub answered {self._answered} of {len(TOPICS)} searches: {why}",)

    def _params(self, topic: str) -> Params:
        pushed = self.deadline.now.date() - timedelta(days=7)
        query = f"topic:{topic} stars:>=1000 pushed:>={pushed} fork:false archived:false"
        return [("q", query), ("sort", "stars"), ("order", "desc"), ("per_page", "100")]


class _Histories:
    """Star histories, as far as time and limits go. A missing one is no fault: the row then has no figure."""

    def __init__(self, caller: Caller, deadline: Deadline) -> None:
        self.weeks: dict[str, Week] = {}
        self.problems: tuple[str, ...] = ()
        self._caller = caller
        self._deadline = deadline

    async def ask(self, row: Row) -> bool:
        """Asks for one repository's history. False: there is no use in asking for another."""
        path, params = f"/repos/{row.name}/stargazers/history", [("per_page", str(WEEKS))]
        try:
            answer = await self._caller.json(path, params, deadline=self._deadline, tries=1)
        except SourceError as error:
            if not isinstance(error, Unavailable):
                return True
            self.problems = (f"GitHub gave only some star histories: {error}",)
            return False
        if (week := week_of(answer, row.created_at, self._deadline.now.date())) is not None:
            self.weeks[row.external_id] = week
        return True


def _told(row: Row, known: Before, weeks: Mapping[str, Week]) -> Row:
    """The row with GitHub's own figures of the week: those asked for now, else those of earlier today."""
    if week := weeks.get(row.external_id):
        return replace(row, gained=week.gained, basis=Basis.HISTORY, usual=week.usual)
    earlier = known.today.get(row.external_id)
    if earlier is None:
        return row
    if earlier.basis is Basis.HISTORY:
        row = replace(row, gained=earlier.gained, basis=Basis.HISTORY)
    return replace(row, usual=earlier.usual)
