"""When a reader's next paper comes, as planned. Pure."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.calendar import due_instant, edition_day, edition_window, zone_named, zone_words
from app.core.settings import Settings
from app.web.wording import day_and_time


def todays_date(settings: Settings, now: datetime) -> date:
    """The date of the edition that is the present one."""
    return edition_day(now, settings.freeze_at, settings.zone)


def next_paper(settings: Settings, now: datetime, zone: str = "", minute: int | None = None) -> datetime:
    """The first due instant after `now`, in the reader's own zone."""
    own = zone_named(zone) if zone else None
    reader = own or settings.zone
    asked = settings.publication.deliver_minute if minute is None else minute
    day = todays_date(settings, now)
    due = _due(settings, reader, asked, day)
    if due <= now:
        due = _due(settings, reader, asked, day + timedelta(days=1))
    return due.astimezone(reader)


def _due(settings: Settings, zone: ZoneInfo, minute: int, day: date) -> datetime:
    return due_instant(zone, minute, edition_window(day, settings.freeze_at, settings.zone))


def promise(settings: Settings, now: datetime, zone: str = "", minute: int | None = None) -> str:
    """Monday at 06:30, London time."""
    due = next_paper(settings, now, zone, minute)
    assert isinstance(due.tzinfo, ZoneInfo)
    return f"{day_and_time(due)}, {zone_words(due.tzinfo)}"
