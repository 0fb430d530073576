"""What counts as an address, and what a person is told when it does not."""

from collections.abc import Callable

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidInput
from app.stages.audience.address import Address, mask, parse


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


ATOMS = st.text("abcxyzABCXYZ0189!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=12)
LOCALS = st.lists(ATOMS, min_size=1, max_size=3).map(".".join)
ASCII_LABELS = st.from_regex(r"[a-z]([a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
LABELS = ASCII_LABELS | st.text("abzäöüßéñçåøλόγοςпример例え", min_size=1, max_size=8)
DOMAINS = st.lists(LABELS, min_size=1, max_size=3).map(lambda labels: ".".join((*labels, "org")))
SPACES = st.text(" \t\n\u00a0\u2003", max_size=3)
CASES = st.sampled_from([str.lower, str.upper, str.title, str.swapcase, str])


@given(LOCALS, DOMAINS)
def test_nothing_but_invalid_input_is_ever_raised(local: str, domain: str) -> None:
    """Of addresses that are nearly right most are taken; the rest get a sentence on the field."""
    try:
        parse(f"{local}@{domain}")
    except InvalidInput as error:
        assert [one.field for one in error.errors] == ["email"]  # noqa: PT017  # either outcome is right


@given(LOCALS, DOMAINS, SPACES, CASES)
def test_one_mailbox_has_one_key(local: str, domain: str, space: str, case: Callable[[str], str]) -> None:
    """Whatever the case and the space around it; and the key's own key is itself."""
    try:
        address = parse(f"{local}@{domain}")
    except InvalidInput:
        return
    assert address.key == address.key.casefold() == address.mail.casefold()
    assert parse(address.key) == Address(address.key, address.key)
    assert parse(f"{space}{case(address.mail)}{space}").key == address.key


@given(LOCALS, DOMAINS)
def test_the_domain_becomes_a_labels_and_the_part_before_the_at_is_kept(local: str, domain: str) -> None:
    """As UTS #46 maps them, for DNS and mail servers (RFC 5891); the case of the first part is kept."""
    try:
        address = parse(f"{local}@{domain}")
    except InvalidInput:
        return
    kept, _, labels = address.mail.rpartition("@")
    assert kept == local
    assert labels == idna.encode(domain, uts46=True).decode()
    assert idna.encode(idna.decode(labels)).decode() == labels


@given(LOCALS, ASCII_LABELS)
def test_a_page_shows_too_little_for_a_stranger(local: str, label: str) -> None:
    """The masked form keeps the first letter and the domain, and does not tell how long the rest is."""
    assert mask(f"{local}@{label}.org") == f"{local[0]}***@{label}.org"
