"""What an operator decides about an edition before it is frozen."""

from datetime import datetime

from app.core.db import Session
from app.core.errors import Conflict, NotFound
from app.models import Edition
from app.models.states import EditionStatus
from app.store import editions


async def approve(session: Session, edition_id: int, now: datetime) -> Edition:
    """Lets a ready edition be frozen where APPROVAL is manual. Approving twice is approving once."""
    edition = await editions.get(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    if not await editions.approve(session, edition_id, now):
        why = f": {edition.reason}" if edition.status is EditionStatus.HELD else ""
        raise Conflict(f"The edition of {edition.date} is {edition.status.value}, so there is nothing to approve{why}")
    approved = await editions.get(session, edition_id)
    assert approved is not None
    return approved
