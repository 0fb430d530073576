"""Stop and go: an operator, or a fault of ours, pauses an edition; an operator resumes it."""

from app.core.db import Session
from app.core.errors import Conflict, NotFound
from app.models import Edition
from app.models.states import EditionStatus
from app.store import editions, releases

_PAUSABLE = (EditionStatus.FROZEN, EditionStatus.SENDING)


async def pause(session: Session, edition_id: int, reason: str = "paused by an operator") -> Edition:
    """Takes hold with the next group: what is being handed over is finished, nothing more is begun.

    Pausing twice is pausing once. Raises NotFound, Conflict.
    """
    edition = await _found(session, edition_id)
    if edition.status is EditionStatus.PAUSED:
        return edition
    if edition.status not in _PAUSABLE:
        raise Conflict(f"The edition of {edition.date} is {edition.status.value}; there is nothing to pause.")
    await editions.move(session, edition_id, edition.status, EditionStatus.PAUSED, reason)
    return await _found(session, edition_id)


async def resume(session: Session, edition_id: int) -> Edition:
    """Goes on with what is still owed. Raises NotFound, Conflict."""
    edition = await _found(session, edition_id)
    if edition.status in _PAUSABLE:
        return edition
    if edition.status is not EditionStatus.PAUSED:
        raise Conflict(f"The edition of {edition.date} is {edition.status.value}; there is nothing to resume.")
    begun = await releases.any_released(session, edition_id)
    to = EditionStatus.SENDING if begun else EditionStatus.FROZEN
    await editions.move(session, edition_id, EditionStatus.PAUSED, to, "")
    return await _found(session, edition_id)


async def _found(session: Session, edition_id: int) -> Edition:
    edition = await editions.get(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    return edition
