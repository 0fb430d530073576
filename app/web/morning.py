"""When a reader's next paper comes, as planned."""

from datetime import date, datetime

from app.core.calendar import edition_day
from app.core.db import Session
from app.core.language import Phrase
from app.core.settings import Settings
from app.stages.render.wording import arrival
from app.stages.send.mornings import next_paper
from app.store import deliveries


def todays_date(settings: Settings, now: datetime) -> date:
    """The date of the edition that is the present one."""
    return edition_day(now, settings.freeze_at, settings.zone)


async def had_today(session: Session, settings: Settings, subscriber_id: int, now: datetime) -> bool:
    """Has this reader a place in the present edition already?"""
    return await deliveries.is_released(session, todays_date(settings, now), subscriber_id)


def promise(settings: Settings, now: datetime, zone: str = "", minute: int | None = None) -> Phrase:
    """Monday at 06:30, London time."""
    due = next_paper(settings, now, zone, minute)
    return arrival(due)
