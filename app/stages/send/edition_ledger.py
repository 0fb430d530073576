"""Shards of an edition, handed over as one stream: each is leased, put in order, begun from, and given back.

A worker begins from one shard until nothing of it is due, and then leases the next one, while answers for the first
are still to come: so the last slow answers of a shard keep nobody waiting.
"""

import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from app.core.clock import Clock
from app.core.db import Session
from app.core.mail.message import Message
from app.core.mail.receipt import Fault, Halt, Receipt, Rejected, Standstill
from app.core.mail.template import MailTemplate
from app.core.settings import Settings
from app.models.states import MailForm
from app.stages.send import policy, standstill
from app.stages.send.answers import Answers
from app.stages.send.guard import may_receive
from app.stages.send.journal import Journal, Notes
from app.stages.send.ledger import Settled
from app.stages.send.left import Left
from app.stages.send.meter import Meter
from app.stages.send.personalise import Personaliser
from app.stages.send.shares import Shares
from app.stages.send.ways import Way
from app.store import deliveries, groups, handovers, leases
from app.store.deliveries import Waiting
from app.store.handovers import Begun, Portion, Wanted
from app.store.leases import ShardLease

TemplateFor = Callable[[int, int, MailForm], Awaitable[MailTemplate]]
"""The mail of an edition (by id) for a set of sections (as bits) in a form; rendering's work, handed in by the jobs."""

MOST_SHARDS = 16
"""Leases a worker holds of one edition; more would keep other workers from their share."""
KEPT_WAITING = 4
"""Shards that may be held although only groups are left in them that wait for tokens: work for a minute."""
AT_ONCE = 0.001
"""Seconds."""
AT_A_TIME, AT_A_TIME_TOGETHER = 2, 6
"""Shards put in order, or given back, in one transaction: each costs some statements over its thousand rows, while
SQLite's only writer is held. On PostgreSQL that keeps nobody waiting, and takes fewer round trips."""
A_FEW = 64
"""Rows that are asked of a shard which should have none left: it may owe something again."""
LOOK_EVERY = 1.0
"""Seconds until shards of workers that died, and other editions, are looked for again."""

log = structlog.get_logger(__name__)
_chance = random.random


def _name(lease: ShardLease, epoch: int) -> str:
    return f"{lease.edition_id}-{lease.shard}-{epoch}"


