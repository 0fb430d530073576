"""What ended a hand-over, made known: the provider rests, the operators are told, an edition pauses."""

from datetime import datetime

import structlog

from app.core.db import Session
from app.core.mail.receipt import Halt, Standstill
from app.core.settings import Settings
from app.models.states import EditionStatus
from app.stages.send.ways import Way
from app.store import editions, faults

log = structlog.get_logger(__name__)


async def lock(session: Session, edition_id: int) -> None:
    """Holds the edition that `declare` may pause: before anything of its shards is locked, as everywhere."""
    if await editions.lock(session, edition_id) is None:
        log.warning("the edition is gone", edition=edition_id)


async def declare(
    session: Session, way: Way, fault: Standstill, settings: Settings, now: datetime, edition_id: int | None = None
) -> bool:
    """Opens the provider's breaker; False where nothing goes on before an operator has mended something.

    A fault of ours meets every reader alike, so it pauses `edition_id`, unless it is a matter of the account with this
    provider and another can carry on.
    """
    instead = await way.failed(session, fault, now)
    if not isinstance(fault, Halt):
        return True
    edition = None
    if edition_id is not None:
        instead = instead if fault.account else None
        if instead is None:
            edition = await editions.lock(session, edition_id)
            if edition is not None and edition.status is EditionStatus.SENDING:  # else somebody stopped or ended it
                await editions.move(session, edition_id, EditionStatus.SENDING, EditionStatus.PAUSED, fault.why)
                log.error("the edition is paused: a fault of ours", edition=edition_id, why=fault.why)
    await faults.tell(
        session,
        provider=way.name,
        why=fault.why,
        code=fault.code,
        operators=settings.operator_emails,
        now=now,
        edition=edition,
        instead=instead,
    )
    return instead is not None
