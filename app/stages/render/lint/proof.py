"""A proof of an edition: its content, all that was made of it, and what the rules must know beside."""

import html as markup
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from lxml import etree

from app.core.mail.template import Pieces, Slot
from app.core.publication import Publication
from app.models.content import EditionContent
from app.models.links import Looked

SHORT = 60


class Field(NamedTuple):
    """A piece of what people wrote; `display` is what stands large, or in an inbox."""

    where: str
    words: str
    display: bool


@dataclass(frozen=True)
class Proof:
    """`source` is the MJML; `html` and `text` are the mail with all sections, cut at its slots."""

    content: EditionContent
    publication: Publication
    source: str
    html: Pieces
    text: Pieces
    values: Mapping[Slot, str]
    """An invented reader's, plain text."""
    now: datetime
    looked: Mapping[str, Looked] | None = None
    """What is known of the addresses it links to; None where nobody asked."""

    @cached_property
    def page(self) -> str:
        """The HTML as a reader gets it."""
        return self.html.fill({name: markup.escape(value) for name, value in self.values.items()})

    @cached_property
    def words(self) -> str:
        """The text part as a reader gets it."""
        return self.text.fill(self.values)

    @cached_property
    def tree(self) -> etree._Element:
        return etree.fromstring(self.page, etree.HTMLParser())

    @property
    def sheets(self) -> list[str]:
        """The style sheets in the head."""
        return [one.text or "" for one in self.tree.iter("style")]

    def fields(self) -> Iterator[Field]:
        """What people wrote into it. Names on the charts are strangers' and are not ours to mend."""
        yield Field("subject", self.content.subject, display=True)
        yield Field("preheader", self.content.preheader, display=True)
        for piece in self.content.pieces:
            for name in ("headline", "standfirst", "byline", "source"):
                yield Field(f"{name} of story {piece.story_id}", getattr(piece, name), display=True)
            yield Field(f"body of story {piece.story_id}", piece.body_text, display=False)


def short(words: str) -> str:
    """The beginning of `words`, on one line, fit to be quoted."""
    line = " ".join(words.split())
    return line if len(line) <= SHORT else line[: SHORT - 1].rstrip() + "…"


def said(element: etree._Element) -> str:
    """What an element says, on one line."""
    return " ".join("".join(element.itertext()).split())
