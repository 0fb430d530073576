"""Marks in a stored body: where a section begins and ends, what only the mail or only the web page shows, and slots.

A body names its mark first, so that whoever holds it can cut it. The mark is a random word of the edition, every
mark is built on it, and a body in which a story says that word is refused: nothing written can pass for a mark. Pure.
"""

import re
from enum import StrEnum

from app.core.mail.template import Slot, slot

_FIRST_LINE = re.compile(r"(?:<!--)?([0-9A-Za-z]{6,64})(?:-->)?\n")


class Part(StrEnum):
    """Parts that stand in one form only; sections are the other marked parts."""

    MAIL = "mail"
    WEB = "web"


class Marker:
    """Writes the marks of one body, and counts them."""

    def __init__(self, mark: str, *, html: bool) -> None:
        self._mark = mark
        self._html = html
        self._written = 0

    def open(self, name: str) -> str:
        """Stands before the part `name`: a comment in HTML, a line in text."""
        return self._count(f"<!--{self._mark}+{name}-->" if self._html else f"{self._mark}+{name}\n")

    def close(self, name: str) -> str:
        """Stands after the part `name`."""
        return self._count(f"<!--{self._mark}-{name}-->" if self._html else f"{self._mark}-{name}\n")

    def slot(self, name: str) -> str:
        """Where the value of a slot will stand. Raises ValueError for a slot that nobody fills."""
        return self._count(slot(self._mark, Slot(name)))

    def whole(self, body: str) -> str:
        """`body` with the line that names its mark.

        Raises ValueError where the mark is not a word of 6 to 64 letters and digits, and where `body` holds it more
        or less often than it was written here: then a story says it, or a mark was lost.
        """
        line = f"<!--{self._mark}-->\n" if self._html else f"{self._mark}\n"
        if not _FIRST_LINE.fullmatch(line):
            raise ValueError("a mark is a word of 6 to 64 ASCII letters and digits")
        if body.count(self._mark) != self._written:
            raise ValueError("the edition says its own mark, or lost one")
        return line + body

    def _count(self, text: str) -> str:
        self._written += 1
        return text


def mark_of(body: str) -> str:
    """The mark that `body` was made with. Raises ValueError where it names none."""
    found = _FIRST_LINE.match(body)
    if found is None:
        raise ValueError("this body does not begin with its mark")
    return found[1]


def tokens(mark: str, *, html: bool) -> re.Pattern[str]:
    """Matches the marks around parts; groups are the sign and the name."""
    around = ("<!--", "-->") if html else ("^", "\n")
    return re.compile(f"{around[0]}{mark}([+-])([a-z_]+){around[1]}", re.MULTILINE)
