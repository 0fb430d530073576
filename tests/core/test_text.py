"""Which characters of what people write are kept."""

import pytest

from app.core.text import cleaned, escaped, is_clean

KEPT = [
    "Le Matin\u00a0: Lyon", "10\u202f000", "東京\u3000新聞", "👩\u200d💻", "می\u200cخواهم", "\u200fעברית",
    "Silben\u00adtrennung",
    "a\u200bb", "tab\there", "O(n^2) 20 °C № 5", "e\u0301", "\U000e0001",
]  # fmt: skip
REFUSED = ["a\0b", "\x1b[31mred", "a\x7f", "a\x85b", "a\u2028b", "a\u2029b", "a\ud800b", "a\x9bb", "a\rb", "a\x0cb"]


@pytest.mark.parametrize("text", KEPT)
def test_text_of_any_language_is_clean(text: str) -> None:
    """Spaces, joiners, marks of direction and soft hyphens are text."""
    assert is_clean(text)
    assert cleaned(text) == escaped(text) == text


@pytest.mark.parametrize("text", REFUSED)
def test_controls_surrogates_and_separators_are_not(text: str) -> None:
    """Nothing of them reaches a terminal either."""
    assert not is_clean(text)
    assert not is_clean(text, lines=True)
    assert is_clean(cleaned(text))
    assert is_clean(escaped(text))
    assert len(escaped(text)) > len(text)


def test_a_line_feed_is_text_where_there_are_lines() -> None:
    """In a body, not in a headline."""
    assert is_clean("a\nb", lines=True)
    assert not is_clean("a\nb")
    assert cleaned("a\nb") == "ab"
