"""When a reader's next paper comes, as planned. Pure."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.core.calendar import edition_day, next_due, zone_named, zone_words
from app.core.settings import Settings
from app.web.wording import day_and_time


def todays_date(settings: Settings, now: datetime) -> date:
    """The date of the edition that is the present one."""
    return edition_day(now, settings.freeze_at, settings.zone)


def next_paper(settings: Settings, now: datetime, zone: str = "", minute: int | None = None) -> datetime:
    """The first due instant after `now`, in the reader's own zone."""
    reader = (zone_named(zone) if zone else None) or settings.zone
    asked = settings.publication.deliver_minute if minute is None else minute
    return next_due(now, reader, asked, settings.freeze_at, settings.zone)


def promise(settings: Settings, now: datetime, zone: str = "", minute: int | None = None) -> str:
    """Monday at 06:30, London time."""
    due = next_paper(settings, now, zone, minute)
    assert isinstance(due.tzinfo, ZoneInfo)
    return f"{day_and_time(due)}, {zone_words(due.tzinfo)}"
