"""How many messages may be begun now: the tokens of a provider, as a hand-over sees them."""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from app.core.db import Database
from app.core.mail.tokens import Grant, Level, Limits, day_of, give_back, take
from app.stages.send.shares import Asked, Instant, Shares
from app.store import buckets

Take = Callable[[Level, int, int, date], tuple[Level, Grant]]
"""Makes of a bucket's level, the end of its bar, the instant and the day its next level, and what is granted."""

TRIALS, AGAIN = 8, 0.05
"""How often a bucket is tried for that other workers changed meanwhile, and the seconds between at most."""
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
    """The tokens of one provider for one hand-over. Reserves in transactions of its own, on the database's clock."""

    def __init__(
        self,
        db: Database,
        provider: str,
        limits: Limits,
        zone: ZoneInfo,
        *,
        service: bool,
        instant: Instant | None = None,
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
        unused = self._unused
        takes: dict[str, Take] = {group: one.take for group, one in asked.items()}
        if self._limits:
            takes[buckets.WHOLE] = lambda level, _, now, today: self._take(level, most, unused, now, today)
        grants = await reserve(self._db, self._provider, takes, self._zone, self._instant)
        if buckets.WHOLE in grants:
            self._unused -= unused
        self.shares.took(asked, {group: grant for group, grant in grants.items() if group != buckets.WHOLE})
        return grants.get(buckets.WHOLE, Grant(0, wait=AGAIN)) if self._limits else Grant(most)

    def _take(self, level: Level, most: int, unused: int, now: int, today: date) -> tuple[Level, Grant]:
        level = give_back(level, self._limits, unused)
        if most <= 0:
            return level, Grant(0)
        return take(level, self._limits, most, now, today, service=self._service)


async def reserve(
    db: Database, provider: str, takes: Mapping[str, Take], zone: ZoneInfo, instant: Instant | None = None
) -> dict[str, Grant]:
    """What is granted of each bucket that could be changed before other workers changed it; all others stay as they
    are, and are asked again soon.
    """
    left, grants = dict(takes), dict[str, Grant]()
    for trial in range(TRIALS if takes else 0):
        if trial:
            await asyncio.sleep(random.random() * AGAIN)  # noqa: S311  # workers that met shall not meet again
        now, held = await buckets.look(db, provider, left)
        now = now if instant is None else await instant(None)
        today = day_of(now, zone)
        made = {
            group: take_(held[group].level or Level(now, today, 0), held[group].barred_until, now, today)
            for group, take_ in left.items()
        }
        done = await buckets.exchange(db, provider, {group: (held[group], level) for group, (level, _) in made.items()})
        grants |= {group: made[group][1] for group in done}
        left = {group: take_ for group, take_ in left.items() if group not in done}
        if not left:
            break
    return grants
