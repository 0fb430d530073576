"""A story's HTML as paragraphs for a plain screen: lists and quotes keep their signs, links become numbers. Pure.

It reads what `templates.body` lets through: paragraphs, lists, quotes, tables, emphasis, code and links, in tags that
pair. Lines of code stay as they are, so that they can be copied and run.
"""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from app.core.markup import spelled
from app.stages.render.plain import WIDTH, Links, verbatim, wrap

_BLOCKS = {"p", "ul", "ol", "li", "blockquote", "pre", "table"}
_BETWEEN = " | "


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`first` stands before its first line, `indent` before the others. Items of a list stand close."""

    lines: tuple[str, ...]
    first: str
    indent: str
    item: bool
    as_it_is: bool = False

    def wrapped(self) -> str:
        """Lines of at most 76 columns, but for those that are printed as they are."""
        starts = (self.first, *[self.indent] * len(self.lines))
        if self.as_it_is:
            return "".join(verbatim(line, start) for start, line in zip(starts, self.lines, strict=False))
        return "".join(wrap(line, self.indent, start) for start, line in zip(starts, self.lines, strict=False))


def written(html: str, links: Links) -> str:
    """The paragraphs of `html`, a blank line between them; its links are numbered by `links`."""
    reader = _Reader(links)
    reader.feed(spelled(html))
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
        self._code = 0  # open `pre`
        self._rows: list[list[str]] | None = None  # of the open table
        self._inner = 0  # tables in it

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._rows is not None and self._in_table(tag, ends=False):
            return
        if tag in _BLOCKS:
            self.end()
        match tag:
            case "a":
                self._href, self._since = dict(attrs).get("href") or "", len(self._words)
            case "br":
                self._words.append("\n")
            case "ul" | "ol":
                self._counts.append(_first(dict(attrs).get("start")) if tag == "ol" else None)
            case "li":
                self._sign = self._next_sign()
                self._around.append(" " * len(self._sign))
            case "blockquote":
                self._around.append("> ")
            case "pre":
                self._code += 1
            case "table":
                self._rows = []

    def handle_endtag(self, tag: str) -> None:
        if self._rows is not None and self._in_table(tag, ends=True):
            return
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
            case "pre" if self._code:
                self._code -= 1

    def handle_data(self, data: str) -> None:
        self._words.append(data if self._code else re.sub(r"\s+", " ", data))

    def end(self) -> None:
        """Keeps the paragraph that was read, if it says anything."""
        lines = "".join(self._words).strip("\n").split("\n")
        self._words.clear()
        if self._code:
            self._keep(lines, as_it_is=True)
        else:
            self._keep([line for line in lines if line.strip()])

    def _keep(self, lines: list[str], *, as_it_is: bool = False) -> None:
        if not any(line.strip() for line in lines):
            return
        indent = "".join(self._around)
        first = indent[: len(indent) - len(self._sign)] + self._sign
        self.found.append(Paragraph(tuple(lines), first, indent, bool(self._counts) and not as_it_is, as_it_is))
        self._sign = ""

    def _in_table(self, tag: str, *, ends: bool) -> bool:
        """Reads a tag within a table; False for links, which are read as everywhere."""
        assert self._rows is not None
        if tag == "a":
            return False
        if tag == "table":
            self._inner += -1 if ends else 1
            if self._inner < 0:
                self._inner = 0
                self._end_table()
        elif tag in ("td", "th", "tr") and not self._inner:
            self._end_cell()
            if tag == "tr" and not ends:
                self._rows.append([])
            elif tag != "tr" and not ends and self._rows:
                self._rows[-1].append("")
        elif tag in _BLOCKS or tag in ("br", "td", "th", "tr"):
            self._words.append(" ")
        return True

    def _end_cell(self) -> None:
        words = " ".join("".join(self._words).split())
        self._words.clear()
        if self._rows and words:
            self._rows[-1][-1:] = [" ".join(filter(None, (*self._rows[-1][-1:], words)))]

    def _end_table(self) -> None:
        """In columns where they fit beside each other, else a row after the other."""
        self._end_cell()
        rows = [row for row in self._rows or () if any(row)]
        self._rows = None
        columns = max(map(len, rows), default=0)
        widths = [max(len(row[at]) if at < len(row) else 0 for row in rows) for at in range(columns)]
        if sum(widths) + len(_BETWEEN) * (columns - 1) + len("".join(self._around)) > WIDTH:
            self._keep([_BETWEEN.join(row) for row in rows])
        else:
            lines = [_BETWEEN.join(map(str.ljust, row, widths)) for row in rows]
            self._keep(lines, as_it_is=True)

    def _next_sign(self) -> str:
        if not self._counts or self._counts[-1] is None:
            return "- "
        self._counts[-1] += 1
        return f"{self._counts[-1]}. "


def _first(start: str | None) -> int:
    """What comes before a list's first number; HTML counts from 1 where nothing else is said."""
    return int(start) - 1 if start and len(start) < 6 and start.isascii() and start.isdigit() else 0
