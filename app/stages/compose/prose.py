"""Markdown (CommonMark, with GFM tables and strikethrough) to the HTML that may be mailed, and to plain words. Pure.

Raw HTML is allowed in and cleaned out by nh3: no scripts, no images, no forms, links to the web or a mailbox only.
"""

import re
from html import escape
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt

from app.core.markup import BLOCKS, spelled, without_false_tags

WORDS_A_MINUTE = 220
_TAGS = {
    "p", "br", "em", "strong", "a", "ul", "ol", "li", "blockquote", "code", "pre", "sup", "sub", "del",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
_SAME = {
    "b": "strong", "i": "em", "cite": "em", "dfn": "em", "var": "em", "s": "del", "strike": "del", "kbd": "code",
    "samp": "code", "tt": "code", "menu": "ul", "dir": "ul", "tfoot": "tbody",
}  # fmt: skip
"""What stands for an element that is not mailed."""
_AROUND = {"q": ("“", "”"), "rt": (" (", ")"), "hr": ("<p>* * *</p>", "")}
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "dt"})
_PARTS = BLOCKS - _TAGS - _SAME.keys() - _HEADINGS - {"hr"}
_KNOWN = _TAGS | _SAME.keys() | _AROUND.keys() | _HEADINGS | _PARTS | {"ruby", "rp"}
_BEGINS = {"p", "ul", "ol", "blockquote", "table"}
_markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def to_html(markdown: str) -> str:
    """Sanitised HTML of paragraphs, lists, quotes, tables, code, emphasis, exponents and links.

    A heading becomes a bold paragraph, a division a paragraph; other tags leave their words behind, and what is no tag
    of HTML (`List<T>`) is text.
    """
    made = without_false_tags(_markdown.render(markdown))
    reader = _Simpler()
    reader.feed(_cleaned(made, _KNOWN))
    reader.close()
    return re.sub(r"<p>\s*</p>", "", _cleaned("".join(reader.parts), _TAGS)).strip()


def _cleaned(markup: str, tags: set[str]) -> str:
    return nh3.clean(
        markup,
        tags=tags,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        clean_content_tags={"script", "style"},
        link_rel=None,
        strip_comments=True,
    )


class _Simpler(HTMLParser):
    """Writes HTML that is in order with fewer elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0  # open `rp`, brackets for programs that know no `rt`

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = _SAME.get(tag, tag)
        if tag == "rp":
            self._unseen += 1
        elif tag in _AROUND:
            self.parts.append(_AROUND[tag][0])
        elif tag in _HEADINGS:
            self.parts.append("<p><strong>")
        elif tag in _PARTS:
            self.parts.append("<p>")
        elif name in _TAGS:
            given = "".join(f' {key}="{escape(value or "")}"' for key, value in attrs)
            self.parts.append(f"<{name}{given}>")

    def handle_endtag(self, tag: str) -> None:
        name = _SAME.get(tag, tag)
        if tag == "rp":
            self._unseen = max(0, self._unseen - 1)
        elif tag in _AROUND:
            self.parts.append(_AROUND[tag][1])
        elif tag in _HEADINGS:
            self.parts.append("</strong></p>")
        elif tag in _PARTS:
            self.parts.append("</p>")
        elif name in _TAGS:
            self.parts.append(f"</{name}>")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(escape(data, quote=False))


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.done: list[str] = []  # paragraphs, and code as it stands
        self._parts: list[str] = []
        self._href = ""
        self._since = 0
        self._code = 0  # open `pre`
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        match tag:
            case "a":
                self._href, self._since = dict(attrs).get("href") or "", len(self._parts)
            case "li":
                self._parts.append("\n- ")
            case "br":
                self._parts.append("\n")
            case "tr":
                self._cells = 0
                self._parts.append("\n")
            case "td" | "th":
                self._parts.append(" | " if self._cells else "")
                self._cells += 1
            case "pre":
                self.end()
                self._code += 1
            case _ if tag in _BEGINS:
                self._parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "a":
                shown = "".join(self._parts[self._since :]).strip()
                if self._href and self._href.removeprefix("mailto:") != shown:
                    self._parts.append(f" ({self._href})")
                self._href = ""
            case "pre" if self._code:
                self.end()
                self._code -= 1
            case _ if tag in _BEGINS:
                self._parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        self._parts.append(data if self._code else re.sub(r"\s+", " ", data))

    def end(self) -> None:
        """Keeps what was read: the lines of code as they are, others without the blanks around them."""
        text = "".join(self._parts)
        self._parts.clear()
        self._since = 0
        if not self._code:
            text = re.sub(r"(?<! ) {2,}", " ", text)
            text = re.sub(r"(?<![ \t])[ \t]*\n[ \t]*", "\n", text)
            text = re.sub(r"\n-\s*\n", "\n- ", text)
            text = re.sub(r"\n{3,}", "\n\n", text).strip()
        if text.strip():
            self.done.append(text.strip("\n"))


def to_text(sanitised: str) -> str:
    """The words of `to_html`'s result: paragraphs apart by a blank line, links as `words (address)`, code as it stands,
    a row of a table as `one | two`.
    """
    parser = _Words()
    parser.feed(spelled(sanitised))
    parser.close()
    parser.end()
    return "\n\n".join(parser.done)


def minutes(*texts: str) -> int:
    """How long the words take to read, in whole minutes, at least one."""
    words = sum(len(text.split()) for text in texts)
    return max(1, round(words / WORDS_A_MINUTE))
