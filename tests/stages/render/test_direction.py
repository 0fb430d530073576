"""Words that run from right to left, in a paper that does not."""

import pytest

from app.core.text import is_right_to_left
from app.models.content import Piece, Section
from app.stages.render.templates import body, environment

HEBREW, ARABIC = "מודל קטן קורא דפים: Qwen.", "نموذج صغير يقرأ الصفحات."


@pytest.mark.parametrize(
    ("words", "so"),
    [(HEBREW, True), (ARABIC, True), (f"“{HEBREW}”", True), ("2026: " + ARABIC, True),
     ("Qwen reads עברית.", False), ("2026", False), ("", False), ("日本語。", False)],
)  # fmt: skip
def test_the_first_strong_letter_says_how_words_run(words: str, so: bool) -> None:
    assert is_right_to_left(words) is so
    made = environment().from_string("{{ words|way }}").render(words=words)
    assert made == (f'<span dir="rtl">{words}</span>' if so else words)


def test_each_paragraph_has_its_own_direction() -> None:
    """Also where its first letters stand in a tag; what runs as the paper does stays as it is."""
    written = f"<p>{HEBREW}</p><p>Plain words.</p><p><strong>{ARABIC}</strong></p><ul><li>{HEBREW}</li></ul>"
    made = body(Piece(story_id=1, section=Section.LEAD, headline="x", minutes=1, body=written))
    assert made == written.replace(f"<p>{HEBREW}", f'<p dir="rtl">{HEBREW}').replace(
        "<p><strong>", '<p dir="rtl"><strong>'
    ).replace("<li>", '<li dir="rtl">')
