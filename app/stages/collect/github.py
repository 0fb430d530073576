"""GitHub: which AI and machine-learning repositories gain stars.

Searches find them, merged by the numeric id, which survives a rename. What no search named this time is counted by
its number: in hundreds by GraphQL with a token, a few by REST without. Search knows totals only; the weeks before our
own counts began, and whether our figure of a printed row is right, is told by `stargazers/history`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import structlog

from app.core.errors import SourceError
from app.models.counts import Asked, Days, Row, TrendKind, TrendSource
from app.stages.collect import promise, refresh, releases, searches, values
from app.stages.collect.client import Caller, Unavailable, bearer, calling
from app.stages.collect.deadline import Deadline
from app.stages.collect.harvest import Before, Capture, Harvest
from app.stages.collect.history import WEEKS, days_of
from app.stages.collect.lanes import abreast, each
from app.stages.collect.measure import Facts
from app.stages.collect.repositories import row_of
from app.stages.collect.tracked import joined

_log = structlog.get_logger(__name__)
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2026-03-10"}
_SEARCHING = 0.5
"""The part of the time that the searches may take; the rest is for numbers and histories."""


@dataclass(frozen=True)
class GitHub:
    """GitHub's REST and GraphQL API at `url`. The token is optional and raises its limits."""

    url: str
    contact: str
    token: str = field(default="", repr=False)
    source: ClassVar = TrendSource.GITHUB
    name: ClassVar = "GitHub"
    kinds: ClassVar = (TrendKind.REPOSITORY,)

    async def fetch(self, before: Mapping[TrendKind, Before], deadline: Deadline) -> Harvest:
        """Searches, counts by number, asks for star histories. Raises SourceError where nothing could be counted."""
        _log.info("asking GitHub", anonymous=not self.token)
        known = before.get(TrendKind.REPOSITORY, Before())
        now, lanes = deadline.now, abreast(deadline)
        async with calling(self.name, self.url, self.contact, {**_HEADERS, **bearer(self.token)}) as caller:
            search = _Search(caller, deadline.share(_SEARCHING))
            await each(searches.due(known.asked, now, token=bool(self.token)), search.ask, search.deadline, lanes)
            numbers = refresh.Refresh(caller, deadline, known, search.rows, token=bool(self.token))
            await numbers.run(lanes)
            rows = {**search.rows, **numbers.rows}
            if not rows:
                search.refuse(anything_known=bool(known.things))
            things = joined(known, tuple(rows.values()), now, numbers.closed)
            facts = Facts(
                now,
                earlier=known.today,
                rulings={key: one.ruling for key, one in known.things.items() if one.ruling is not None},
            )
            left = promise.calls_left({**known.asked, **numbers.asked}, now, token=bool(self.token))
            wanted = await asyncio.to_thread(promise.most_promising, things, facts, known.asked, left)
            histories = _Histories(caller, deadline)
            await each(wanted, histories.ask, deadline, lanes)
        printed = await asyncio.to_thread(promise.printable, things, facts)
        news = await releases.newest(self.url, self.contact, printed, known.asked, deadline, lanes)
        asked = {**search.asked, **numbers.asked, **histories.asked, **news.asked}
        capture = Capture(
            TrendKind.REPOSITORY,
            tuple(sorted(rows.values(), key=lambda row: (row.name, row.external_id))),
            complete=searches.whole(_merged(known.asked, search.asked), now),
            histories=histories.days,
            closed=frozenset(numbers.closed),
            notes=news.notes,
        )
        return Harvest((capture,), search.problems + numbers.problems + histories.problems, asked)


class _Search:
    """The fan-out over topics and shapes, as far as time and limits go."""

    def __init__(self, caller: Caller, deadline: Deadline) -> None:
        self.deadline = deadline
        self.rows: dict[str, Row] = {}
        self.asked: dict[str, Asked] = {}
        self._caller = caller
        self._failures: list[SourceError] = []
        self._answered = self._begun = 0

    async def ask(self, query: searches.Query) -> bool:
        """Asks one query. False: there is no use in asking another."""
        params = [("q", query.text), ("sort", "stars"), ("order", "desc"), ("per_page", "100")]
        self._begun += 1
        try:
            answer = await self._caller.json("/search/repositories", params, deadline=self.deadline)
        except SourceError as error:
            self._failures.append(error)
            if isinstance(error, Unavailable):
                return False
            self.asked[query.subject] = Asked(self.deadline.now)
            return True
        fields = values.mapping(answer)
        if not isinstance(fields.get("items"), list):
            self._failures.append(SourceError("GitHub could not be read: its answer held no list of repositories"))
            self.asked[query.subject] = Asked(self.deadline.now)
            return True
        whole = fields.get("incomplete_results") is False
        self._answered += 1
        self.asked[query.subject] = Asked(self.deadline.now, self.deadline.now if whole else None)
        for item in values.items(fields.get("items")):
            if (row := row_of(item)) is not None:
                self.rows.setdefault(row.external_id, row)
        return True

    def refuse(self, *, anything_known: bool) -> None:
        """Raises SourceError where searching was tried and gave nothing, which may be true of a few searches only."""
        if not self._begun or (self._answered and anything_known):
            return
        why = "it found no repository we understand" if self._answered else "there was no time left to ask"
        raise next(iter(self._failures), SourceError(f"GitHub could not be read: {why}"))

    @property
    def problems(self) -> tuple[str, ...]:
        if not self._failures:
            return ()
        return (f"GitHub answered {self._answered} of {self._begun} searches: {self._failures[0]}",)


class _Histories:
    """Star histories, as far as time and limits go. A missing one is no fault: the row then has no figure."""

    def __init__(self, caller: Caller, deadline: Deadline) -> None:
        self.days: dict[str, Days] = {}
        self.asked: dict[str, Asked] = {}
        self.problems: tuple[str, ...] = ()
        self._caller = caller
        self._deadline = deadline

    async def ask(self, row: Row) -> bool:
        """Asks for one repository's history, by number: a name may be another's by now. False: no use in going on."""
        path, params = f"/repositories/{row.external_id}/stargazers/history", [("per_page", str(WEEKS))]
        asked = Asked(self._deadline.now)
        try:
            answer = await self._caller.json(path, params, deadline=self._deadline, tries=1)
        except Unavailable as error:
            self.problems = (f"GitHub gave only some star histories: {error}",)
            return False
        except SourceError:
            self.asked[promise.HISTORY + row.external_id] = asked
            return True
        days = days_of(answer)
        self.asked[promise.HISTORY + row.external_id] = Asked(asked.at, asked.at if days else None)
        if days:
            self.days[row.external_id] = days
        return True


def _merged(known: Mapping[str, Asked], fresh: Mapping[str, Asked]) -> Mapping[str, Asked]:
    """`fresh` over `known`; what was not answered whole this time keeps the time it was."""
    return {
        **known,
        **{key: Asked(one.at, one.whole_at or (known[key].whole_at if key in known else None))
           for key, one in fresh.items()},
    }  # fmt: skip
