"""A stream of single mails under one lease, ahead of any edition: service mail, and letters to operators."""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Generic, Protocol, TypeVar

from app.core.beside import beside
from app.core.clock import Clock
from app.core.db import Database, Session
from app.core.mail.message import Message
from app.core.mail.receipt import Fault, Receipt, Rejected, Standstill
from app.core.mail.template import MailTemplate, Slot
from app.core.settings import Settings
from app.stages.send import policy
from app.stages.send.guard import may_receive
from app.stages.send.handover import Handover
from app.stages.send.journal import Journal, Notes
from app.stages.send.ledger import Settled
from app.stages.send.meter import Meter
from app.stages.send.throttle import Throttle
from app.stages.send.ways import Way
from app.store import leases, streams
from app.store.streams import Mails, Outcome

SLOT = "stream"

_chance = random.random


class Single(Protocol):
    """A mail that was just moved to `sending`."""

    @property
    def id(self) -> int: ...
    @property
    def attempt(self) -> int: ...
    @property
    def ref(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...


S = TypeVar("S", bound=Single)


@dataclass(frozen=True, slots=True)
class Rendered:
    """One kind of mail made for one row."""

    template: MailTemplate
    values: dict[Slot, str]


@dataclass(kw_only=True)
class Stream(ABC, Generic[S]):
    """One stream's rows, as `Handover` wants them. They are always sent again within their expiry, unknown or not."""

    job: ClassVar[str]
    """Whose lease it is."""
    mails: ClassVar[Mails]

    way: Way
    settings: Settings
    clock: Clock
    journal: Journal = field(default_factory=Journal)
    epoch: int = 0
    parted: bool = False
    """It has given its lease back, and only waits for answers."""
    _notes: Notes | None = None

    @abstractmethod
    async def choose(self, session: Session, most: int, now: datetime) -> Sequence[S]:
        """Moves up to `most` due mails to `sending`, the oldest first."""

    @abstractmethod
    def made(self, row: S) -> Rendered:
        """The row's mail. Beside the loop: the first letter of a kind takes as long as hundreds of those after it."""

    async def refusal(self, row: S) -> Rejected | None:  # noqa: ARG002  # for those who ask
        """Why `row` is not handed over at all."""
        return None

    def return_path(self, row: S) -> str:  # noqa: ARG002  # for those who have one for each mail
        return self.settings.publication.sender[1]

    async def answered(self, session: Session, settled: Sequence[Settled[S]], now: datetime) -> None:
        """What else an answer says, beside what became of its mail."""

    async def failed(self, session: Session, fault: Standstill, now: datetime) -> None:
        """The provider rests."""
        await self.way.failed(session, fault, now)

    # -- what a hand-over asks ---------------------------------------------------------------------------

    async def open(self, session: Session, owner: str) -> bool:
        """Takes the lease, and puts in order what its last owner left; False where there is nothing to begin."""
        now = self.clock.now()
        before = await leases.slot_owner(session, self.job, SLOT)
        epoch = await leases.take_slot(session, self.job, SLOT, owner, now)
        if epoch is None:
            return False
        self.epoch = epoch
        if not await self.way.enter(session, now):
            await self._give_back(session)
            return False
        until = policy.unknown_until(now, _chance())
        written = None
        if before and before[1] == epoch - 1:
            written = self.journal.left(before[0], f"{self.job}-{epoch - 1}")
        await streams.recover(session, self.mails, epoch, until, now, expire=self.clock.may_expire, written=written)
        return True

    async def turn(
        self,
        session: Session,
        settled: Sequence[Settled[S]],
        room: int | None,
        fault: Standstill | None = None,  # noqa: ARG002  # no edition
    ) -> Sequence[S] | None:
        ours = not self.parted and await leases.renew_slot(session, self.job, SLOT, self.epoch)
        if settled:
            await self._record(session, settled)
        if not ours:
            return None
        return await self.choose(session, room, self.clock.now()) if room else ()

    @property
    def waits(self) -> float:
        return 0.0

    def told(self, row: S) -> None:
        """Each is tried again by itself, whoever else is told to slow down."""

    def holds(self, row: S) -> bool:  # noqa: ARG002  # one lease for all of them: the fence says it
        return True

    async def address(self, row: S) -> Message | Receipt:
        if self._notes is None:
            self._notes = self.journal.begin(f"{self.job}-{self.epoch}")
        if self.way.provider.capabilities.real and not may_receive(self.settings, row.address):
            return Rejected("outside production only ALLOWED_RECIPIENTS are mailed", Fault.OURS, "guarded")
        if refusal := await self.refusal(row):
            return refusal
        made = await beside(self.made, row)
        sender = self.settings.publication.sender[1]
        return Message(
            key=row.id,
            attempt=row.attempt,
            recipient=row.address,
            message_id=f"<{row.ref}@{sender.rpartition('@')[2]}>",
            date=self.clock.now(),
            return_path=self.return_path(row),
            template=made.template,
            values=made.values,
        )

    def written(self, row: S) -> None:
        if self._notes:
            self._notes.written(row.id, row.attempt)

    def end(self) -> None:
        """Nothing is handed over any more."""
        if self._notes:
            self._notes.close()

    async def part(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        """The stream is one: whoever takes it over counts what is in the air as unknown until its answer comes."""
        await self._after(session, rest, fault)
        await self._give_back(session)
        self.parted = True

    async def close(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        now = self.clock.now()
        await streams.requeue_unwritten(session, self.mails, self.epoch, now)
        await self.way.leave(session, now)
        await self._after(session, rest, fault)
        if self._notes:
            self._notes.remove()
        await self._give_back(session)

    async def _record(self, session: Session, settled: Sequence[Settled[S]]) -> None:
        now, expire, several = self.clock.now(), self.clock.may_expire, bool(self.way.others)
        await self.way.heard(session, (receipt for _, receipt in settled))
        outcomes = []
        for row, receipt in settled:
            expires_at = row.expires_at if expire else None
            made = policy.decide(receipt, row.attempt, now, expires_at, _chance(), several=several)
            outcomes.append(
                Outcome(
                    row.id,
                    row.attempt,
                    made.status,
                    made.due_at,
                    made.provider_id or None,
                    code=made.code,
                    why=made.why,
                )
            )
        await streams.settle(session, self.mails, outcomes)
        await self.answered(session, settled, now)

    async def _after(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        """Makes known what ended the hand-over; what is due waits where no provider is free."""
        now = self.clock.now()
        if fault:
            await self.failed(session, fault, now)
        if until := await self.way.idle_until(session, fault, rest, now):
            await streams.postpone(session, self.mails, now, until)

    async def _give_back(self, session: Session) -> None:
        await leases.give_back_slot(session, self.job, SLOT, self.epoch)


async def hand_over(
    db: Database,
    stream: Stream[S],
    *,
    owner: str,
    stop: asyncio.Event,
    throttle: Throttle | None = None,
    on_tail: Callable[[], None] = lambda: None,
    meter: Meter | None = None,
) -> int:
    """Hands over what is due of a stream; gives how many messages there were."""
    async with db.read() as session:
        if not await streams.any_due(session, stream.mails, stream.clock.now(), expire=stream.clock.may_expire):
            return 0
    async with db.write(brief=True) as session:
        if not await stream.open(session, owner):
            return 0
    way = stream.way
    handover = Handover(
        db, stream, stop, throttle, meter, on_trial=way.on_trial, others=bool(way.others), on_tail=on_tail
    )
    try:
        await handover.run(way.provider)
    finally:
        stream.end()
    return handover.handed
