"""Counts repositories by number where no search named them: a hundred a call with a token, a few without.

`POST /graphql` with `nodes(ids: …)` needs a token; `GET /repositories/{id}` does not, and follows every rename. A
number that is answered "not found" ends its series.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.errors import SourceError
from app.models.counts import Asked, Row
from app.stages.collect import promise, values
from app.stages.collect.client import Caller, Gone, Unavailable
from app.stages.collect.deadline import Deadline
from app.stages.collect.harvest import Before
from app.stages.collect.lanes import each
from app.stages.collect.repositories import closed, row_of

A_CALL = 100
_QUERY = """query($ids: [ID!]!) { nodes(ids: $ids) { ... on Repository {
  id databaseId nameWithOwner description stargazerCount forkCount createdAt
  isArchived isDisabled isFork isPrivate isMirror
  repositoryTopics(first: 20) { nodes { topic { name } } } } } }"""


class Refresh:
    """What came of it: `rows` by external id, `closed` ids of what is gone, `problems` as sentences."""

    def __init__(
        self, caller: Caller, deadline: Deadline, before: Before, seen: Mapping[str, Row], *, token: bool
    ) -> None:
        self.rows: dict[str, Row] = {}
        self.closed: set[str] = set()
        self.asked: dict[str, Asked] = {}
        self.problems: tuple[str, ...] = ()
        self._caller, self._deadline, self._before, self._seen, self._token = caller, deadline, before, seen, token

    async def run(self, lanes: int) -> None:
        """Asks as far as time and limits go."""
        if self._token:
            await each(self._hundreds(), self._hundred, self._deadline, lanes)
            return
        left = promise.calls_left(self._before.asked, self._deadline.now, token=False)
        most = min(promise.REFRESHED, left)
        waiting = promise.unseen(self._before, self._seen, self._deadline.now, most)
        await each(waiting, self._one, self._deadline, lanes)

    def _hundreds(self) -> Sequence[Mapping[str, str]]:
        """External ids by node id, a hundred at a time."""
        waiting = [
            (thing.node_id, key)
            for key, thing in sorted(self._before.things.items())
            if thing.node_id and thing.closed_on is None and key not in self._seen
        ]
        return [dict(waiting[first : first + A_CALL]) for first in range(0, len(waiting), A_CALL)]

    async def _hundred(self, ids: Mapping[str, str]) -> bool:
        """One GraphQL call. False: there is no use in another."""
        try:
            answer = await self._caller.post(
                "/graphql", {"query": _QUERY, "variables": {"ids": list(ids)}}, deadline=self._deadline
            )
        except SourceError as error:
            self.problems = (f"GitHub did not count every repository by number: {error}",)
            return not isinstance(error, Unavailable)
        return self._read(values.mapping(answer), list(ids.values()))

    def _read(self, answer: Mapping[str, Any], keys: Sequence[str]) -> bool:
        errors = [values.mapping(one) for one in values.items(answer.get("errors"))]
        if limit := next((one for one in errors if one.get("type") == "RATE_LIMITED"), None):
            said = values.text(limit.get("message")) or "its limit is spent"
            self.problems = (f"GitHub did not count every repository by number: {said}",)
            return False
        nodes = values.items(values.mapping(answer.get("data")).get("nodes"))
        if not nodes:
            self.problems = ("GitHub did not count every repository by number: its answer held none",)
        for node in nodes:
            self._take(_as_rest(values.mapping(node)))
        for error in errors:
            path = values.items(error.get("path"))
            place = path[1] if len(path) == 2 and path[0] == "nodes" else None
            if error.get("type") == "NOT_FOUND" and isinstance(place, int) and 0 <= place < len(keys):
                self.closed.add(keys[place])
        return True

    async def _one(self, key: str) -> bool:
        """One REST call. False: there is no use in another."""
        self.asked[promise.REPOSITORY + key] = Asked(self._deadline.now)
        try:
            answer = await self._caller.json(f"/repositories/{key}", deadline=self._deadline, tries=1)
            self._take(values.mapping(answer))
        except Gone:
            self.closed.add(key)
        except SourceError as error:
            self.problems = (f"GitHub did not count every repository by number: {error}",)
            return not isinstance(error, Unavailable)
        return True

    def _take(self, item: Mapping[str, Any]) -> None:
        key = str(values.count(item.get("id")) or "")
        if key not in self._before.things:
            return
        if closed(item):
            self.closed.add(key)
        elif (row := row_of(item, known=True)) is not None:
            self.rows[key] = row


def _as_rest(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """A GraphQL node under the names that REST has for the same."""
    topics = values.items(values.mapping(node.get("repositoryTopics")).get("nodes"))
    return {
        "id": node.get("databaseId"),
        "node_id": node.get("id"),
        "full_name": node.get("nameWithOwner"),
        "description": node.get("description"),
        "stargazers_count": node.get("stargazerCount"),
        "forks_count": node.get("forkCount"),
        "created_at": node.get("createdAt"),
        "archived": node.get("isArchived"),
        "disabled": node.get("isDisabled"),
        "fork": node.get("isFork"),
        "private": node.get("isPrivate"),
        "mirror_url": node.get("isMirror") or None,
        "topics": [values.mapping(values.mapping(one).get("topic")).get("name") for one in topics],
    }
