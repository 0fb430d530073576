"""Words for people, in their language: a phrase is written in English where it is used, and said in another by whoever
shows it. Pure.

    say("We sent a link to {address}.", address=mail)     text, with what stands in it
    plural("one edition", "{number} editions", count)     the form that goes with a number
    dated("EEEE, d MMMM y", day)                          a date, by a pattern of CLDR (UTS #35, Date Format Patterns)

Each gives a `Phrase`: a str, the English text, so that logs and programs read it as it is. A page or a mail asks
`language.say(phrase)`. What is in the brackets is a key of the catalogue (docs/languages.md).
"""

import gettext
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal


@dataclass(frozen=True, slots=True)
class Language:
    """A language we have a catalogue of. `tag` is its RFC 5646 tag; equal tags are equal languages."""

    tag: str
    catalogue: gettext.NullTranslations = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """What the language calls itself: Deutsch."""
        return self.locale.get_language_name(self.tag) or self.tag

    @property
    def locale(self) -> Locale:
        """How dates and figures are written in it. Babel keeps those it has read."""
        return Locale.parse(self.tag, sep="-")

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, for the `dir` of a page."""
        return self.locale.text_direction

    def text(self, key: str) -> str:
        """The text for an English `key`; the key itself where the catalogue lacks it."""
        return self.catalogue.gettext(key) if key else ""

    def form(self, one: str, many: str, number: int) -> str:
        """The text for a key of two English forms that goes with `number`."""
        return self.catalogue.ngettext(one, many, number)

    def say(self, value: object) -> str:
        """A phrase in this language; anything else as it is."""
        return value.in_(self) if isinstance(value, Phrase) else str(value)


ENGLISH = Language("en", gettext.NullTranslations())
"""What the keys are written in; it needs no catalogue."""


class Phrase(str):
    """English text that can be said in other languages. What is put together from it, by + or f"", no longer can."""

    __slots__ = ("_said",)
    _said: Callable[[Language], str]

    def __new__(cls, said: Callable[[Language], str]) -> "Phrase":
        made = super().__new__(cls, said(ENGLISH))
        made._said = said
        return made

    def in_(self, language: Language) -> str:
        """The phrase in `language`."""
        return self._said(language)


def say(key: str, /, **values: object) -> Phrase:
    """The sentence `key`, where `{name}` stands for a value; a value may be a phrase itself."""
    return Phrase(lambda language: _filled(language.text(key), values, language))


def plural(one: str, many: str, count: int, /, **values: object) -> Phrase:
    """`one` or `many`, as `count` asks for; `{number}` in it is the count in figures unless `values` give another."""
    values = {"number": figure(count), **values}
    return Phrase(lambda language: _filled(language.form(one, many, count), values, language))


def key(text: str, /) -> str:
    """A key that another line hands to `say`: it marks the literal for the catalogue."""
    return text


def forms(one: str, many: str, /) -> tuple[str, str]:
    """Two keys that another line hands to `plural`."""
    return one, many


def dated(pattern: str, when: date | datetime, /) -> Phrase:
    """A date, or an instant in its own zone. The catalogue turns the pattern into the language's own."""

    def said(language: Language) -> str:
        if isinstance(when, datetime):
            return str(format_datetime(when, language.text(pattern), locale=language.locale))
        return str(format_date(when, language.text(pattern), locale=language.locale))

    return Phrase(said)


def figure(number: int) -> Phrase:
    """10,400."""
    return Phrase(lambda language: str(format_decimal(number, locale=language.locale)))


def joined(parts: Iterable[str], between: str = " ") -> Phrase:
    """The parts, some of them phrases, one after the other; those that are empty are left out."""
    kept = [part for part in parts if part]
    return Phrase(lambda language: between.join(language.say(part) for part in kept))


def _filled(text: str, values: dict[str, object], language: Language) -> str:
    return text.format(**{name: language.say(value) for name, value in values.items()}) if values else text
