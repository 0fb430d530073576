"""Where a sign-up came from, as links, forms and programs tell it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidInput
from app.core.text import is_clean
from app.stages.audience.origin import HIDDEN, LONGEST_SOURCE, LONGEST_UTM, Origin, of_fields, of_link
from app.stages.audience.placements import address_of, code_of

TEXT = st.text(st.characters(codec=None), max_size=300)
QUERIES = st.dictionaries(st.sampled_from(["src", "other", *HIDDEN]), TEXT)


@given(QUERIES)
def test_any_query_can_be_kept(query: dict[str, str]) -> None:
    """Nothing raises; what is left is bounded, on one line, and passes the check that a program has to pass."""
    told = of_link(query)
    assert told.check() == told
    for name, value in told.fields().items():
        assert name in HIDDEN
        assert is_clean(value)
        assert 1 <= len(value) <= (LONGEST_SOURCE if name == "source" else LONGEST_UTM)


@given(QUERIES)
def test_a_form_carries_on_what_its_page_was_told(query: dict[str, str]) -> None:
    """Through hidden fields and back, however often a form is shown again."""
    told = of_link(query)
    assert of_fields(told.fields()) == told


@given(TEXT)
def test_a_code_is_found_again_behind_its_own_address(text: str) -> None:
    """Whatever can be a code stands in the address as it is, without an escape."""
    code = code_of(text)
    if code is not None:
        assert address_of("https://post.test", code) == f"https://post.test/?src={code}"
        assert of_link({"src": code}).placement == code == code_of(code)
        assert code.isascii()


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"src": "Spring-Poster"}, {"placement": "spring-poster"}),
        ({"placement": "spring-poster"}, {}),
        ({"src": "-x"}, {}),
        ({"src": "a b"}, {}),
        ({"src": "x" * 41}, {}),
        ({"source": " a talk\r\n"}, {"source": "a talk"}),
        ({"utm_source": "x" * 101, "utm_term": "", "utm_id": "7"}, {"utm_source": "x" * 100}),
    ],
)
def test_what_a_link_says_is_read_leniently(query: dict[str, str], fields: dict[str, str]) -> None:
    """Cut, put on one line, or left out."""
    assert of_link(query).fields() == fields


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (Origin(source="x" * 121), "source"),
        (Origin(source="a\nb"), "source"),
        (Origin(placement="no such code"), "placement"),
        (Origin(utm={"utm_term": "x" * 101}), "utm_term"),
        (Origin(utm={"utm_content": "a\u2028b"}), "utm_content"),
    ],
)
def test_a_program_is_told_what_cannot_be_kept(told: Origin, field: str) -> None:
    """By the field's name, in a sentence."""
    with pytest.raises(InvalidInput) as refused:
        told.check()
    (wrong,) = refused.value.errors
    assert wrong.field == field
    assert wrong.message.endswith(".")


def test_every_wrong_field_is_named_at_once() -> None:
    """So that nobody mends one after the other."""
    with pytest.raises(InvalidInput) as refused:
        Origin("a\nb", "c d", {"utm_source": "e\x00"}).check()
    assert [one.field for one in refused.value.errors] == ["source", "utm_source", "placement"]
