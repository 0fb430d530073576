"""How many messages may be begun now: the tokens of a provider, as a hand-over sees them."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from app.core.db import Database, Session
from app.core.mail.tokens import Grant, Limits, day_of
from app.stages.send.shares import Shares
from app.store import buckets, shares
from app.store.shares import Asked

LOOK_AGAIN = timedelta(minutes=10)
"""After a day's allowance is used up: rows that come to their end meanwhile are found by then."""


class Throttle(Protocol):
    """What `Handover` asks before each group."""

    rest: timedelta | None
    """How long nothing should be tried, where the last answer was that nothing more leaves today."""
    wait: float
    """Seconds until it is worth asking again."""
    shares: Shares
    """What of each domain group may be begun; the ledger spends it. Service mail waits for none, and is counted in."""

    async def grant(self, most: int) -> int:
        """How many may be begun now; 0 means none yet. Does not wait for them. Raises StorageError."""

    def refund(self, count: int) -> None:
        """So many of what was granted were not handed over."""

    async def close(self) -> None:
        """Gives back what is left over. Raises StorageError."""


class ProviderThrottle:
    """The tokens of one provider for one hand-over. Reserves in a transaction of its own, on the database's clock."""

    def __init__(
        self,
        db: Database,
        provider: str,
        limits: Limits,
        zone: ZoneInfo,
        *,
        service: bool,
        instant: Callable[[Session], Awaitable[int]] = buckets.instant,
    ) -> None:
        self._db = db
        self._provider = provider
        self._limits = limits
        self._zone = zone
        self._service = service
        self._instant = instant
        self._unused = 0
        self.shares = Shares(provider, limits.groups, instant)
        self.rest: timedelta | None = None
        self.wait = 0.0

    async def grant(self, most: int) -> int:
        asked = self.shares.asks(most)
        given = await self._reserve(most, asked) if self._limits or asked else Grant(most)
        self.wait = given.wait
        self.rest = LOOK_AGAIN if given.day_over else None
        return given.count

    def refund(self, count: int) -> None:
        if self._limits:
            self._unused += count

    async def close(self) -> None:
        self.shares.wanted = ()
        asked = self.shares.asks(0)
        if self._unused or asked:
            await self._reserve(0, asked)

    async def _reserve(self, most: int, asked: Mapping[str, Asked]) -> Grant:
        unused, given, grants = self._unused, Grant(most), dict[str, Grant]()
        async with self._db.write(brief=True) as session:
            now = await self._instant(session)
            today = day_of(now, self._zone)
            if self._limits:
                given = await buckets.reserve(
                    session,
                    self._provider,
                    self._limits,
                    most=most,
                    unused=unused,
                    now=now,
                    today=today,
                    service=self._service,
                )
            if asked:
                grants = await shares.reserve(session, self._provider, asked, now=now, today=today)
        self._unused -= unused
        self.shares.took(asked, grants)
        return given
