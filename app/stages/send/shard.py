"""What is due of one edition, handed over by one provider."""

import asyncio
import math
from collections.abc import Callable

import structlog

from app.core.clock import Clock
from app.core.db import Database
from app.core.mail.tokens import Limits
from app.core.settings import Settings
from app.core.signing import Signer
from app.models.content import EditionContent, section_bits
from app.stages.send.edition_ledger import MOST_SHARDS, EditionLedger, TemplateFor
from app.stages.send.handover import Handover
from app.stages.send.meter import Meter
from app.stages.send.personalise import Personaliser
from app.stages.send.throttle import ProviderThrottle, Throttle
from app.stages.send.ways import Way
from app.store import editions, leases

TURN = 300.0
"""Seconds of one provider where there are several: one that was down is looked at again, and what it alone may carry
goes on."""

log = structlog.get_logger(__name__)


async def send_due(
    db: Database,
    way: Way,
    *,
    settings: Settings,
    signer: Signer,
    clock: Clock,
    template_for: TemplateFor,
    owner: str,
    stop: asyncio.Event,
    shard: tuple[int, int] | None = None,
    most_shards: int = MOST_SHARDS,
    throttle: Throttle | None = None,
    on_tail: Callable[[], None] = lambda: None,
    meter: Meter | None = None,
) -> int:
    """Hands over what is due of one edition, shard after shard; gives how many messages, -1 where no shard was free.

    `shard` names the edition and the shard that it begins with, where somebody was told of one; `most_shards` is how
    many it may hold at once. Where there are several providers, others have their turn after a while.
    """
    edition_id, number = shard or (None, None)
    async with db.write(brief=True) as session:
        lease = await leases.take_shard(session, owner, clock.now(), edition_id=edition_id, shard=number)
    if lease is None:
        return -1
    async with db.read() as session:
        edition = await editions.get(session, lease.edition_id)
    assert edition is not None
    content = EditionContent.model_validate(edition.content)
    meter = meter or Meter()
    throttle = throttle or ProviderThrottle(db, way.name, Limits(), settings.zone, service=False)
    ledger = EditionLedger(
        edition_id=edition.id,
        owner=owner,
        present=section_bits(content.present),
        template_for=template_for,
        personaliser=Personaliser(settings, signer, edition.salt, edition.date, edition.id),
        way=way,
        settings=settings,
        clock=clock,
        shares=throttle.shares,
        most_shards=most_shards,
        meter=meter,
    )
    async with db.write(brief=True) as session:
        if not await leases.renew_shard(session, lease):
            return 0
        if not await way.enter(session, clock.now()):
            await leases.give_back_shard(session, lease, clock.now())
            return 0
        await ledger.open(session, lease)
    lasts = TURN if way.others else math.inf
    handover = Handover(
        db, ledger, stop, throttle, meter, on_trial=way.on_trial, lasts=lasts, others=bool(way.others), on_tail=on_tail
    )
    await handover.run(way.provider)
    log.info("shards were handed over", edition=edition.id, first=lease.shard, messages=handover.handed)
    return handover.handed
