"""An operator has an edition tried again for exactly those who went without it."""

from datetime import datetime

import structlog

from app.core.db import Database, Session
from app.core.errors import Conflict, NotFound
from app.core.settings import Settings
from app.models import Edition
from app.models.states import EditionStatus
from app.store import editions, releases, retries, shared_settings
from app.store.retries import Rest

_MAY = (EditionStatus.SENDING, EditionStatus.SENT, EditionStatus.PARTIALLY_SENT)

log = structlog.get_logger(__name__)


async def rest(session: Session, edition_id: int, *, include_unknown: bool) -> Rest:
    """Whom `retry` would try again, as things stand. Raises NotFound."""
    edition = await _found(session, edition_id)
    siblings = [one for one in await releases.of_date(session, edition.date) if one.id != edition_id]
    found, _ = await retries.rest(session, edition_id, siblings, include_unknown=include_unknown)
    return found


async def retry(
    db: Database, edition_id: int, settings: Settings, now: datetime, *, include_unknown: bool = False
) -> Rest:
    """Owes it again to whom `rest` counts, for another MAX_LATE; a second time finds nobody. Raises NotFound, Conflict.

    Unknown ones may have it already, and get it twice: only where `include_unknown` says so.
    """
    async with db.read() as session:
        edition = await _found(session, edition_id)
        siblings = [one for one in await releases.of_date(session, edition.date) if one.id != edition_id]
        _, shards = await retries.rest(session, edition_id, siblings, include_unknown=include_unknown)
    if edition.status not in _MAY:
        raise Conflict(f"The edition of {edition.date} is {edition.status.value}; there is nothing to try again.")
    done = Rest()
    for shard in shards:
        tried = await _retry_shard(db, edition, shard, settings, now, include_unknown=include_unknown)
        if tried is None:
            raise Conflict(
                f"The edition of {edition.date} was paused or cancelled meanwhile:"
                f" {done.total} readers are tried again."
            )
        done += tried
    if done.total:
        log.info("an edition is tried again", edition=edition_id, readers=done.total)
    return done


async def _retry_shard(
    db: Database, edition: Edition, shard: int, settings: Settings, now: datetime, *, include_unknown: bool
) -> Rest | None:
    """What of a shard is tried again; None where the edition was paused or cancelled meanwhile."""
    async with db.write() as session:
        of_date = await releases.lock_date(session, edition.date)
        status = next((one.status for one in of_date if one.id == edition.id), None)
        if status not in _MAY:
            return None
        await retries.hold_shard(session, edition.id, shard)
        hours = await shared_settings.hours_of(session, edition.date, settings.hours)
        done = await retries.owe_again(
            session,
            edition.id,
            shard,
            [one for one in of_date if one.id != edition.id],
            include_unknown=include_unknown,
            now=now,
            lasts=hours.max_late,
        )
        if done.total and status is not EditionStatus.SENDING:
            await editions.move(session, edition.id, status, EditionStatus.SENDING, "")
    return done


async def _found(session: Session, edition_id: int) -> Edition:
    edition = await editions.get(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    return edition
