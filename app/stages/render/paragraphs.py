"""A story's HTML as paragraphs for a plain screen: lists and quotes keep their signs, links become numbers. Pure.

It reads what `templates.body` lets through: paragraphs, lists, quotes, emphasis, code and links, in tags that pair.
"""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from app.stages.render.plain import Links, wrap

_BLOCKS = {"p", "ul", "ol", "li", "blockquote"}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`first` stands before its first line, `indent` before the others. Items of a list stand close."""

    lines: tuple[str, ...]
    first: str
    indent: str
    item: bool

    def wrapped(self) -> str:
        starts = (self.first, *[self.indent] * len(self.lines))
        return "".join(wrap(line, self.indent, start) for start, line in zip(starts, self.lines, strict=False))


def written(html: str, links: Links) -> str:
    """The paragraphs of `html`, a blank line between them; its links are numbered by `links`."""
    reader = _Reader(links)
    reader.feed(html)
    reader.close()
    reader.end()
    return joined(reader.found)


def joined(found: list[Paragraph]) -> str:
    """Paragraphs apart by a blank line, items of one list by none."""
    out: list[str] = []
    for place, paragraph in enumerate(found):
        apart = place and not (paragraph.item and found[place - 1].item)
        out += ["\n" if apart else "", paragraph.wrapped()]
    return "".join(out)


class _Reader(HTMLParser):
    def __init__(self, links: Links) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Paragraph] = []
        self._links = links
        self._words: list[str] = []
        self._around: list[str] = []  # what stands before each line: one entry for each open quote and item
        self._counts: list[int | None] = []  # one for each open list: how many items; None where it has no numbers
        self._sign = ""  # of the item that has just begun
        self._href, self._since = "", 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.end()
        match tag:
            case "a":
                self._href, self._since = dict(attrs).get("href") or "", len(self._words)
            case "br":
                self._words.append("\n")
            case "ul" | "ol":
                self._counts.append(0 if tag == "ol" else None)
            case "li":
                self._sign = self._next_sign()
                self._around.append(" " * len(self._sign))
            case "blockquote":
                self._around.append("> ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.end()
        match tag:
            case "a":
                shown = "".join(self._words[self._since :]).strip()
                address = self._href.removeprefix("mailto:")
                self._words.append(self._links.ref(address) if address != shown else "")
                self._href = ""
            case "ul" | "ol" if self._counts:
                self._counts.pop()
            case "li" | "blockquote" if self._around:
                self._around.pop()
                self._sign = ""

    def handle_data(self, data: str) -> None:
        self._words.append(re.sub(r"\s+", " ", data))

    def end(self) -> None:
        """Keeps the paragraph that was read, if it says anything."""
        lines = tuple(line for line in "".join(self._words).split("\n") if line.strip())
        self._words.clear()
        if not lines:
            return
        indent = "".join(self._around)
        first = indent[: len(indent) - len(self._sign)] + self._sign
        self.found.append(Paragraph(lines, first, indent, item=bool(self._counts)))
        self._sign = ""

    def _next_sign(self) -> str:
        if not self._counts or self._counts[-1] is None:
            return "- "
        self._counts[-1] += 1
        return f"{self._counts[-1]}. "
