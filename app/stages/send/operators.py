"""Letters to operators: owed rows, a stream of their own under one lease, ahead of any edition."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.core.clock import Clock
from app.core.db import Database, Session
from app.core.mail.message import Message
from app.core.mail.receipt import Fault, Receipt, Rejected, Standstill
from app.core.mail.template import MailTemplate
from app.core.settings import Settings
from app.models import OperatorMail
from app.stages.send import policy
from app.stages.send.guard import may_receive
from app.stages.send.handover import Handover
from app.stages.send.ledger import Settled
from app.stages.send.meter import Meter
from app.stages.send.throttle import Throttle
from app.stages.send.ways import Way
from app.store import leases, operator_mail, settling
from app.store.operator_mail import Begun

JOB, SLOT = "operator mail", "stream"

log = structlog.get_logger(__name__)
_chance = random.SystemRandom().random

Render = Callable[[Begun], MailTemplate]


@dataclass
class OperatorPost:
    """The stream, as `Handover` wants it. A letter may come twice after a crash, with one Message-ID; never not."""

    epoch: int
    render: Render
    way: Way
    settings: Settings
    clock: Clock
    parted: bool = False
    """It has given its lease back, and only waits for answers."""

    async def fence(self, session: Session) -> bool:
        return not self.parted and await leases.renew_slot(session, JOB, SLOT, self.epoch)

    @property
    def waits(self) -> float:
        return 0.0

    def told(self, row: Begun) -> None:
        """Service mail is tried again by itself, whoever else is told to slow down."""

    def holds(self, row: Begun) -> bool:  # noqa: ARG002  # one lease for all of them: the fence says it
        return True

    async def begin(self, session: Session, most: int) -> Sequence[Begun]:
        if not most:
            return ()
        return await operator_mail.begin(
            session, provider=self.way.name, epoch=self.epoch, most=most, now=self.clock.now()
        )

    async def address(self, row: Begun) -> Message | Receipt:
        if self.way.provider.capabilities.real and not may_receive(self.settings, row.address):
            return Rejected("outside production only ALLOWED_RECIPIENTS are mailed", Fault.OURS, "guarded")
        sender = self.settings.publication.sender[1]
        return Message(
            key=row.id,
            attempt=row.attempt,
            recipient=row.address,
            message_id=f"<{row.ref}@{sender.rpartition('@')[2]}>",
            date=self.clock.now(),
            return_path=sender,
            template=self.render(row),
            values={},
        )

    async def record(self, session: Session, settled: Sequence[Settled[Begun]]) -> None:
        now, several = self.clock.now(), bool(self.way.others)
        await self.way.heard(session, (receipt for _, receipt in settled))
        for row, receipt in settled:
            made = policy.decide(receipt, row.attempt, now, row.expires_at, _chance(), several=several)
            await settling.settle(
                session,
                OperatorMail,
                row.id,
                row.attempt,
                status=made.status,
                due_at=made.due_at,
                provider_id=made.provider_id or None,
                code=made.code,
                why=made.why,
            )

    async def part(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        """The stream is one: whoever takes it over counts what is in the air as unknown until its answer comes."""
        await self._after(session, rest, fault)
        await leases.give_back_slot(session, JOB, SLOT, self.epoch)
        self.parted = True

    async def close(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        await operator_mail.requeue_unwritten(session, self.epoch, self.clock.now())
        await self.way.leave(session, self.clock.now())
        await self._after(session, rest, fault)
        await leases.give_back_slot(session, JOB, SLOT, self.epoch)

    async def _after(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        """Makes known what ended the hand-over; what is due waits where no provider is free."""
        now = self.clock.now()
        if fault:
            await self.way.failed(session, fault, now)
        if until := await self.way.idle_until(session, fault, rest, now):
            await operator_mail.postpone(session, now, until)


async def send_owed(
    db: Database,
    way: Way,
    *,
    settings: Settings,
    clock: Clock,
    render: Render,
    owner: str,
    stop: asyncio.Event,
    throttle: Throttle | None = None,
    on_tail: Callable[[], None] = lambda: None,
    meter: Meter | None = None,
) -> int:
    """Hands over the letters that are due; gives how many there were."""
    async with db.read() as session:
        if not await operator_mail.any_due(session, clock.now()):
            return 0
    async with db.write() as session:
        now = clock.now()
        epoch = await leases.take_slot(session, JOB, SLOT, owner, now)
        if epoch is None:
            return 0
        if not await way.enter(session, now):
            await leases.give_back_slot(session, JOB, SLOT, epoch)
            return 0
        await operator_mail.recover(session, epoch, policy.unknown_until(now, _chance()), now)
    ledger = OperatorPost(epoch, render, way, settings, clock)
    handover = Handover(
        db, ledger, stop, throttle, meter, on_trial=way.on_trial, others=bool(way.others), on_tail=on_tail
    )
    await handover.run(way.provider)
    return handover.handed
