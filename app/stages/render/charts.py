"""Sparklines: the last fourteen days of one counted thing, as a picture the size of two lines of text. Pure.

The paper is see-through and the ink is of middle grey, so one picture serves light and dark mail. It is named by the
hash of its bytes: whatever drew it, a name means the same picture for as long as there are mails that show it.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw

from app.models.content import EditionContent, Mover

SHOWN = (96, 30)
"""Width and height at which a mail shows it; it has twice the pixels."""
LARGEST = 3_000
"""Bytes. A picture is about 1 kB."""
_PIXELS = (SHOWN[0] * 2, SHOWN[1] * 2)
_FINE = 4  # drawn so many times larger, then reduced: Pillow's own lines have hard edges
_LEFT, _RIGHT, _TOP, _BASE = 4, 8, 8, 52  # pixels: the first and last day, the largest gain, and zero
_LINE, _DOT = "#6E747A", "#C8392C"
Point = tuple[float, float]
Drawing = Callable[[ImageDraw.ImageDraw], None]


@dataclass(frozen=True, slots=True)
class Sparkline:
    """`name` is 32 hexadecimal digits, its place below /charts; `alt` says the numbers where no picture is shown."""

    name: str
    png: bytes
    alt: str


def of_mover(mover: Mover) -> Sparkline | None:
    """The mover's days; None where they are not known, or nothing was gained on any of them."""
    days = mover.spark
    if not days or len(days) < 2 or not max(days):
        return None
    name, png = drawn(days)
    least, most = f"{min(days):,}", f"{max(days):,}"
    return Sparkline(name, png, f"{most if least == most else f'{least} to {most}'} {mover.unit} a day")


def of_content(content: EditionContent) -> dict[str, bytes]:
    """Every picture that an edition shows, by its name."""
    movers = (*content.movers.rows, *content.movers.new) if content.movers else ()
    return {made.name: made.png for made in map(of_mover, movers) if made}


@lru_cache(maxsize=256)
def drawn(days: tuple[int, ...]) -> tuple[str, bytes]:
    """The name and the PNG of at least two days, the oldest first. Zero is the base."""
    line = tuple(_points(days))
    image = Image.new("RGBA", _PIXELS)
    image.alpha_composite(_layer(_LINE, 0.4, _base))
    image.alpha_composite(_layer(_LINE, 1, lambda draw: _curve(draw, line)))
    image.alpha_composite(_layer(_DOT, 1, lambda draw: _round(draw, line[-1], 5)))
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return hashlib.sha256(out.getvalue()).hexdigest()[:32], out.getvalue()


def _points(days: Sequence[int]) -> Iterator[Point]:
    """Where each day stands, in fine pixels."""
    most = max(days) or 1
    step = (_PIXELS[0] - _LEFT - _RIGHT) / (len(days) - 1)
    for place, day in enumerate(days):
        yield (_LEFT + place * step) * _FINE, (_BASE - (_BASE - _TOP) * day / most) * _FINE


def _layer(colour: str, strength: float, draw: Drawing) -> Image.Image:
    """One colour, as opaque as what `draw` painted."""
    mask = Image.new("L", (_PIXELS[0] * _FINE, _PIXELS[1] * _FINE))
    draw(ImageDraw.Draw(mask))
    alpha = mask.reduce(_FINE).point(lambda value: round(value * strength))
    layer = Image.new("RGBA", _PIXELS, colour)
    layer.putalpha(alpha)
    # Colour under nothing is not seen, but it is stored.
    return Image.composite(layer, Image.new("RGBA", _PIXELS), alpha.point(lambda value: 255 if value else 0))


def _base(draw: ImageDraw.ImageDraw) -> None:
    top = (_BASE + 1) * _FINE
    draw.rectangle((_LEFT * _FINE, top, (_PIXELS[0] - _RIGHT) * _FINE - 1, top + 2 * _FINE - 1), fill=255)


def _curve(draw: ImageDraw.ImageDraw, line: Sequence[Point]) -> None:
    draw.line(line, fill=255, width=3 * _FINE, joint="curve")
    for end in (line[0], line[-1]):
        _round(draw, end, 1.5)


def _round(draw: ImageDraw.ImageDraw, middle: Point, radius: float) -> None:
    (x, y), reach = middle, radius * _FINE
    draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
