"""A slot of work, done once: whoever leases it does it, whoever is late or second does nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from app.core.clock import Clock
from app.core.db import Database
from app.core.errors import StorageError
from app.store import leases

RENEW_EVERY = 3.0
AGAIN_AFTER_MS = 60_000

log = structlog.get_logger(__name__)


async def once(
    db: Database, clock: Clock, job: str, slot: str, owner: str, work: Callable[[], Awaitable[str | None]]
) -> bool:
    """Does `work` for a slot unless it was done, or is being done. Gives whether this call did it.

    `work` gives one line for the record; None means "not yet": the slot stays owed. After an exception it
    stays owed too, and is tried again a minute later.
    """
    async with db.read() as session:
        if await leases.is_finished(session, job, slot):
            return False
    async with db.write(brief=True) as session:
        epoch = await leases.take_slot(session, job, slot, owner, clock.now())
    if epoch is None:
        return False
    keeper = asyncio.create_task(_keep(db, job, slot, epoch))
    try:
        result = await work()
    except Exception:
        await _stop(keeper)
        async with db.write(brief=True) as session:
            if not await leases.renew_slot(session, job, slot, epoch, AGAIN_AFTER_MS):
                log.info("another worker has taken this slot and tries again", job=job, slot=slot)
        raise
    await _stop(keeper)
    async with db.write(brief=True) as session:
        if result is None:
            await leases.give_back_slot(session, job, slot, epoch)
        else:
            await leases.finish_slot(session, job, slot, epoch, result, clock.now())
    return result is not None


async def _stop(keeper: asyncio.Task[None]) -> None:
    keeper.cancel()
    with suppress(asyncio.CancelledError):
        await keeper


async def _keep(db: Database, job: str, slot: str, epoch: int) -> None:
    while True:
        await asyncio.sleep(RENEW_EVERY)
        with suppress(StorageError):
            async with db.write(brief=True) as session:
                if not await leases.renew_slot(session, job, slot, epoch):
                    log.warning("another worker took this slot", job=job, slot=slot)
                    return
