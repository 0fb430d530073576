"""The picture that is shown with an address: 1200 by 630, in the paper's look (ogp.me). The same words, the same bytes.

It is drawn with the fonts beside this module and without a shaping library, so that every machine draws it alike.
"""

import io
from dataclasses import dataclass, replace
from functools import lru_cache

from PIL import Image, ImageDraw

from app.core.publication import Publication
from app.models.content import TITLES, EditionContent, Section
from app.stages.render.typeface import Typeface
from app.stages.render.wording import full_date, masthead, minutes_to_read

WIDTH, HEIGHT = 1200, 630
_PAPER, _INK, _MUTED, _SPOT, _RULE = "#FBFBF8", "#16181B", "#5A5F66", "#A3161F", "#D2D2CB"
_LEFT, _RIGHT = 72, WIDTH - 72
_TOP, _BOTTOM = 222, 522
"""Between these lies the headline."""
_LEADING = 1.12
_COLOURS = 32
PROMISE = "The day in AI, set in order before you are up."


@dataclass(frozen=True, slots=True)
class Card:
    """What stands on it. Where `headline` cannot be drawn, the paper's name takes its place."""

    name: str
    corner: str
    label: str
    headline: str
    left: str
    right: str


def card_of(content: EditionContent, publication: Publication) -> Card:
    """The card of an edition."""
    return Card(
        name=publication.name,
        corner=str(masthead(content)),
        label=TITLES[Section.LEAD],
        headline=content.lead.headline,
        left=str(full_date(content.date)),
        right=str(minutes_to_read(content.minutes)),
    )


def front_card(publication: Publication) -> Card:
    """The card of the paper."""
    address = publication.public_url.partition("://")[2]
    return Card(publication.name, "", "", PROMISE, "One email each morning, and then it ends.", address)


@lru_cache(maxsize=64)
def drawn(card: Card) -> bytes:
    """`card` as a PNG in a few shades of the paper's inks."""
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    draw = ImageDraw.Draw(image)
    bold, regular = Typeface(700), Typeface(400)
    if not bold.covers(card.headline):
        card = replace(card, label="", headline=card.name)
    corner = regular.length(card.corner, 26)
    regular.draw(draw, (_RIGHT - corner, 108), card.corner, 26, _MUTED)
    bold.draw(draw, (_LEFT, 108), bold.cut(card.name, 50, _RIGHT - _LEFT - corner - 40), 50, _INK)
    draw.rectangle((_LEFT, 134, _RIGHT, 139), _INK)
    draw.rectangle((_LEFT, 144, _RIGHT, 145), _INK)
    bold.draw(draw, (_LEFT, 196), card.label.upper(), 22, _SPOT, spacing=2)
    _headline(draw, bold, card)
    draw.rectangle((_LEFT, 540, _RIGHT, 541), _RULE)
    right = regular.length(card.right, 28)
    regular.draw(draw, (_RIGHT - right, 584), card.right, 28, _MUTED)
    regular.draw(draw, (_LEFT, 584), regular.cut(card.left, 28, _RIGHT - _LEFT - right - 40), 28, _MUTED)
    out = io.BytesIO()
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _headline(draw: ImageDraw.ImageDraw, bold: Typeface, card: Card) -> None:
    top = _TOP if card.label else _TOP - 30
    size, lines = bold.fitted(card.headline, _RIGHT - _LEFT, _BOTTOM - top, sizes=range(92, 43, -4), leading=_LEADING)
    for number, line in enumerate(lines):
        bold.draw(draw, (_LEFT, top + round(size * (0.86 + number * _LEADING))), line, size, _INK)
