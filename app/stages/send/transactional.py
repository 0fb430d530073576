"""Service mail: owed rows, one stream under one lease, ahead of any edition."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.core.clock import Clock
from app.core.db import Database, Session
from app.core.mail.mailboxes import OTHER, group_of
from app.core.mail.message import Message
from app.core.mail.receipt import Accepted, Fault, Receipt, Rejected, Standstill
from app.core.mail.return_path import ReturnPaths
from app.core.mail.template import MailTemplate, Slot
from app.core.settings import Settings
from app.core.signing import Signer
from app.models import TransactionalEmail
from app.stages.send import policy, standstill
from app.stages.send.exchangers import Exchangers
from app.stages.send.guard import may_receive
from app.stages.send.handover import Handover
from app.stages.send.ledger import Settled
from app.stages.send.meter import Meter
from app.stages.send.shares import Shares
from app.stages.send.throttle import Throttle
from app.stages.send.ways import Way
from app.store import leases, mail_domains, settling, transactional
from app.store.transactional import Begun

JOB, SLOT = "transactional", "stream"

log = structlog.get_logger(__name__)
_chance = random.SystemRandom().random


@dataclass(frozen=True, slots=True)
class Rendered:
    """One kind of service mail made for one row."""

    template: MailTemplate
    values: dict[Slot, str]


Render = Callable[[Begun], Rendered]
"""Makes the mail of a row; rendering's work, handed in by the jobs."""


@dataclass(frozen=True, slots=True)
class DomainCheck:
    """Before mail of these kinds is handed over, DNS is asked whether the domain takes any."""

    exchangers: Exchangers
    kinds: Collection[str]

    async def refusal(self, row: Begun, group: Sequence[Begun]) -> Rejected | None:
        """Why nothing is handed over. Asks for the row's whole group at once, so that it waits together."""
        if row.kind not in self.kinds:
            return None
        await self.exchangers.prepare(one.address for one in group if one.kind in self.kinds)
        return await self.exchangers.refusal(row.address)

    def keepers(self, rows: Iterable[Begun]) -> dict[str, str]:
        """Of the domains that were asked about and whose mail a large mailbox provider keeps: its group."""
        domains = {mail_domains.domain_of(row.address.casefold()) for row in rows if row.kind in self.kinds}
        found = {one: self.exchangers.keeper(one) for one in domains if group_of(one) == OTHER}
        return {domain: group for domain, group in found.items() if group != OTHER}


@dataclass
class PostLedger:
    """The stream of service mail, as `Handover` wants it."""

    epoch: int
    render: Render
    way: Way
    settings: Settings
    signer: Signer
    clock: Clock
    check: DomainCheck | None = None
    shares: Shares | None = None
    group: Sequence[Begun] = ()
    """The rows that were begun last."""
    parted: bool = False
    """It has given its lease back, and only waits for answers."""

    async def open(self, session: Session) -> None:
        """Puts in order what an earlier owner left behind. Service mail is always sent again within its expiry."""
        now = self.clock.now()
        await transactional.abandon(session, self.epoch, policy.unknown_until(now, _chance()))
        await transactional.ripen(session, now)

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
        self.group = await transactional.begin(
            session, provider=self.way.name, epoch=self.epoch, most=most, now=self.clock.now()
        )
        return self.group

    async def address(self, row: Begun) -> Message | Receipt:
        if self.way.provider.capabilities.real and not may_receive(self.settings, row.address):
            return Rejected("outside production only ALLOWED_RECIPIENTS are mailed", Fault.OURS, "guarded")
        if self.check and (refusal := await self.check.refusal(row, self.group)):
            return refusal
        made = self.render(row)
        sender = self.settings.publication.sender[1]
        return Message(
            key=row.id,
            attempt=row.attempt,
            recipient=row.address,
            message_id=f"<{row.ref}@{sender.rpartition('@')[2]}>",
            date=self.clock.now(),
            return_path=ReturnPaths(self.signer, self.settings.return_path_domain, sender).of_service_mail(row.ref),
            template=made.template,
            values=made.values,
        )

    async def record(self, session: Session, settled: Sequence[Settled[Begun]]) -> None:
        now, several = self.clock.now(), bool(self.way.others)
        await self.way.heard(session, (receipt for _, receipt in settled))
        for row, receipt in settled:
            made = policy.decide(receipt, row.attempt, now, row.expires_at, _chance(), several=several)
            await settling.settle(
                session,
                TransactionalEmail,
                row.id,
                row.attempt,
                status=made.status,
                due_at=made.due_at,
                provider_id=made.provider_id or None,
                code=made.code,
                why=made.why,
            )
        accepted = [row for row, receipt in settled if isinstance(receipt, Accepted)]
        if self.check and (keepers := self.check.keepers(accepted)):  # whoever confirms it counts there at once
            await mail_domains.keep(session, keepers, now)
        await self._count_in(session, accepted)

    async def _count_in(self, session: Session, accepted: Sequence[Begun]) -> None:
        """Last, as rows that all workers share: what a mailbox provider got of it, papers leave."""
        if self.shares is None or not self.shares.any_rates or not accepted:
            return
        keys = [row.address.casefold() for row in accepted]
        groups = await mail_domains.groups(session, keys)
        await self.shares.count_in(session, Counter(groups[key] for key in keys), self.settings.zone)

    async def part(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        """The stream is one: whoever takes it over counts what is in the air as unknown until its answer comes."""
        await self._after(session, rest, fault)
        await leases.give_back_slot(session, JOB, SLOT, self.epoch)
        self.parted = True

    async def close(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        await transactional.requeue_unwritten(session, self.epoch, self.clock.now())
        await self.way.leave(session, self.clock.now())
        await self._after(session, rest, fault)
        await leases.give_back_slot(session, JOB, SLOT, self.epoch)

    async def _after(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        """Makes known what ended the hand-over; what is due waits where no provider is free."""
        now = self.clock.now()
        if fault:
            await standstill.declare(session, self.way, fault, self.settings, now)
        if until := await self.way.idle_until(session, fault, rest, now):
            await transactional.postpone(session, now, until)


async def send_owed(
    db: Database,
    way: Way,
    *,
    settings: Settings,
    signer: Signer,
    clock: Clock,
    render: Render,
    owner: str,
    stop: asyncio.Event,
    check: DomainCheck | None = None,
    throttle: Throttle | None = None,
    on_tail: Callable[[], None] = lambda: None,
    meter: Meter | None = None,
) -> int:
    """Hands over the service mail that is due; gives how many messages there were."""
    async with db.read() as session:
        if not await transactional.any_due(session, clock.now()):
            return 0
    async with db.write() as session:
        epoch = await leases.take_slot(session, JOB, SLOT, owner, clock.now())
        if epoch is None:
            return 0
        if not await way.enter(session, clock.now()):
            await leases.give_back_slot(session, JOB, SLOT, epoch)
            return 0
        ledger = PostLedger(epoch, render, way, settings, signer, clock, check, throttle.shares if throttle else None)
        await ledger.open(session)
    handover = Handover(
        db, ledger, stop, throttle, meter, on_trial=way.on_trial, others=bool(way.others), on_tail=on_tail
    )
    await handover.run(way.provider)
    return handover.handed
