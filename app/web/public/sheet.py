"""What the front page shows of an edition. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from app.core.language import forms, joined, plural, say
from app.models.content import TITLES, EditionContent, Piece, Section
from app.stages.render.wording import credit, issue
from app.web.public.movers import MoverList, mover_list
from app.web.wording import in_words

_PARAGRAPH = re.compile(r"<p>.*?</p>", re.DOTALL)
_PARAGRAPHS = 2
_PIECES = 3


@dataclass(frozen=True, slots=True)
class Teaser:
    """One of the three pieces under the lead."""

    label: str
    headline: str
    standfirst: str
    credit: str
    opinion: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """The front page of one edition."""

    date: date
    issue: str
    minutes: int
    minutes_in_words: str
    lead: Piece
    opening: Markup
    movers: MoverList | None
    teasers: tuple[Teaser, ...]
    also: str


def sheet_of(content: EditionContent) -> Sheet:
    """The front page of `content`."""
    shown = _chosen(content)
    return Sheet(
        date=content.date,
        issue=issue(content.volume, content.number),
        minutes=content.minutes,
        minutes_in_words=in_words(content.minutes),
        lead=content.lead,
        opening=opening(content.lead),
        movers=mover_list(content.movers),
        teasers=tuple(_teaser(piece) for piece in shown),
        also=_also(content, shown),
    )


def opening(piece: Piece) -> Markup:
    """The first paragraphs of a story. Its HTML was sanitised before it was stored."""
    paragraphs = _PARAGRAPH.findall(piece.body)[:_PARAGRAPHS]
    if paragraphs:
        return Markup("\n".join(paragraphs))  # noqa: S704  # sanitised by nh3 when the story came in
    plain = [part.strip() for part in piece.body_text.split("\n\n") if part.strip()]
    return Markup("\n").join(Markup("<p>{}</p>").format(part) for part in plain[:_PARAGRAPHS])


def _chosen(content: EditionContent) -> tuple[Piece, ...]:
    """A long read, an argument and something for the weekend; where one is missing, the next best."""
    first = (content.deep_dive, *content.opinion[:1], *content.weekend[:1])
    others = (*content.opinion[1:], *content.weekend[1:], *content.tools)
    picked = [piece for piece in (*first, *others) if piece is not None][:_PIECES]
    return tuple(sorted(picked, key=lambda piece: list(Section).index(piece.section)))


def _teaser(piece: Piece) -> Teaser:
    opinion = piece.section is Section.OPINION
    return Teaser(
        label=say("Opinion") if opinion else TITLES[piece.section],
        headline=piece.headline,
        standfirst=piece.standfirst,
        credit=joined((piece.byline if opinion else "", credit(piece)), between=", "),
        opinion=opinion,
    )


def _also(content: EditionContent, shown: Sequence[Piece]) -> str:
    """Four tools, two arguments, 13 chart entries: what the front page has no room for."""
    left = [piece for piece in content.pieces if piece not in shown and piece is not content.lead]
    of = {section: sum(1 for piece in left if piece.section is section) for section in Section}
    charted = sum(len(chart.rows) for chart in content.charts)
    parts = (
        (of[Section.DEEP_DIVE], *forms("one long read", "{number} long reads")),
        (of[Section.OPINION], *forms("one argument", "{number} arguments")),
        (of[Section.TOOLS], *forms("one tool", "{number} tools")),
        (charted, *forms("one chart entry", "{number} chart entries")),
        (of[Section.WEEKEND], *forms("one piece for the weekend", "{number} pieces for the weekend")),
    )
    return joined((plural(one, many, n, number=in_words(n)) for n, one, many in parts if n), between=", ")
