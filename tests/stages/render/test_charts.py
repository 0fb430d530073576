"""Sparklines: what is drawn is what was counted."""

import io

import pytest
from PIL import Image

from app.models.content import EditionContent, Mover
from app.stages.render import charts
from tests.stages.render import sample

RED, GREY = (200, 57, 44), (110, 116, 122)
RISING = tuple(range(100, 1500, 100))


def pixels(days: tuple[int, ...]) -> Image.Image:
    return Image.open(io.BytesIO(charts.drawn(days)[1])).convert("RGBA")


def inked(image: Image.Image, colour: tuple[int, int, int], least: int = 200) -> set[tuple[int, int]]:
    """Where `colour` stands, nearly opaque."""
    found = {}
    for x in range(image.width):
        for y in range(image.height):
            found[x, y] = image.getpixel((x, y))
    return {
        at
        for at, pixel in found.items()
        if isinstance(pixel, tuple)
        and pixel[3] >= least
        and all(abs(a - b) < 12 for a, b in zip(pixel, colour, strict=False))
    }


def mover(spark: tuple[int, ...] | None, unit: str = "stars") -> Mover:
    return Mover(name="a/b", url="https://github.com/a/b", site="GitHub", unit=unit, now=1, spark=spark)


def test_it_has_twice_the_pixels_and_see_through_paper() -> None:
    """So that it is sharp on a phone and lies on any colour."""
    image = pixels(RISING)
    assert image.size == (192, 60)
    assert image.getpixel((0, 0)) == (0, 0, 0, 0)
    assert len(inked(image, GREY)) > 100


def test_the_line_rises_and_ends_in_a_red_dot() -> None:
    """The largest day stands at the top, at the right edge."""
    image = pixels(RISING)
    dot = inked(image, RED)
    assert min(x for x, _ in dot) > 175
    assert max(y for _, y in dot) < 16
    line = inked(image, GREY)
    left = [y for x, y in line if x < 40 and y < 52]
    right = [y for x, y in line if 140 < x < 170 and y < 52]
    assert min(left) > max(right)


def test_zero_is_the_base() -> None:
    """A tenth of the largest day stands at a tenth of the height, not at the bottom: small growth looks small."""
    steady = inked(pixels((1000, 990, 1000, 985, 1000, 990, 1000, 995, 1000, 990, 1000, 985, 990, 1000)), GREY)
    assert max(y for _, y in steady if y < 52) < 14
    nothing = inked(pixels((0,) * 13 + (10,)), GREY)
    assert min(y for x, y in nothing if x < 150) >= 49


@pytest.mark.parametrize("days", [RISING, (0, 1) * 7, (1, 0) * 6 + (0, 10**9), *sample.DAYS.values()])
def test_it_is_small(days: tuple[int, ...]) -> None:
    """Under 3 kB; a jagged one too."""
    assert len(charts.drawn(days)[1]) <= charts.LARGEST


def test_equal_days_are_one_picture() -> None:
    """The name is the hash of the bytes; the second time nothing is drawn."""
    name, png = charts.drawn(RISING)
    assert charts.drawn(tuple(RISING)) == (name, png)
    charts.drawn.cache_clear()
    assert charts.drawn(RISING) == (name, png)
    assert charts.drawn(RISING[::-1])[0] != name
    assert len(name) == 32


@pytest.mark.parametrize(
    ("spark", "said"),
    [
        ((140, 2310) * 7, "140 to 2,310 stars a day"),
        ((0,) * 9 + (890,) * 5, "0 to 890 stars a day"),
        ((7,) * 14, "7 stars a day"),
    ],
)
def test_the_words_carry_the_numbers(spark: tuple[int, ...], said: str) -> None:
    """The least and the most of a day."""
    made = charts.of_mover(mover(spark))
    assert made is not None
    assert made.alt == said


@pytest.mark.parametrize("spark", [None, (), (5,), (0,) * 14])
def test_nothing_to_show_is_not_shown(spark: tuple[int, ...] | None) -> None:
    """Unknown, one day only, or nothing gained."""
    assert charts.of_mover(mover(spark)) is None


@pytest.mark.parametrize(("content", "many"), [(sample.full(), 6), (sample.bare(), 0)])
def test_an_edition_knows_its_pictures(content: EditionContent, many: int) -> None:
    """Those of the movers and of the newcomers."""
    assert len(charts.of_content(content)) == many
