"""What only the site words: short dates, counts, places. The rest is worded as in the paper itself. Pure."""

from datetime import date, datetime

from app.core.language import Phrase, dated, figure, joined, say
from app.stages.render.wording import clock_time, full_date

_NUMBERS = (
    say("no"), say("one"), say("two"), say("three"), say("four"), say("five"), say("six"),
    say("seven"), say("eight"), say("nine"), say("ten"), say("eleven"), say("twelve"),
)  # fmt: skip


def short_date(day: date) -> Phrase:
    """Fri 20 Nov."""
    return dated("EEE d MMM", day)


def day_and_date(day: date) -> Phrase:
    """Monday 7 December."""
    return dated("EEEE d MMMM", day)


def date_of_year(day: date) -> Phrase:
    """7 December 2026."""
    return dated("d MMMM y", day)


def weekday(day: date) -> Phrase:
    """Monday."""
    return dated("EEEE", day)


def month(day: date) -> Phrase:
    """November 2026."""
    return dated("MMMM y", day)


def date_and_time(instant: datetime) -> Phrase:
    """Friday, 20 November 2026, 06:30, in the instant's own zone."""
    return joined((full_date(instant), clock_time(instant)), between=", ")


def in_words(number: int) -> Phrase:
    """Nine; 13 in figures, as a newspaper writes numbers past twelve."""
    return _NUMBERS[number] if number < len(_NUMBERS) else figure(number)
