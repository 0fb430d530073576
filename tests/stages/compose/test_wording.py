"""Subject and preheader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.compose.wording import LEAST, LONGEST, PREHEADER, SHORTEST, preheader, subject

FITS = "Eleven hospitals go back to pencils"
LONG = "Eleven hospitals go back to pencils, and find that nobody had kept any paper"
WORDS = st.text(alphabet=st.characters(categories=("L", "N", "P", "Zs")), min_size=1, max_size=200).filter(str.strip)


@pytest.mark.parametrize(
    ("headline", "before", "others", "made"),
    [
        (FITS, "Other news", [], FITS),
        (LONG, None, [], FITS),
        ("A" + " word" * 20, None, [], "A word word word word word word word word word…"),
        ("A very long line without a clause that ends on the word", None, [],
         "A very long line without a clause that ends…"),
        ("Small models", None, ["How tests age"], "Small models; also: How tests age"),
        ("Small models", None, ["No"], "Small models"),
        ("Small models", None, [LONG], "Small models; also: Eleven hospitals go back…"),
        ("Small models", None, [LONG, "How tests age"], "Small models; also: How tests age"),
        (FITS, FITS, [], FITS + ", continued"),
        (FITS, FITS.upper(), [], FITS + ", continued"),
        (FITS, FITS + ", continued", [], FITS),
        ("Small models", "Small models", ["How tests age"], "Small models; also: How tests age"),
    ],
)  # fmt: skip
def test_the_subject_is_the_leads_headline(headline: str, before: str | None, others: list[str], made: str) -> None:
    """Cut at a clause, else at a word; with another headline where it is short; never the one before."""
    assert subject(headline, before, others) == made


@given(WORDS, st.none() | WORDS, st.lists(WORDS, max_size=4))
def test_a_subject_is_never_empty_never_too_long_and_never_the_one_before(
    headline: str, before: str | None, others: list[str]
) -> None:
    """Also where the paper before had this very subject."""
    made = subject(headline, before, others)
    assert made.strip()
    assert len(made) <= LONGEST
    assert len(made) >= min(SHORTEST, len(" ".join(headline.split()))) or "…" in made
    assert subject(headline, made, others).casefold() != made.casefold()


def test_the_preheader_is_a_clause_on_the_lead_headlines_and_the_minutes() -> None:
    """Of the choices that are long enough, the one with two headlines."""
    made = preheader(
        "The ward clerks had kept their pencils. And more.", ["How tests age", "On dull notes", "Third"], 9
    )
    assert made == "The ward clerks had kept their pencils. Also: How tests age and On dull notes. 9 minutes."
    short = preheader("It fits on one card. And it costs little more than that.", ["How tests age", "Dull notes"], 9)
    assert LEAST <= len(short) <= PREHEADER


def test_the_preheader_does_not_say_the_subject_again() -> None:
    """Neither from the standfirst nor as another headline."""
    made = preheader(f"{FITS}. The ward clerks are content with it so far.", [FITS, "How tests age"], 9, FITS)
    assert FITS not in made
    assert made.startswith("The ward clerks")


@given(WORDS, st.lists(WORDS, max_size=4), st.integers(1, 60), WORDS)
def test_the_preheader_is_never_empty_and_never_too_long(
    standfirst: str, others: list[str], minutes: int, subject: str
) -> None:
    """110 characters at most, whatever the desk wrote."""
    made = preheader(standfirst, others, minutes, subject)
    assert made.endswith("minutes." if minutes != 1 else "minute.")
    assert len(made) <= PREHEADER


@given(st.lists(st.sampled_from(["pencils", "wards", "hospitals", "notes"]), min_size=20, max_size=60))
def test_a_lead_with_words_enough_makes_a_preheader_long_enough(words: list[str]) -> None:
    """80 characters or more."""
    assert LEAST <= len(preheader(" ".join(words), [], 9, FITS)) <= PREHEADER
