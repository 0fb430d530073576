"""What a clock that was ahead did too early, and is taken back once the clock is put right."""

import structlog

from app.bootstrap import Container
from app.core.errors import Conflict
from app.models.states import EditionStatus
from app.stages.compose import correct
from app.stages.send import control
from app.store import editions

WHY = "frozen by a clock that was ahead"

log = structlog.get_logger(__name__)


async def take_back(container: Container) -> None:
    """Editions that were frozen in what is the future now give their stories back, and are composed at their own time.

    One that went out already stays as it is: its readers have it. Safe to repeat, and in two places.
    """
    now = container.clock.now()
    async with container.db.read() as session:
        frozen = await editions.in_state(session, (EditionStatus.FROZEN,))
    for edition in frozen:
        if edition.frozen_at is None or edition.frozen_at <= now:
            continue
        try:
            async with container.db.write() as session:
                await control.cancel(session, edition.id, WHY, now)
                await correct.successor(session, edition.id, now)
        except Conflict:  # it began to go out, or another worker was quicker
            continue
        log.warning("an edition is taken back: it was frozen by a clock that was ahead", date=str(edition.date))
