"""What a hand-over may begin for each group of recipients' domains: tokens in its hand, and who is left alone."""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from app.core.db import Session
from app.core.mail.bars import BACK_AFTER, START_WITHOUT_RATE, pace
from app.core.mail.mailboxes import OTHER
from app.core.mail.tokens import MOST_OWED, SECOND, Grant, Level, Limits, day_of, give_back, take
from app.store import buckets
from app.store import shares as rows

Instant = Callable[[Any], Awaitable[int]]
"""Gives microseconds since 1970; takes a session."""

LOOK_EVERY = 1.0
"""Seconds between two looks at what other workers were told, and at which groups an edition is owed to."""
ASK_EVERY = 0.05
"""Seconds between two questions for one group's tokens, where the first took all there were."""
LONGEST_REST = timedelta(minutes=10)


class Asked(NamedTuple):
    """What a worker wants of a group's tokens, and how many it has left over."""

    rate: float | None
    """Messages a second; None where only a bar that is over slows the group down."""
    most: int
    unused: int

    def take(self, level: Level, barred_until: int, now: int, today: date) -> tuple[Level, Grant]:
        """Gives back what is left over and takes what there is; after a bar step by step."""
        limits = Limits(rate=pace(self.rate, now - barred_until))
        level = give_back(level, limits, self.unused)
        if self.most <= 0:
            return level, Grant(0)
        return take(level, limits, self.most, now, today, service=False, furthest=MOST_OWED)


class Shares:
    """The groups of one hand-over of one edition. `rates` are those with a limit, in messages a second.

    Limited are these, and whoever is barred or was lately: after a bar each has a pace of its own, which the database
    knows. Tokens are taken in the throttle's transaction, for groups that the hand-over has use for, and spent in the
    one that begins a group of messages. What is not limited costs nothing here.
    """

    def __init__(
        self,
        provider: str,
        rates: Mapping[str, float] | None = None,
        instant: Instant | None = None,
    ) -> None:
        """`instant` is the time of buckets, where that is not the database's."""
        self._provider = provider
        self._rates = rates or {}
        self._instant = instant or buckets.instant
        self._owed: dict[str, int] = {}
        self._tokens: dict[str, int] = {}
        self._ask_at: dict[str, float] = {}
        self._barred: dict[str, float] = {}
        self.wanted: Collection[str] = ()
        """Groups of which something may be left in the shards at hand."""

    # -- what the ledger asks ----------------------------------------------------------------------------

    async def look(self, session: Session, edition_id: int) -> None:
        """Now and then: who is slowed down by the word of a mailbox provider, and which limited groups matter here."""
        ever = await rows.ever_barred(session, self._provider)
        now = await self._instant(session) if ever else 0
        at = time.monotonic()
        told = {group: until for group, until in self._barred.items() if until == float("inf")}
        found = rows.not_back(ever, now)
        self._barred = {group: at + (until - now) / SECOND for group, until in found.items()} | told
        limited = self._rates.keys() | found.keys()
        self._owed = await rows.owed(session, edition_id, limited) if limited else {}

    @property
    def apart(self) -> set[str]:
        """The groups that are not simply begun with the others."""
        return {*self._owed, *self._barred_now()}

    def room(self, group: str, most: int) -> int:
        """How many of a group may be begun now, where there is room for `most`."""
        if self.is_barred(group):
            return 0
        return min(most, self._tokens.get(group, 0)) if group in self._owed else most

    def spend(self, group: str, count: int) -> None:
        if group in self._owed:
            self._tokens[group] = self._tokens.get(group, 0) - count

    def is_barred(self, group: str) -> bool:
        until = self._barred.get(group)
        return until is not None and time.monotonic() < until

    def until(self, group: str, now: datetime) -> datetime | None:
        """When a barred group may go on."""
        left = self._barred.get(group, 0.0) - time.monotonic()
        return now + timedelta(seconds=min(left, 86_400)) if left > 0 else None

    def turn(self, group: str, chance: float) -> timedelta:
        """In how long a shard that is put aside is worth another look: some time before all others have had theirs."""
        if group not in self._owed:
            return timedelta(0)
        if group in self._rates:
            whole = min(self._owed[group] / self._rates[group], 86_400)
        else:
            whole = min(self._owed[group] / START_WITHOUT_RATE, BACK_AFTER / SECOND)
        return min(timedelta(seconds=whole / 2 * chance), LONGEST_REST)

    def told(self, group: str) -> None:
        """A mailbox provider slows us down: nothing more of it is begun, at once. `bar` follows with its outcome."""
        if group != OTHER:  # of many who have nothing to do with each other one has spoken
            self._barred[group] = float("inf")

    async def bar(self, session: Session, group: str, after: timedelta | None, zone: ZoneInfo) -> None:
        """Makes it known to all workers."""
        if group == OTHER:
            return
        now = await self._instant(session)
        made = await rows.bar_group(session, self._provider, group, after, now=now, today=day_of(now, zone))
        self._barred[group] = time.monotonic() + (made.until - now) / SECOND

    # -- what service mail says --------------------------------------------------------------------------

    @property
    def any_rates(self) -> bool:
        return bool(self._rates)

    async def count_in(self, session: Session, sent: Mapping[str, int], zone: ZoneInfo) -> None:
        """So many have gone to each group without waiting for its tokens: papers have so many less."""
        limited = {group: count for group, count in sent.items() if group in self._rates}
        if limited:
            now = await self._instant(session)
            today = day_of(now, zone)
            await rows.count_in(session, self._provider, self._rates, limited, now=now, today=today)

    def _barred_now(self) -> set[str]:
        now = time.monotonic()
        return {group for group, until in self._barred.items() if now < until}

    # -- what the throttle asks --------------------------------------------------------------------------

    def asks(self, most: int) -> dict[str, Asked]:
        """What to ask of the buckets now, and what to give back; nothing where no limited group is at hand."""
        now, asked = time.monotonic(), {}
        for group in self._owed.keys() | self._tokens.keys():
            have = self._tokens.get(group, 0)
            if group in self.wanted and group in self._owed and not self.is_barred(group):
                if have < most and self._ask_at.get(group, 0.0) <= now:
                    asked[group] = Asked(self._rates.get(group), most - have, 0)
            elif have > 0:
                asked[group] = Asked(self._rates.get(group), 0, have)
        return asked

    def took(self, asked: Mapping[str, Asked], grants: Mapping[str, Grant]) -> None:
        """What came of a question, once it is committed."""
        for group, grant in grants.items():
            self._tokens[group] = self._tokens.get(group, 0) - asked[group].unused + grant.count
            if grant.count < asked[group].most:  # else there are more
                self._ask_at[group] = time.monotonic() + max(grant.wait, ASK_EVERY)

    @property
    def wait(self) -> float:
        """Seconds until it is worth asking again for tokens of a group that is wanted."""
        soonest = min((self._ask_at.get(group, 0.0) for group in self.wanted if not self.is_barred(group)), default=0.0)
        return min(max(soonest - time.monotonic(), ASK_EVERY / 2), LOOK_EVERY)