@dataclass
class EditionLedger:
    """The deliveries of an edition's leased shards, as `Handover` wants them."""

    edition_id: int
    owner: str
    present: int
    """The choosable sections that have anything today, as bits."""
    template_for: TemplateFor
    personaliser: Personaliser
    way: Way
    settings: Settings
    clock: Clock
    shares: Shares
    most_shards: int = MOST_SHARDS
    together: bool = False
    """Statements of a transaction go to the database in few messages, as those to PostgreSQL do: then several shards
    are asked in one."""
    meter: Meter = field(default_factory=Meter)
    journal: Journal = field(default_factory=Journal)
    held: dict[int, ShardLease] = field(default_factory=dict)
    """The leases that are ours, as of the last fence, by the shard's number."""
    _left: dict[int, Left] = field(default_factory=dict)
    """What may be due in each; one that is dry is given back when its last answer is written down."""
    _free: Mapping[str, datetime] = field(default_factory=dict)
    """From when on each provider may be used, as of the last look."""
    _any_left: bool = False
    """A worker died with shards of this edition in hand, as of the last look."""
    _going: bool = True
    """As of the last fence: nobody has paused or cancelled the edition."""
    _asked_elsewhere: bool = False
    """Another edition is due, and here all that is left waits for tokens."""
    _looked_elsewhere: float = math.inf
    _more: bool = False
    """A shard was opened in the last group, and there may be more to open."""
    _others: set[int] = field(default_factory=set)
    """Shards of which all that is due is other providers'."""
    _notes: dict[int, Notes] = field(default_factory=dict)
    """Of what was written under each lease that anything was begun under, by the shard's number."""

    def __post_init__(self) -> None:
        self._answers = Answers(self.edition_id, self.way, self.settings, self.clock, self.shares)

    @property
    def _resend(self) -> bool:
        return self.settings.on_unknown == "resend"

    async def open(self, session: Session, *taken: ShardLease) -> list[int]:
        """Puts in order what earlier owners, a pause or the night left behind in shards that were just leased; gives
        the numbers of those that are ours still.
        """
        now = self.clock.now()
        lost = await deliveries.put_in_order(
            session,
            taken,
            now,
            present=self.present,
            unknown_until=lambda: policy.unknown_until(now, _chance()),
            resend=self._resend,
            expire=self.clock.may_expire,
            written={lease.shard: known for lease in taken if (known := self._left_in_the_air(lease)) is not None},
        )
        for lease in taken:
            if lease.shard not in lost:
                continue
            self._forget(lease.shard)
            self.held[lease.shard], self._left[lease.shard] = lease, Left()
            if count := lost[lease.shard]:
                log.warning("hand-overs without an answer", edition=self.edition_id, shard=lease.shard, count=count)
        return list(lost)

    def _left_in_the_air(self, lease: ShardLease) -> Collection[tuple[int, int]] | None:
        """What the last owner of a shard may have handed over; None where nobody knows."""
        return self.journal.left(lease.left_by, _name(lease, lease.epoch - 1)) if lease.left_by else None

    async def look(self, session: Session) -> None:
        """What need not be known to the moment: whom providers want less mail for, and whether workers have died."""
        await self.shares.look(session, self.edition_id)
        self._free = await self.way.free(session, self.clock.now())
        self._any_left = await leases.is_any_left(session, self.edition_id)

    async def turn(
        self, session: Session, settled: Sequence[Settled[Begun]], room: int | None, fault: Standstill | None = None
    ) -> Sequence[Begun] | None:
        if isinstance(fault, Halt):
            await standstill.lock(session, self.edition_id)
        answered, wanted = self._answers.outcomes(settled), self._plan(list(self._left), room or 0)
        idle = sorted(self._spare()) if self.together and room is not None else []
        held, now = list(self.held.values()), self.clock.now()
        moved = await groups.move(session, self.edition_id, held, answered, wanted, now, idle)
        self._going = moved.sending
        lost = self.held.keys() - moved.ours
        for number in lost:
            log.warning("another worker owns this shard now", edition=self.edition_id, shard=number)
            self.meter.lost()
            del self.held[number], self._left[number]
        await self._answers.finish(session, settled, moved.unwritten, self.held)
        if not (self.held or (self._looks_on and not lost)):
            return None
        return () if room is None else await self._begin(session, room, wanted, moved)

    @property
    def _looks_on(self) -> bool:
        """That all shards at hand were other providers' says nothing of the next."""
        return self._more and bool(self.way.others)

    def holds(self, row: Begun) -> bool:
        return self._going and row.shard in self.held and not self.shares.is_barred(row.group)

    @property
    def waits(self) -> float:
        if self._looks_on:
            return AT_ONCE
        if not any(self._may_go_on(left.waiting) for left in self._left.values()):
            return 0.0
        return AT_ONCE if self._more else self.shares.wait

    def _may_go_on(self, groups: Collection[str]) -> bool:
        return any(not self.shares.is_barred(group) for group in groups)

    def told(self, row: Begun) -> None:
        self.shares.told(row.group)

    def _plan(self, shards: Collection[int], room: int) -> list[Wanted]:
        """What to begin of shards in one message: of as many as fill the room by what they should have left.

        Of one alone where statements are single, or tokens limit it, which must not be promised twice.
        """
        plan: list[Wanted] = []
        for number in shards:
            left = self._left[number]
            if left.dry or room <= 0:
                continue
            wanted = self._wanted(number, min(room, max(left.about, A_FEW)) if self.together else room)
            if wanted is None:
                continue
            plan.append(wanted)
            room -= wanted.most
            if wanted.portion or not self.together:
                break
        return plan

    async def _begin(
        self, session: Session, most: int, wanted: Sequence[Wanted], moved: groups.Moved
    ) -> Sequence[Begun]:
        """Adds what was begun with the fence; begins from other shards at hand, and new ones, while there is room."""
        self._more = False
        begun: list[Begun] = []
        for one, rows in zip(wanted, moved.begun, strict=True):
            if one.lease.shard in self._left:
                self._learn(one, rows, begun)
        asked = {one.lease.shard for one in wanted}
        await self._take_over(session)
        await self._begin_from(session, [number for number in self._left if number not in asked], most, begun)
        at_a_time = AT_A_TIME_TOGETHER if self.together else AT_A_TIME
        if len(begun) < most and (free := min(at_a_time, self.most_shards - len(self.held))) > 0:
            taken = await leases.take_shards(
                session, self.owner, self.clock.now(), most=free, edition_id=self.edition_id, but=self._others
            )
            self._more = bool(taken)
            await self._begin_from(session, await self.open(session, *taken), most, begun)
        await self._look_elsewhere(session)
        if not self._more:  # one or the other: each is a dozen statements, while the only writer may be held
            spare = self._spare().difference(row.shard for row in begun)
            await self._give_back_idle(session, spare & moved.at_rest if self.together else spare, at_a_time)
        self.shares.wanted = {group for left in self._left.values() for group, some in left.groups.items() if some}
        return begun

    async def _take_over(self, session: Session) -> None:
        """A shard whose worker died is taken soon, however much there is to do: till then nobody knows what it lost."""
        if not self._any_left or len(self.held) >= self.most_shards:
            return
        self._any_left, now = False, self.clock.now()
        lease = await leases.take_shard(session, self.owner, now, edition_id=self.edition_id, left=True)
        if lease is not None:
            await self.open(session, lease)

    async def _look_elsewhere(self, session: Session) -> None:
        """A stream that only waits for tokens keeps no other edition waiting."""
        if not self.waits or not all(left.waiting or left.dry for left in self._left.values()):
            self._asked_elsewhere, self._looked_elsewhere = False, math.inf
        elif math.isinf(self._looked_elsewhere):  # its own first tokens are still to come
            self._looked_elsewhere = time.monotonic()
        elif time.monotonic() - self._looked_elsewhere >= LOOK_EVERY:
            self._looked_elsewhere = time.monotonic()
            self._asked_elsewhere = await leases.is_due_elsewhere(session, self.edition_id, self.clock.now())

    def _spare(self) -> set[int]:
        """Shards that nothing can be begun from now; some that wait for tokens are kept, lest the tokens wait."""
        waiting = [number for number, left in self._left.items() if left.waiting]
        kept = [number for number in waiting if self._may_go_on(self._left[number].waiting)]
        del kept[0 if self._asked_elsewhere else min(KEPT_WAITING, self.most_shards // 2) :]
        return {*(number for number, left in self._left.items() if left.dry), *waiting}.difference(kept)

    async def _begin_from(self, session: Session, shards: Collection[int], most: int, begun: list[Begun]) -> None:
        """Adds what is due of these shards, until there are `most`."""
        asked = set[int]()
        while len(begun) < most:
            plan = self._plan([number for number in shards if number not in asked], most - len(begun))
            if not plan:
                return
            asked.update(one.lease.shard for one in plan)
            for one, rows in zip(plan, await handovers.begin_each(session, plan, self.clock.now()), strict=True):
                self._learn(one, rows, begun)

    def _wanted(self, shard: int, room: int) -> Wanted | None:
        portion = self._left[shard].portion(self.shares, room) if room > 0 else None
        if portion is None:
            return None
        return Wanted(
            self.held[shard],
            self.way.name,
            room,
            others=self.way.others,
            portion=portion if portion.apart else None,
        )

    def _learn(self, wanted: Wanted, rows: Sequence[Begun], begun: list[Begun]) -> None:
        """Adds `rows` to what was begun; a shard that gave less than it was asked for has no more."""
        begun += rows
        portion = wanted.portion or Portion(others=True, apart=(), each={})
        by_group = Counter(row.group for row in rows) if wanted.portion else {"": len(rows)}
        left = self._left[wanted.lease.shard]
        left.learn(portion, wanted.most, by_group)
        for group in portion.each:
            self.shares.spend(group, by_group[group])

    async def _give_back_idle(self, session: Session, shards: Collection[int], at_a_time: int) -> None:
        done = sorted(shards)
        if done and not self.together:
            done = await deliveries.at_rest(session, self.edition_id, done)
        if done := done[:at_a_time]:
            await self._give_back(session, done, self._free, aside=True)

    async def _give_back(
        self, session: Session, shards: Sequence[int], free: Mapping[str, datetime], *, aside: bool = False
    ) -> None:
        """Nothing of them is in the air but rows that were never given to a provider; those are owed again.

        `free`: from when on each provider may be used. `aside`: we go on with others.
        """
        now = self.clock.now()
        late_from = None if self.clock.may_expire else now
        waiting = await deliveries.clear(
            session, self.edition_id, shards, now, resend=self._resend, late_from=late_from
        )
        dues = [self._due(number, waits, free, now, aside=aside) for number, waits in zip(shards, waiting, strict=True)]
        for number in shards:
            self._forget(number)
        await leases.give_back_shards(
            session, [(self.held.pop(number), due) for number, due in zip(shards, dues, strict=True)]
        )

    def _due(
        self, shard: int, waiting: Sequence[Waiting], free: Mapping[str, datetime], now: datetime, *, aside: bool
    ) -> datetime | None:
        """When a shard that is given back is owed something next."""
        soonest = min(free.values(), default=now)
        left = self._left.pop(shard)
        others_first = left.waiting if aside else set[str]()
        dues = [
            max(one.due_at, free.get(one.pinned_to or "", soonest), self._turn_of(one.group, others_first, now))
            for one in waiting
        ]
        ripe = [one.pinned_to in self.way.others for one, due in zip(waiting, dues, strict=True) if due <= now]
        if ripe and all(ripe):
            self._others.add(shard)
        return min(dues, default=None)

    def _turn_of(self, group: str, others_first: Collection[str], now: datetime) -> datetime:
        """When a group of a shard may go on: when it is not barred any more, or other shards had its tokens."""
        until = self.shares.until(group, now)
        return until or (now + self.shares.turn(group, _chance()) if group in others_first else now)

    async def address(self, row: Begun) -> Message | Receipt:
        if row.shard not in self._notes and (lease := self.held.get(row.shard)):
            self._notes[row.shard] = self.journal.begin(_name(lease, lease.epoch))
        if self.way.provider.capabilities.real and not may_receive(self.settings, row.address):
            return Rejected("outside production only ALLOWED_RECIPIENTS are mailed", Fault.OURS, "guarded")
        template = await self.template_for(self.edition_id, row.sections & self.present, row.form)
        return self.personaliser.message(row, template, self.clock.now())

    def written(self, row: Begun) -> None:
        if notes := self._notes.get(row.shard):
            notes.written(row.subscriber_id, row.attempt)

    def end(self) -> None:
        """Nothing is handed over any more."""
        for notes in self._notes.values():
            notes.close()

    def _forget(self, shard: int) -> None:
        if notes := self._notes.pop(shard, None):
            notes.remove()

    async def part(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        """Shards that await answers stay its own, unless another provider may carry on; all others are free."""
        free = await self._after(session, rest, fault)
        done = await deliveries.at_rest(session, self.edition_id, sorted(self.held))
        await self._give_back(session, done, free)
        if fault and self.way.others:
            # Whoever opens them counts what is in the air as unknown, and so as this provider's, until it answers.
            for number in sorted(self.held):
                del self._left[number]
                await leases.give_back_shard(session, self.held.pop(number), self.clock.now())

    async def close(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        await self.way.leave(session, self.clock.now())
        await self._give_back(session, sorted(self.held), await self._after(session, rest, fault))

    async def _after(
        self, session: Session, rest: timedelta | None, fault: Standstill | None
    ) -> Mapping[str, datetime]:
        """Makes known what ended the hand-over; from when on each provider may be used."""
        now, going = self.clock.now(), self._going
        if fault:
            on = await standstill.declare(session, self.way, fault, self.settings, now, self.edition_id)
            going = on if isinstance(fault, Halt) else going
        # Once it is resumed nobody waits for a provider: an operator says that it is mended.
        return await self.way.free(session, now, rest) if going else {}
