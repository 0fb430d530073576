"""Which days are a reader's, and when their next paper comes, as planned. Pure."""

from datetime import date, datetime, timedelta

from app.core.calendar import due_instant, edition_day, edition_window, zone_named
from app.core.settings import Settings
from app.models.states import Frequency

SATURDAY = 5


def frequencies_of(day: date) -> frozenset[Frequency]:
    """Which readers the paper of `day` is for: a weekly reader's day is Saturday."""
    fits = {Frequency.DAILY}
    if day.weekday() < SATURDAY:
        fits.add(Frequency.WEEKDAYS)
    if day.weekday() == SATURDAY:
        fits.add(Frequency.WEEKLY)
    return frozenset(fits)


def next_day(day: date, frequency: Frequency) -> date:
    """The date of the first edition after that of `day` which `frequency` takes."""
    day += timedelta(days=1)
    while frequency not in frequencies_of(day):
        day += timedelta(days=1)
    return day


def due_on(day: date, settings: Settings, zone: str, minute: int | None) -> datetime:
    """When a reader is due the edition of `day`, in their own zone; an empty or unknown one is the paper's."""
    reader = (zone_named(zone) if zone else None) or settings.zone
    asked = settings.publication.deliver_minute if minute is None else minute
    return due_instant(reader, asked, edition_window(day, settings.freeze_at, settings.zone)).astimezone(reader)


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
    today = edition_day(now, settings.freeze_at, settings.zone)
    had = today - timedelta(days=1) if after is None else max(after, today - timedelta(days=1))
    day = next_day(had, frequency)
    while (due := due_on(day, settings, zone, minute)) <= now:
        day = next_day(day, frequency)
    return due
