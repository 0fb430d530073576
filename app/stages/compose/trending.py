"""Reads the stored trends that an edition prints."""

from datetime import datetime

from app.core.db import Session
from app.models.content import Chart, Movers
from app.stages.compose.trends import OLDEST, charts, movers
from app.store import trends


async def trending(session: Session, now: datetime) -> tuple[tuple[Chart, ...], Movers | None]:
    """Charts and movers as they can be printed at `now`; what is missing or too old is left out."""
    stored = await trends.latest(session, now - OLDEST)
    return charts(stored, now), movers(stored, now)
