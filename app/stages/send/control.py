"""Stop and go: an operator, or a fault of ours, pauses an edition; an operator resumes or cancels it."""

import random
from datetime import datetime

from app.core.db import Database, Session
from app.core.errors import Conflict, InvalidInput, NotFound
from app.core.text import is_clean
from app.models import Edition
from app.models.states import EditionStatus
from app.stages.send import policy
from app.store import cancelled, editions, provider_states, releases

_chance = random.random
LONGEST_REASON = 300
_PAUSABLE = (EditionStatus.FROZEN, EditionStatus.SENDING)


async def pause(session: Session, edition_id: int, reason: str = "paused by an operator") -> Edition:
    """Takes hold with the next group: what is being handed over is finished, nothing more is begun.

    Pausing twice is pausing once. Raises NotFound, Conflict.
    """
    edition = await _held(session, edition_id)
    if edition.status is EditionStatus.PAUSED:
        return edition
    if edition.status not in _PAUSABLE:
        raise Conflict(f"The edition of {edition.date} is {edition.status.value}; there is nothing to pause.")
    await editions.move(session, edition_id, edition.status, EditionStatus.PAUSED, reason)
    return await _held(session, edition_id)


async def resume(session: Session, edition_id: int) -> Edition:
    """Goes on with what is still owed, by providers that refused us too. Raises NotFound, Conflict."""
    edition = await _held(session, edition_id)
    if edition.status in _PAUSABLE:
        return edition
    if edition.status is not EditionStatus.PAUSED:
        raise Conflict(f"The edition of {edition.date} is {edition.status.value}; there is nothing to resume.")
    to = EditionStatus.SENDING if await releases.has_begun(session, edition_id) else EditionStatus.FROZEN
    await editions.move(session, edition_id, EditionStatus.PAUSED, to, "")
    await provider_states.forgive(session)
    return await _held(session, edition_id)


async def cancel(session: Session, edition_id: int, reason: str, now: datetime) -> Edition:
    """Nothing more of it is begun, for good; what waits is skipped soon after (`settle`). Raises NotFound, Conflict.

    Cancelling twice is cancelling once. Raises InvalidInput for a reason that is no line of text.
    """
    if len(reason) > LONGEST_REASON or not is_clean(reason):
        raise InvalidInput(f"Say why in one line of at most {LONGEST_REASON} characters.", "reason")
    edition = await _held(session, edition_id)
    if edition.status is EditionStatus.CANCELLED:
        return edition
    if edition.status not in (*_PAUSABLE, EditionStatus.PAUSED):
        raise Conflict(f"The edition of {edition.date} is {edition.status.value}; there is nothing to cancel.")
    await editions.move(session, edition_id, edition.status, EditionStatus.CANCELLED, reason, ended_at=now)
    return await _held(session, edition_id)


async def settle(db: Database, now: datetime) -> int:
    """Skips what waits in editions that were cancelled; gives how many shards that were. Safe to repeat."""
    settled = 0
    while True:
        async with db.write() as session:
            if not await cancelled.settle_shard(session, policy.unknown_until(now, _chance()), now):
                return settled
        settled += 1


async def _held(session: Session, edition_id: int) -> Edition:
    """The edition as it is now, locked: what is answered is what it is when this transaction ends."""
    edition = await editions.lock(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    return edition
