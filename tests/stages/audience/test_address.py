"""What counts as an address, and what a person is told when it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidInput
from app.stages.audience.address import mask, parse


@pytest.mark.parametrize(
    ("typed", "mail", "key"),
    [
        ("  Ada@Example.ORG ", "Ada@example.org", "ada@example.org"),
        ("ada+news@example.org", "ada+news@example.org", "ada+news@example.org"),
        ("ada@bücher.example.org", "ada@xn--bcher-kva.example.org", "ada@xn--bcher-kva.example.org"),
    ],
)
def test_an_address_is_normalised(typed: str, mail: str, key: str) -> None:
    """The domain becomes A-labels in lower case; the key folds the case of the whole."""
    assert (parse(typed).mail, parse(typed).key) == (mail, key)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Please type your email address."),
        ("ada", "That address has no @ in it."),
        ("@example.org", "That address is missing the part before the @."),
        ("ada@example", "That address is missing its ending, such as .org or .com."),
        ("ädä@example.org", "We cannot yet write to addresses with letters beyond a–z before the @."),
        ("ada@example.org\r\nBcc: eve@example.org", "That address contains characters no address can have."),
        ("ada\0@example.org", "That address contains characters no address can have."),
        ("a" * 250 + "@example.org", "That address is too long to be one."),
    ],
)
def test_a_malformed_address_gets_a_sentence(typed: str, sentence: str) -> None:
    """The error names the field and says what is wrong, in words."""
    with pytest.raises(InvalidInput) as caught:
        parse(typed)
    assert str(caught.value) == sentence
    assert caught.value.errors[0].field == "email"


@given(st.text(max_size=300))
def test_whatever_is_typed_is_an_address_or_a_sentence(typed: str) -> None:
    """No input makes anything but an ASCII address of at most 254 octets, or an InvalidInput."""
    try:
        address = parse(typed)
    except InvalidInput as error:
        assert str(error)  # noqa: PT017  # either outcome is right, each has its rule
    else:
        assert address.mail.isascii()
        assert address.mail.isprintable()
        assert len(address.mail) <= 254
        assert parse(address.mail) == address


def test_a_page_shows_too_little_for_a_stranger() -> None:
    """The masked form keeps the first letter and the domain."""
    assert mask("ada@example.org") == "a***@example.org"
