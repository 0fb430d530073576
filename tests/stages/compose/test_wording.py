"""Subject and preheader."""

from hypothesis import given
from hypothesis import strategies as st

from app.stages.compose.wording import PREHEADER, preheader, subject


def test_the_subject_is_the_leads_headline_and_never_yesterdays() -> None:
    """The same words two days running say that they are."""
    assert subject("Small models, big week", "Other news") == "Small models, big week"
    assert subject("Small models, big week", "Small models, big week") == "Small models, big week, continued"


def test_the_preheader_is_a_clause_on_the_lead_two_headlines_and_the_minutes() -> None:
    """As many headlines as fit."""
    made = preheader("It fits on one card. And more.", ["How tests age", "On dull notes", "Third"], 9)
    assert made == "It fits on one card. Also: How tests age and On dull notes. 9 minutes."


@given(st.text(min_size=1, max_size=600), st.lists(st.text(min_size=1, max_size=200), max_size=4), st.integers(1, 60))
def test_the_preheader_is_never_empty_and_never_too_long(standfirst: str, others: list[str], minutes: int) -> None:
    """About 110 characters at most, whatever the desk wrote."""
    made = preheader(standfirst, others, minutes)
    assert made.endswith("minutes." if minutes != 1 else "minute.")
    assert len(made) <= PREHEADER
