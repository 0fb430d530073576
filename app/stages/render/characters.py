"""Characters that mean nothing in a paper, and that XML, mail or a terminal refuses or obeys. Pure."""

import re

from app.core.text import is_printable_ascii

_NEVER = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and line feed (XML 1.0 section 2.2, and C1)
    "\ud800-\udfff\ufffe\uffff]"  # halves of pairs and noncharacters, which no XML parser takes
)
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """`text` without controls and noncharacters."""
    return text if is_printable_ascii(text) else _NEVER.sub("", text)


def one_line(text: str) -> str:
    """`text` on one line, without the signs that would turn the direction of all that follows."""
    return " ".join(undirected(text).split())


def undirected(text: str) -> str:
    """`text` with its blanks, without controls and without the signs that would turn the direction of what follows."""
    return _TURNS.sub("", printable(text))
