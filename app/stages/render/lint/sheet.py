"""Takes a style sheet apart: enough for the sheets of a mail."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r"([^{};]*)([{};])")
_PARTS = re.compile(r";(?![^(]*\))")
_IMPORTANT = re.compile(r"\s*!\s*important$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Declaration:
    """`name: value`, with or without !important; both in small letters."""

    name: str
    value: str
    important: bool


@dataclass(frozen=True, slots=True)
class Block:
    """Declarations of some selectors, inside some at-rules (`@media print`), the outermost first."""

    at_rules: tuple[str, ...]
    selectors: tuple[str, ...]
    declarations: tuple[Declaration, ...]


def blocks(sheet: str) -> Iterator[Block]:
    """The blocks of a sheet in order. A rule without a block, such as @import, is one without declarations."""
    inside: list[str] = []
    found: list[str] = []
    for token, sign in _TOKEN.findall(_COMMENT.sub("", sheet)):
        words = token.strip()
        if sign == "{":
            inside.append(words)
            found = []
        elif not inside:
            if words:
                yield Block((words,), (), ())
        else:
            found += [words] if words else []
            if sign == "}":
                if found:
                    yield _block(inside, found)
                inside.pop()
                found = []


def declarations(style: str) -> tuple[Declaration, ...]:
    """What a style attribute says."""
    return tuple(_declaration(part) for part in _PARTS.split(style) if ":" in part)


def _block(inside: list[str], found: list[str]) -> Block:
    at_rules = tuple(one for one in inside if one.startswith("@"))
    selectors = "" if inside[-1].startswith("@") else inside[-1]
    parts = tuple(one.strip() for one in selectors.split(",") if one.strip())
    return Block(at_rules, parts, tuple(_declaration(one) for one in found if ":" in one))


def _declaration(text: str) -> Declaration:
    name, _, value = text.partition(":")
    plain = _IMPORTANT.sub("", value.strip())
    return Declaration(name.strip().lower(), plain.lower(), important=plain != value.strip())
