"""When a reader's next paper comes, as planned."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.calendar import due_instant, edition_day, edition_window, zone_named, zone_words
from app.core.db import Session
from app.core.settings import Settings
from app.models.states import Frequency
from app.stages.send.release import frequencies_of
from app.store import deliveries
from app.web.wording import day_and_time


def todays_date(settings: Settings, now: datetime) -> date:
    """The date of the edition that is the present one."""
    return edition_day(now, settings.freeze_at, settings.zone)


async def had_today(session: Session, settings: Settings, subscriber_id: int, now: datetime) -> bool:
    """Has this reader a place in the present edition already?"""
    return await deliveries.is_released(session, todays_date(settings, now), subscriber_id)


def next_paper(
    settings: Settings,
    now: datetime,
    zone: str = "",
    minute: int | None = None,
    frequency: Frequency = Frequency.DAILY,
    after: date | None = None,
) -> datetime:
    """The first due instant after `now` of an edition that `frequency` takes, in the reader's own zone.

    `after` is the date of an edition that the reader had already, or that comes within their rest.
    """
    own = zone_named(zone) if zone else None
    reader = own or settings.zone
    asked = settings.publication.deliver_minute if minute is None else minute
    day = todays_date(settings, now)
    if after is not None and after >= day:
        day = after + timedelta(days=1)
    while frequency not in frequencies_of(day) or _due(settings, reader, asked, day) <= now:
        day += timedelta(days=1)
    return _due(settings, reader, asked, day).astimezone(reader)


def _due(settings: Settings, zone: ZoneInfo, minute: int, day: date) -> datetime:
    return due_instant(zone, minute, edition_window(day, settings.freeze_at, settings.zone))


def promise(settings: Settings, now: datetime, zone: str = "", minute: int | None = None) -> str:
    """Monday at 06:30, London time."""
    due = next_paper(settings, now, zone, minute)
    assert isinstance(due.tzinfo, ZoneInfo)
    return f"{day_and_time(due)}, {zone_words(due.tzinfo)}"
