"""What became of an edition's hand-overs, written down for their own attempts, whoever owns their shards by now."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.core.clock import Clock
from app.core.db import Session
from app.core.mail.receipt import Deferred, NotSent, Receipt, Scope
from app.core.settings import Settings
from app.models.states import DeliveryStatus
from app.stages.send import policy
from app.stages.send.ledger import Settled
from app.stages.send.shares import Shares
from app.stages.send.ways import Way
from app.store import editions, leases, outcomes
from app.store.handovers import Begun
from app.store.outcomes import Outcome

log = structlog.get_logger(__name__)
_chance = random.random


@dataclass
class Answers:
    """Records the answers to one edition's hand-overs, by one provider."""

    edition_id: int
    way: Way
    settings: Settings
    clock: Clock
    shares: Shares

    def outcomes(self, settled: Sequence[Settled[Begun]]) -> dict[int, list[Outcome]]:
        """What to write down, by shard."""
        now, made = self.clock.now(), dict[int, list[Outcome]]()
        for row, receipt in settled:
            if isinstance(receipt, NotSent):
                self.shares.spend(row.group, -1)
            made.setdefault(row.shard, []).append(self._outcome(row, receipt, now))
        return made

    async def finish(
        self,
        session: Session,
        settled: Sequence[Settled[Begun]],
        unwritten: Mapping[int, Sequence[Outcome]],
        held: Collection[int],
    ) -> None:
        """Writes down what was not so with its group, and makes known what the answers say of who gave them.

        `held` are the numbers of the shards whose lease is ours.
        """
        now = self.clock.now()
        await outcomes.record(session, self.edition_id, {one: unwritten[one] for one in unwritten if one in held}, now)
        for shard in sorted(unwritten.keys() - set(held)):
            await self._record_late(session, shard, unwritten[shard], now)
        # Last, as rows that all workers share: whoever holds one asks for no shard any more.
        await self.way.heard(session, (receipt for _, receipt in settled))
        slowed = _slowed_by(settled)
        for group in sorted(slowed):  # in the order in which tokens are taken
            await self.shares.bar(session, group, slowed[group], self.settings.zone)
            log.warning("a mailbox provider slows us down", group=group, provider=self.way.name)

    def _outcome(self, row: Begun, receipt: Receipt, now: datetime) -> Outcome:
        expires_at = row.expires_at if self.clock.may_expire else None
        made = policy.decide(receipt, row.attempt, now, expires_at, _chance(), several=bool(self.way.others))
        fault = made.fault.value if made.fault else None
        return Outcome(
            row.subscriber_id, row.attempt, made.status, made.due_at, made.provider_id, made.code, made.why, fault
        )

    async def _record_late(self, session: Session, shard: int, late: Sequence[Outcome], now: datetime) -> None:
        """Of a shard that was lost: its new owner may have given it back for good, with these rows as unknown."""
        await leases.follow_shard(session, self.edition_id, shard)
        if await editions.has_ended(session, self.edition_id):  # it waits for nobody: an operator may try again
            late = [
                one._replace(status=DeliveryStatus.EXPIRED) if one.status is DeliveryStatus.QUEUED else one
                for one in late
            ]
        await outcomes.record(session, self.edition_id, {shard: late}, now)
        states = (DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN) if self._resend else (DeliveryStatus.QUEUED,)
        owed = [one.due_at for one in late if one.due_at and one.status in states]
        if owed:
            await leases.owe_shard(session, self.edition_id, shard, min(owed))

    @property
    def _resend(self) -> bool:
        return self.settings.on_unknown == "resend"


def _slowed_by(settled: Sequence[Settled[Begun]]) -> dict[str, timedelta | None]:
    """The groups whose mailbox provider wants less, and for how long where it says so."""
    found: dict[str, timedelta | None] = {}
    for row, receipt in settled:
        if isinstance(receipt, Deferred) and receipt.scope is Scope.DOMAIN:
            found[row.group] = max(receipt.after or timedelta(0), found.get(row.group) or timedelta(0)) or None
    return found
