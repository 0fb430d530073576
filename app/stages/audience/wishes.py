"""Reads what a reader asked for, as text from a form, into choices that can be kept. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from unicodedata import category
from zoneinfo import ZoneInfo

from app.core.calendar import zone_named
from app.core.errors import FieldError, InvalidInput
from app.core.language import joined, say
from app.core.languages import find
from app.models.content import CHOOSABLE, Section
from app.models.states import Frequency, MailForm

LONGEST_NAME = 80
LONGEST_REST = timedelta(days=365)
STEP = 30
"""Delivery times are whole or half hours: minutes of the day in steps of this."""

_TIME = re.compile(r"([01][0-9]|2[0-3]):(00|30)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST_ZONE = 64
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})

_Read = TypeVar("_Read")
_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Choices:
    """What is kept of a reader's wishes. `minute` None and an empty `zone` mean the paper's own."""

    sections: frozenset[Section]
    frequency: Frequency
    minute: int | None
    zone: str
    form: MailForm
    first_name: str
    language: str = ""
    """A tag of ours; empty means what the browser asks for, and the paper's own in mail."""

    def wishes(self) -> "Wishes":
        """The form that would choose the same."""
        return Wishes(
            tuple(section.value for section in CHOOSABLE if section in self.sections),
            self.frequency.value,
            clock_words(self.minute),
            self.zone,
            self.form.value,
            self.first_name,
            self.language,
        )


@dataclass(frozen=True, slots=True)
class Wishes:
    """The fields of the form as they were sent. `delivery_time` is HH:MM; it and `zone` may be empty."""

    sections: tuple[str, ...]
    frequency: str
    delivery_time: str
    zone: str
    form: str
    first_name: str
    language: str = ""

    def read(self) -> Choices:
        """The choices. Raises InvalidInput with every field that is wrong, each with a sentence."""
        wrong: list[FieldError] = []

        def field(read: Callable[[], _Read]) -> _Read | None:
            try:
                return read()
            except InvalidInput as error:
                wrong.extend(error.errors)
                return None

        sections = field(lambda: read_sections(self.sections))
        frequency = field(lambda: _one_of(Frequency, self.frequency, "frequency"))
        minute = field(lambda: read_time(self.delivery_time))
        zone = field(lambda: read_zone(self.zone))
        form = field(lambda: _one_of(MailForm, self.form, "form"))
        name = field(lambda: read_name(self.first_name))
        language = field(lambda: read_language(self.language))
        if (
            wrong
            or sections is None
            or frequency is None
            or zone is None
            or form is None
            or name is None
            or language is None
        ):
            raise InvalidInput(joined(one.message for one in wrong), errors=tuple(wrong))
        return Choices(sections, frequency, minute, zone, form, name, language)


def read_sections(names: tuple[str, ...]) -> frozenset[Section]:
    """The sections of these names. Raises InvalidInput for none, and for one that nobody can choose."""
    known = {section.value: section for section in CHOOSABLE}
    if not known.keys() >= set(names):
        raise InvalidInput(say("One of these sections is not in the paper. Choose again, please."), "sections")
    if not names:
        raise InvalidInput(say("Choose at least one section: with none there would be no paper to send."), "sections")
    return frozenset(known[name] for name in names)


def read_time(text: str) -> int | None:
    """HH:MM on the half hour as a minute of the day; None for an empty text. Raises InvalidInput."""
    if not text:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise InvalidInput(say("The delivery time is an hour or a half hour, such as 06:30."), "delivery_time")
    return int(found[1]) * 60 + int(found[2])


def clock_words(minute: int | None) -> str:
    """06:30 for 390; empty for None."""
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"


def read_zone(text: str) -> str:
    """An IANA name that this machine knows, or an empty text. Raises InvalidInput."""
    if text and (len(text) > _LONGEST_ZONE or zone_named(text) is None):
        raise InvalidInput(say("We do not know that time zone. Choose one from the list."), "zone")
    return text


def read_name(text: str) -> str:
    """A first name without spaces around it; may be empty. Raises InvalidInput."""
    name = text.strip()
    if len(name) > LONGEST_NAME or any(category(sign) in _UNPRINTABLE for sign in name):
        raise InvalidInput(
            say("The first name is one line of at most {most} characters.", most=LONGEST_NAME), "first_name"
        )
    return name


def read_language(text: str) -> str:
    """The tag of a language we have, or an empty text. Raises InvalidInput."""
    found = find(text)
    if text and found is None:
        raise InvalidInput(say("We do not speak that language yet. Choose one from the list."), "language")
    return found.tag if found else ""


def read_day(text: str) -> date:
    """A date as a browser sends it, YYYY-MM-DD. Raises InvalidInput."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidInput(say("Give the day as year, month and day, such as 2026-12-07."), "until")


def today_of(now: datetime, zone: str, paper_zone: ZoneInfo) -> date:
    """The date it is where the reader is; `paper_zone` counts where they named no zone."""
    return now.astimezone(zone_named(zone) or paper_zone).date()


def check_rest(until: date, now: datetime, zone: str, paper_zone: ZoneInfo) -> None:
    """Raises InvalidInput where a rest that begins `now` cannot end on `until`: from tomorrow to a year ahead."""
    today = today_of(now, zone, paper_zone)
    if until <= today:
        raise InvalidInput(say("Choose a day from tomorrow on; the paper comes again on that day."), "until")
    if until > today + LONGEST_REST:
        raise InvalidInput(say("We can hold the paper for a year at most. Choose an earlier day."), "until")


def _one_of(kind: type[_Choice], text: str, field: str) -> _Choice:
    try:
        return kind(text)
    except ValueError:
        raise InvalidInput(say("Choose one of the ways we offer."), field) from None
