"""One clean line out of whatever a stranger wrote."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.collect.words import LONGEST, one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (None, ""),
        (" \t\n ", ""),
        ("Fast  inference\nfor\tall", "Fast inference for all"),
        ("🚀 A model :sparkles: that 👩\u200d💻 codes ⚡\ufe0f", "A model that codes"),
        (":rocket::fire: std::vector::iterator with a key:value:pair", "std::vector::iterator with a key:value:pair"),
        ("Counts 1\ufe0f⃣2\ufe0f⃣3\ufe0f⃣ to three", "Counts 123 to three"),
        ("Safe\x00 as\x1b[31m houses\x07", "Safe as[31m houses"),
        ("Turned \u202egnp.exe\u202c around", "Turned gnp.exe around"),
        ("مكتبة لتعلم الآلة", "مكتبة لتعلم الآلة"),
        ("half a pair \ud83d of surrogates", "half a pair of surrogates"),
        ("e\u0301tude", "\u00e9tude"),
        ("| - a tool - |", "a tool"),
        ("Attention in O(n^2), 2^10 and `x`", "Attention in O(n^2), 2^10 and `x`"),
        ("20 °C or 20°C, № 5, ℃, Ω ™ © ® ¨ ´ ♭", "20 °C or 20°C, № 5, ℃, Ω ™ © ® ¨ ´ ♭"),
        ("A ← B ⇒ C ⇐ D ↔ E ➡\ufe0f F ➕ G ≤ H", "A ← B ⇒ C ⇐ D ↔ E ➡ F ➕ G ≤ H"),
        ("Done ✓, not ✗; ☐ ■ ★", "Done ✓, not ✗; ☐ ■ ★"),
        ("Model™\ufe0f ❤\ufe0f of ⚠\ufe0f © 🇩🇪 2\ufe0f⃣", "Model™ of © 2"),
        ("می\u200cخواهم و کتاب\u200cها", "می\u200cخواهم و کتاب\u200cها"),
        ("क\u094d\u200dष and ശ\u0d4d\u200d", "क\u094d\u200dष and ശ\u0d4d\u200d"),
        ("Donau\u00addampf\u00adschiff", "Donau\u00addampf\u00adschiff"),
        ("ភាសា\u200bខ\u17d2មែរ", "ភាសា\u200bខ\u17d2មែរ"),
        ("\u200eabc (\u200fשלום)", "\u200eabc (\u200fשלום)"),
        ("葛\U000e0100飾", "葛\U000e0100飾"),
        ("a\U000e0100\U000e0101\U000e0102b\ufe0f", "ab"),
        ("hidden\U000e0041\U000e0042 words\ufeff", "hidden words"),
        ("-40 °C in the harbour", "-40 °C in the harbour"),
        ("- 40 cranes", "40 cranes"),
        ("| −1 |", "−1"),
        ("\u200b \u00ad\u200e", ""),
        ("🚀", ""),
    ],
)
def test_what_strangers_wrote_becomes_one_clean_line(text: str | None, line: str) -> None:
    """No pictures, no control characters, no turned reading direction; letters of every script stay."""
    assert one_line(text) == line


def test_a_long_description_ends_at_a_word() -> None:
    """Never in the middle of one, and with a mark that says so."""
    line = one_line("Retrieval, ranking and reading for documents, " * 130)
    assert len(line) <= LONGEST
    assert line.endswith("reading for documents…")


def test_a_script_without_spaces_is_cut_at_its_own_commas() -> None:
    """Or, without any, where the room ends."""
    assert one_line("語料、" * 100) == "語料、" * 45 + "語料…"
    assert one_line("語" * 500) == "語" * (LONGEST - 1) + "…"


@given(st.text(st.characters(), max_size=400))
def test_any_text_gives_a_printable_line_that_stays_as_it_is(text: str) -> None:
    """Whatever comes in: short enough, storable, one line; cleaning it again changes nothing."""
    line = one_line(text)
    assert len(line) <= LONGEST
    assert line.encode().decode() == line
    assert all(
        sign == " " or unicodedata.category(sign) not in ("Cc", "Cs", "Co", "Cn", "Zs", "Zl", "Zp") for sign in line
    )
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert one_line(line) == line
