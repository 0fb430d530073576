"""Markdown to the HTML that may be mailed, and to plain words. Pure.

Raw HTML is allowed in and cleaned out by nh3: no scripts, no images, no forms, links to the web or a mailbox only.
"""

import re
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt

WORDS_A_MINUTE = 220
_TAGS = {"p", "br", "em", "strong", "a", "ul", "ol", "li", "blockquote", "code"}
_BLOCKS = {"p", "ul", "ol", "li", "blockquote"}
_HEADING = re.compile(r"<(/?)h[1-6]\b[^<>]*>")
_markdown = MarkdownIt("commonmark")


def to_html(markdown: str) -> str:
    """Sanitised HTML of paragraphs, lists, quotes, emphasis, code and links; other tags leave their words behind."""
    made = _markdown.render(markdown)
    made = _HEADING.sub(lambda match: "</strong></p>" if match[1] else "<p><strong>", made)
    cleaned = nh3.clean(
        made,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        clean_content_tags={"script", "style"},
        link_rel=None,
        strip_comments=True,
    )
    return re.sub(r"<p>\s*</p>", "", cleaned).strip()


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._href = ""
        self._since = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._href, self._since = dict(attrs).get("href") or "", len(self.parts)
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag == "br":
            self.parts.append("\n")
        elif tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            shown = "".join(self.parts[self._since :]).strip()
            if self._href and self._href.removeprefix("mailto:") != shown:
                self.parts.append(f" ({self._href})")
            self._href = ""
        elif tag in _BLOCKS - {"li"}:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(re.sub(r"\s+", " ", data))


def to_text(sanitised: str) -> str:
    """The words of `to_html`'s result: paragraphs apart by a blank line, links as `words (address)`."""
    parser = _Words()
    parser.feed(sanitised)
    parser.close()
    text = "".join(parser.parts)
    text = re.sub(r"(?<![ \t])[ \t]*\n[ \t]*", "\n", text)
    text = re.sub(r"\n-\s*\n", "\n- ", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def minutes(*texts: str) -> int:
    """How long the words take to read, in whole minutes, at least one."""
    words = sum(len(text.split()) for text in texts)
    return max(1, round(words / WORDS_A_MINUTE))
