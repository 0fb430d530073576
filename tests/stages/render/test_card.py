"""The picture shown with an address: of the size that is asked for, small, alike on every machine, without a box."""

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.stages.render.card import HEIGHT, WIDTH, Card, card_of, drawn, front_card
from app.stages.render.typeface import Typeface

from . import sample

CARD = card_of(sample.full(), sample.PAPER)
MOST = 100_000


def picture(card: Card) -> Image.Image:
    return Image.open(io.BytesIO(drawn(card))).convert("RGB")


def inked(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    """How many pixels of a part are dark."""
    return sum(image.crop(box).convert("L").histogram()[:128])


def test_a_card_says_the_paper_the_day_and_the_lead() -> None:
    assert CARD.headline == "A harbour lets its tide tables go"
    assert CARD.corner == "Vol. I · No. 214"
    assert (CARD.left, CARD.right) == ("Friday, 20 November 2026", "9 minutes to read")


@pytest.mark.parametrize("card", [CARD, front_card(sample.PAPER)])
def test_a_card_is_1200_by_630_and_light(card: Card) -> None:
    """Ink where the name, the rule, the headline and the foot stand; paper at the edges."""
    image = picture(card)
    assert image.size == (WIDTH, HEIGHT) == (1200, 630)
    assert len(drawn(card)) < MOST
    for box in ((72, 60, 700, 125), (72, 134, 1128, 140), (72, 200, 1128, 520), (72, 550, 1128, 600)):
        assert inked(image, box) > 500
    for box in ((0, 0, 1200, 40), (0, 0, 60, 630), (1140, 0, 1200, 630), (0, 610, 1200, 630)):
        assert inked(image, box) == 0


def test_the_same_words_make_the_same_bytes() -> None:
    first = drawn(CARD)
    drawn.cache_clear()
    assert drawn(CARD) == first
    assert drawn(replace(CARD, headline="Another")) != first


def test_letters_that_the_fonts_lack_are_never_drawn_as_boxes() -> None:
    """A headline in another alphabet gives way to the paper's name; a sign alone is left out."""
    name = replace(CARD, label="", headline=CARD.name)
    assert drawn(replace(CARD, headline="Маленькая модель")) == drawn(name)
    assert drawn(replace(CARD, headline="Small models 🎉 win")) == drawn(replace(CARD, headline="Small models win"))
    assert Typeface(700).covers("Łódź, Tromsø and Ångström’s “naïve” — 8.5×")
    assert not Typeface(700).covers("東京")


@pytest.mark.parametrize("headline", ["A → B", "If a ⊆ b", "№ 5 ∈ S", "∀x"])
def test_a_headline_whose_signs_cannot_be_drawn_is_not_drawn_without_them(headline: str) -> None:
    """Without its arrow it would say something else."""
    assert not Typeface(700).covers(headline)


def test_a_headline_is_drawn_without_its_pictures_and_soft_hyphens() -> None:
    """O(n^2) and 20 °C can be drawn."""
    assert Typeface(700).covers("Donau\u00addampf 🚀 in O(n^2) at 20\u00a0°C")


def test_an_accent_of_its_own_is_joined_to_its_letter() -> None:
    assert drawn(replace(CARD, headline="Cafe\u0301")) == drawn(replace(CARD, headline="Café"))


def test_lines_fit_and_are_even() -> None:
    """No last line of one short word; a word too long for a line is broken."""
    face = Typeface(700)
    size, lines = face.fitted("The day in AI, set in order before you are up.", 1056, 330, sizes=(92,), leading=1.12)
    assert " ".join(lines) == "The day in AI, set in order before you are up."
    assert all(face.length(line, size) <= 1056 for line in lines)
    assert len(lines[-1].split()) > 1
    assert "".join(face.lines("x" * 400, 44, 1056)) == "x" * 400


@settings(max_examples=25)
@given(st.text(max_size=400), st.text(max_size=80))
def test_any_text_can_be_drawn_and_stays_inside(headline: str, name: str) -> None:
    card = replace(CARD, headline=f"A{headline}", name=name)
    image = picture(card)
    assert len(drawn(card)) < MOST
    assert inked(image, (1136, 0, 1200, 630)) == 0
    assert inked(image, (0, 612, 1200, 630)) == 0
