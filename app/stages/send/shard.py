"""One shard of an edition: lease it, put its leftovers in order, hand it over, give it back."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.core.clock import Clock
from app.core.db import Database, Session
from app.core.mail.message import Message
from app.core.mail.provider import Provider
from app.core.mail.receipt import Fault, Halt, Receipt, Rejected
from app.core.mail.template import MailTemplate
from app.core.settings import Settings
from app.core.signing import Signer
from app.models.content import EditionContent, section_bits
from app.models.states import EditionStatus, MailForm
from app.stages.send import policy
from app.stages.send.guard import may_receive
from app.stages.send.handover import Handover, Settled
from app.stages.send.personalise import Personaliser
from app.store import deliveries, editions, leases, outcomes, progress
from app.store.deliveries import Begun
from app.store.leases import ShardLease
from app.store.outcomes import Outcome

TemplateFor = Callable[[int, int, MailForm], Awaitable[MailTemplate]]
"""The mail of an edition (by id) for a set of sections (as bits) in a form; rendering's work, handed in by the jobs."""

log = structlog.get_logger(__name__)
_chance = random.SystemRandom().random


@dataclass
class EditionLedger:
    """The deliveries of one leased shard, as `Handover` wants them."""

    lease: ShardLease
    present: int
    """The choosable sections that have anything today, as bits."""
    template_for: TemplateFor
    personaliser: Personaliser
    provider: Provider
    settings: Settings
    clock: Clock

    @property
    def _resend(self) -> bool:
        return self.settings.on_unknown == "resend"

    async def open(self, session: Session) -> None:
        """Puts in order what an earlier owner, a pause or the night left behind."""
        now = self.clock.now()
        at = self.lease.edition_id, self.lease.shard
        lost = await deliveries.abandon(session, *at, policy.unknown_until(now, _chance()), now)
        if lost:
            log.warning("hand-overs without an answer", edition=at[0], shard=at[1], count=lost)
        await deliveries.ripen(session, *at, now, resend=self._resend)
        await deliveries.skip_gone(session, *at, now)
        await deliveries.skip_empty(session, *at, self.present)

    async def fence(self, session: Session) -> bool:
        if await leases.renew_shard(session, self.lease):
            return True
        await leases.follow_shard(session, self.lease)
        return False

    async def begin(self, session: Session, most: int) -> Sequence[Begun]:
        return await deliveries.begin(
            session,
            self.lease.edition_id,
            self.lease.shard,
            provider=self.provider.name,
            most=most,
            now=self.clock.now(),
        )

    async def address(self, row: Begun) -> Message | Receipt:
        if self.provider.capabilities.real and not may_receive(self.settings, row.address):
            return Rejected("outside production only ALLOWED_RECIPIENTS are mailed", Fault.OURS, "guarded")
        template = await self.template_for(self.lease.edition_id, row.sections & self.present, row.form)
        return self.personaliser.message(row, template, self.clock.now())

    async def record(self, session: Session, settled: Sequence[Settled[Begun]]) -> None:
        now = self.clock.now()
        written = []
        for row, receipt in settled:
            made = policy.decide(receipt, row.attempt, now, row.expires_at, _chance())
            fault = made.fault.value if made.fault else None
            written.append(
                Outcome(
                    row.subscriber_id,
                    row.attempt,
                    made.status,
                    made.due_at,
                    made.provider_id,
                    made.code,
                    made.why,
                    fault,
                )
            )
        await outcomes.record(session, self.lease.edition_id, self.lease.shard, written, now)

    async def close(self, session: Session, rest: timedelta | None, halted: Halt | None) -> None:
        now = self.clock.now()
        at = self.lease.edition_id, self.lease.shard
        await deliveries.requeue_unwritten(session, *at, now)
        await deliveries.skip_gone(session, *at, now)
        next_at = await deliveries.next_due(session, *at, resend=self._resend)
        if next_at and rest:
            next_at = max(next_at, now + rest)
        await leases.give_back_shard(session, self.lease, next_at)
        if halted:
            await editions.move(session, at[0], EditionStatus.SENDING, EditionStatus.PAUSED, halted.why)
            log.error("the edition is paused: a fault of ours", edition=at[0], why=halted.why, code=halted.code)
        await progress.fold(session, *at, now)


async def send_due(
    db: Database,
    provider: Provider,
    *,
    settings: Settings,
    signer: Signer,
    clock: Clock,
    template_for: TemplateFor,
    owner: str,
    stop: asyncio.Event,
) -> int:
    """Hands over one shard that is due; gives how many messages it held, -1 where no shard was free."""
    async with db.write() as session:
        lease = await leases.take_shard(session, owner, clock.now())
    if lease is None:
        return -1
    async with db.read() as session:
        edition = await editions.get(session, lease.edition_id)
    assert edition is not None
    content = EditionContent.model_validate(edition.content)
    ledger = EditionLedger(
        lease=lease,
        present=section_bits(content.present),
        template_for=template_for,
        personaliser=Personaliser(settings, signer, edition.salt, edition.date),
        provider=provider,
        settings=settings,
        clock=clock,
    )
    async with db.write() as session:
        if not await ledger.fence(session):
            return 0
        await ledger.open(session)
    handover = Handover(db, ledger, stop)
    await handover.run(provider)
    log.info("a shard was handed over", edition=edition.id, shard=lease.shard, messages=handover.handed)
    return handover.handed
