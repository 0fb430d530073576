"""Which languages there are, and which of them a person reads. A language is a folder of `locale/` with a catalogue."""

from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from itertools import islice
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.core.language import ENGLISH, Language

FOLDER = Path(__file__).resolve().parent.parent / "locale"
"""`<tag>/LC_MESSAGES/messages.po`, one a language; it is read at start, so nothing has to be compiled."""

_MOST_RANGES = 20


@cache
def available() -> tuple[Language, ...]:
    """English, and every language with a catalogue, by tag."""
    files = sorted(FOLDER.glob("*/LC_MESSAGES/messages.po"))
    return (ENGLISH, *(_read(file) for file in files))


def find(tag: str) -> Language | None:
    """The language that is called exactly `tag`, in any case."""
    return next((one for one in available() if one.tag.lower() == tag.lower()), None)


def language_of(tag: str) -> Language:
    """The language called `tag`; English for an empty tag and for one we have no catalogue of."""
    return find(tag) or ENGLISH


def best(accept_language: str) -> Language | None:
    """What the browser asks for that we have: the highest weight, then the first (RFC 9110 section 12.5.4).

    de-AT finds de, as in the lookup of RFC 4647 section 3.4. None where nothing fits or the header says nothing.
    """
    ranges = sorted(_ranges(accept_language), key=lambda one: -one[1])
    for name, weight in ranges:
        if weight <= 0:
            break
        found = ENGLISH if name == "*" else _look_up(name)
        if found:
            return found
    return None


def _look_up(name: str) -> Language | None:
    while name:
        if found := find(name):
            return found
        name = name.rpartition("-")[0]
    return None


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    """(range, weight) in the order of the header. A weight that cannot be read counts as none."""
    for part in islice(header.split(","), _MOST_RANGES):
        name, _, rest = part.partition(";")
        if name.strip():
            yield name.strip()[:64], _weight(rest)


def _weight(parameters: str) -> float:
    name, equals, value = parameters.partition("=")
    if not equals or name.strip().lower() != "q":
        return 1.0
    digits = value.strip()
    if not (digits.isascii() and digits.replace(".", "", 1).isdecimal() and len(digits) <= 5):
        return 0.0
    return min(float(digits), 1.0)


def _read(file: Path) -> Language:
    tag = file.parent.parent.name
    compiled = BytesIO()
    with file.open("rb") as stream:
        write_mo(compiled, read_po(stream, locale=tag.replace("-", "_")))
    compiled.seek(0)
    return Language(tag, GNUTranslations(compiled))
