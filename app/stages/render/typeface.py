"""Text in a picture: Gelasio (OFL, beside this module), measured, broken into lines and drawn, a font a piece.

The files are cut by alphabet; each character is drawn by the first that has it.
"""

import io
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import ImageDraw, ImageFont

from app.stages.render.characters import one_line

_FOLDER = Path(__file__).parent / "fonts" / "gelasio"
_ALPHABETS = ("latin", "latin-ext")
_NOBODYS = "\uffff"
"""A noncharacter: a font answers it, and whatever else it lacks, with the same empty box."""
_MORE = "…"


class Typeface:
    """One weight of Gelasio, 400 or 700. Sizes and lengths are pixels; a place is the left end of the base line."""

    def __init__(self, weight: int) -> None:
        self._weight = weight
        self._fonts: dict[int, list[ImageFont.FreeTypeFont]] = {}
        self._lengths: dict[tuple[str, int], float] = {}

    def covers(self, text: str) -> bool:
        """Can it be read when drawn? Pictures and invisible characters may be left out; letters and signs such as an
        arrow or a "less than", without which it would say something else, not.
        """
        return all(self._place(sign) is not None for sign in _composed(one_line(text)) if _says_something(sign))

    def length(self, text: str, size: int) -> float:
        if (text, size) not in self._lengths:
            self._lengths[text, size] = sum(font.getlength(run) for font, run in self._runs(text, size))
        return self._lengths[text, size]

    def cut(self, text: str, size: int, width: float) -> str:
        """`text`, or as much of its beginning as `width` holds."""
        if self.length(text, size) <= width:
            return text
        while text and self.length(text + _MORE, size) > width:
            text = text[:-1]
        return text.rstrip() + _MORE

    def lines(self, text: str, size: int, width: float) -> list[str]:
        """`text` broken between words; a word that is wider than a line, anywhere."""
        made, end, space = [""], 0.0, self.length(" ", size)
        known = "".join(sign for sign in _composed(one_line(text)) if self._place(sign) is not None)
        for word in known.split():
            wide = self.length(word, size)
            if made[-1] and end + space + wide <= width:
                made[-1] += f" {word}"
                end += space + wide
            else:
                made.extend(self._broken(word, size, width) if wide > width else [word])
                end = self.length(made[-1], size)
        return [line for line in made if line]

    def fitted(
        self, text: str, width: float, height: float, *, sizes: Iterable[int], leading: float
    ) -> tuple[int, list[str]]:
        """The first of `sizes`, largest first, at which `text` fits, and its lines; at the last one it is cut."""
        size, lines, room = 0, [""], 1
        for size in sizes:
            lines, room = self.lines(text, size, width), max(1, int(height / (size * leading)))
            if len(lines) <= room:
                return size, self._balanced(text, size, width, lines)
        kept = lines[:room]
        return size, [*kept[:-1], self.cut(kept[-1] + " " + lines[room], size, width)]

    def draw(
        self, draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, fill: str, spacing: int = 0
    ) -> None:
        left, line = at
        for font, run in self._runs(text, size):
            for piece in run if spacing else (run,):
                draw.text((left, line), piece, fill, font, anchor="ls")
                left += font.getlength(piece) + spacing

    def _balanced(self, text: str, size: int, width: float, lines: list[str]) -> list[str]:
        """As many lines, as even as they go: none ends with a single short word."""
        narrow, wide = max((self.length(word, size) for word in text.split()), default=width), width
        while wide - narrow > size / 4:
            middle = (narrow + wide) / 2
            tried = self.lines(text, size, middle)
            if len(tried) > len(lines):
                narrow = middle
            else:
                lines, wide = tried, middle
        return lines

    def _broken(self, word: str, size: int, width: float) -> list[str]:
        made = [""]
        for sign in word:
            if made[-1] and self.length(made[-1] + sign, size) > width:
                made.append("")
            made[-1] += sign
        return made

    def _runs(self, text: str, size: int) -> Iterator[tuple[ImageFont.FreeTypeFont, str]]:
        """Pieces of `text` that one font has. What none has is left out."""
        if size not in self._fonts:
            self._fonts[size] = [_font(self._weight, alphabet, size) for alphabet in _ALPHABETS]
        for place, signs in groupby(_composed(text), key=self._place):
            if place is not None:
                yield self._fonts[size][place], "".join(signs)

    def _place(self, sign: str) -> int | None:
        return _place(self._weight, sign)


def _says_something(sign: str) -> bool:
    """The first block of pictures begins at U+1F000."""
    return unicodedata.category(sign)[0] in "LNPS" and sign < "\U0001f000"


def _composed(text: str) -> str:
    """`text` with accents joined to their letters, for the fonts know them that way."""
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=4096)
def _place(weight: int, sign: str) -> int | None:
    """Which font of the weight has `sign`."""
    for place, alphabet in enumerate(_ALPHABETS):
        font = _font(weight, alphabet, 32)
        if sign.isspace() or bytes(font.getmask(sign)) != bytes(font.getmask(_NOBODYS)):
            return place
    return None


@lru_cache(maxsize=16)
def _data(weight: int, alphabet: str) -> bytes:
    return (_FOLDER / f"gelasio-{alphabet}-{weight}-normal.woff").read_bytes()


def _font(weight: int, alphabet: str, size: int) -> ImageFont.FreeTypeFont:
    # Without Raqm, which needs a library that not every machine has and would change the drawing.
    return ImageFont.truetype(io.BytesIO(_data(weight, alphabet)), size, layout_engine=ImageFont.Layout.BASIC)
