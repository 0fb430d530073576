"""A correction: the draft that takes the place of an edition that was cancelled, under its number."""

import secrets
from datetime import datetime

from app.core.db import Session
from app.core.errors import Conflict, NotFound
from app.models import Edition
from app.models.states import EditionStatus
from app.store import drafts, editions, listings, stories


async def successor(session: Session, edition_id: int, now: datetime) -> Edition:
    """An empty draft with what operators had asked of the cancelled edition, whose stories may now be corrected.

    It is composed next, by `draft.compose`. Asking again gives the same draft. Raises NotFound, Conflict.
    """
    edition = await editions.get(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    newest = await editions.of_day(session, edition.date, edition.kind)
    if newest is not None and newest.revision > edition.revision:
        if newest.status in drafts.COMPOSABLE:
            return newest
        raise Conflict(f"The edition of {edition.date} was corrected already, by edition {newest.id}.")
    if edition.status is not EditionStatus.CANCELLED:
        raise Conflict(f"The edition of {edition.date} is {edition.status.value}; cancel it before it is corrected.")
    await stories.unprint(session, edition.id)
    await listings.replace_all(session, edition.id, [])
    made = await drafts.add_revision(session, edition, secrets.token_hex(16), now)
    if made is None:
        raise Conflict(f"The edition of {edition.date} is being corrected by somebody else.")
    return made
