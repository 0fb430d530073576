"""What only this process knows of its hand-overs, kept until it is written where monitoring looks it up."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.core.db import Database
from app.store import counters, workers


class Meter:
    """Counts in memory; nothing of a group's transaction waits for it."""

    def __init__(self) -> None:
        self._since: Counter[str] = Counter()
        self._open: list[Callable[[], int]] = []

    def group(self, seconds: float) -> None:
        """The transaction of a group that did something took so long."""
        self._since[counters.group_name(seconds * 1000)] += 1
        self._since[counters.GROUP_MICROSECONDS] += round(seconds * 1_000_000)

    def lost(self) -> None:
        """Another worker has taken over what this one held."""
        self._since[counters.LEASES_LOST] += 1

    @contextmanager
    def watching(self, in_hand: Callable[[], int]) -> Iterator[None]:
        """While a hand-over goes on, `in_hand` says how many mails it has begun and has no answer for."""
        self._open.append(in_hand)
        try:
            yield
        finally:
            self._open.remove(in_hand)

    @property
    def in_hand(self) -> int:
        """Mails that all hand-overs of this worker have begun and have no answer for."""
        return sum(count() for count in self._open)

    async def write_down(self, db: Database, owner: str) -> None:
        """Gives the sign of life of this worker. What cannot be written is kept for the next time."""
        since = Counter(self._since)
        async with db.write(brief=True) as session:
            await workers.sign(session, owner, self.in_hand)
            await counters.add(session, since)
        self._since -= since

    async def leave(self, db: Database, owner: str) -> None:
        """The last word of this worker."""
        async with db.write(brief=True) as session:
            await workers.leave(session, owner)
            await counters.add(session, self._since)
        self._since.clear()
