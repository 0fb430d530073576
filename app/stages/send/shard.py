"""What is due of one edition, handed over by one provider."""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress

import structlog

from app.core.clock import Clock, steady
from app.core.db import Database
from app.core.errors import StorageError
from app.core.mail.tokens import Limits
from app.core.settings import Settings
from app.core.signing import Signer
from app.models import Edition
from app.models.content import EditionContent, section_bits
from app.stages.send.edition_ledger import (
    LOOK_EVERY,
    MOST_SHARDS,
    EditionLedger,
    TemplateFor,
)
from app.stages.send.handover import Handover
from app.stages.send.journal import Journal
from app.stages.send.meter import Meter
from app.stages.send.personalise import Personaliser
from app.stages.send.throttle import ProviderThrottle, Throttle
from app.stages.send.ways import Way
from app.store import editions, leases, progress

TURN = 300.0
"""Seconds of one provider where there are several: one that was down is looked at again, and what it alone may carry
goes on."""

FOLD_EVERY = 5.0
"""Seconds until the counts of shards that were given back are added to those at rest."""

log = structlog.get_logger(__name__)


async def _edition(db: Database, edition_id: int) -> Edition | None:
    async with db.read() as session:
        return await editions.get(session, edition_id)


async def _look(db: Database, ledger: EditionLedger) -> None:
    async with db.read() as session:
        await ledger.look(session)


async def _beside(db: Database, ledger: EditionLedger, clock: Clock) -> None:
    """What is seen to beside a hand-over and not within its groups, so that they take few round trips.

    Counts are added up in transactions of their own: all workers' meet there, and nobody's hand-over shall wait.
    """
    folded = steady()
    while True:
        await asyncio.sleep(LOOK_EVERY)
        with suppress(StorageError):
            await _look(db, ledger)
            if steady() - folded > FOLD_EVERY:
                folded = steady()
                await db.alone(progress.folding(ledger.edition_id, clock.now(), sqlite=db.is_sqlite))


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
    journal: Journal | None = None,
) -> int:
    """Hands over what is due of one edition, shard after shard; gives how many messages, -1 where no shard was free.

    `shard` names the edition and the shard that it begins with, where somebody was told of one; `most_shards` is how
    many it may hold at once. Where there are several providers, others have their turn after a while.
    """
    edition_id, number = shard or (None, None)
    meter = meter or Meter()
    throttle = throttle or ProviderThrottle(db, way.name, Limits(), settings.zone, service=False)
    # Beside the lease: each is several round trips to a database that may be far away.
    known = asyncio.create_task(_edition(db, edition_id)) if edition_id else None
    looked: asyncio.Task[None] | None = None
    try:
        async with db.write(brief=True) as session:
            lease = await leases.take_shard(session, owner, clock.now(), edition_id=edition_id, shard=number)
            if lease is None:
                return -1
            edition = await known if known else await editions.get(session, lease.edition_id)
            assert edition is not None
            ledger = EditionLedger(
                edition_id=edition.id,
                owner=owner,
                present=section_bits(EditionContent.model_validate(edition.content).present),
                template_for=template_for,
                personaliser=Personaliser(settings, signer, edition.salt, edition.date, edition.id),
                way=way,
                settings=settings,
                clock=clock,
                shares=throttle.shares,
                most_shards=most_shards,
                together=not db.is_sqlite,
                meter=meter,
                journal=journal or Journal(),
            )
            looked = asyncio.create_task(_look(db, ledger))
            if not await way.enter(session, clock.now()):
                await leases.give_back_shard(session, lease, clock.now())
                return 0
            if not await ledger.open(session, lease):
                return 0
    finally:
        if beside := [task for task in (known, looked) if task]:
            await asyncio.wait(beside)
    looked.result()
    lasts = TURN if way.others else math.inf
    handover = Handover(
        db, ledger, stop, throttle, meter, on_trial=way.on_trial, lasts=lasts, others=bool(way.others), on_tail=on_tail
    )
    seen_to = asyncio.create_task(_beside(db, ledger, clock))
    try:
        await handover.run(way.provider)
    finally:
        seen_to.cancel()
        await asyncio.wait([seen_to])
        ledger.end()
        with suppress(StorageError):  # the sums are the same without it
            await db.alone(progress.folding(ledger.edition_id, clock.now(), sqlite=db.is_sqlite))
    log.info("shards were handed over", edition=ledger.edition_id, first=lease.shard, messages=handover.handed)
    return handover.handed
