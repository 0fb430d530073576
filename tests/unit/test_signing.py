"""Signed links."""

import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.errors import ConfigurationError, InvalidToken
from app.core.signing import Purpose, Signer, opaque_reference

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OLD, NEW, OTHER = ("old key " * 5, "new key " * 5, "another " * 5)
SIGNER = Signer([NEW])
ALPHABET = string.ascii_letters + string.digits + "-_"

references = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)


@given(references, st.sampled_from(Purpose))
def test_a_token_gives_its_reference_back(reference: str, purpose: Purpose) -> None:
    """Any ASCII reference survives; the token needs no quoting in a URL."""
    token = SIGNER.sign(purpose, reference)
    assert SIGNER.read(purpose, token, NOW) == reference
    assert set(token) <= set(ALPHABET)


@pytest.mark.parametrize("reference", ["", "x" * 65])
def test_a_reference_that_no_token_could_carry_is_refused(reference: str) -> None:
    """Better here than in a link that does not work."""
    with pytest.raises(ValueError, match="1 to 64"):
        SIGNER.sign(Purpose.CONFIRM, reference)


def test_a_token_opens_only_what_it_was_made_for() -> None:
    """A confirmation link does not unsubscribe, nor the other way round."""
    for made, used in [(Purpose.CONFIRM, Purpose.UNSUBSCRIBE), (Purpose.UNSUBSCRIBE, Purpose.CONFIRM)]:
        with pytest.raises(InvalidToken):
            SIGNER.read(used, SIGNER.sign(made, "ada"), NOW)


def test_changing_any_character_breaks_a_token() -> None:
    """Version, key, expiry, reference and tag are all covered; so are bits that base64 ignores."""
    token = SIGNER.sign(Purpose.CONFIRM, "Zk3_9-aQ01bcdefg", NOW + timedelta(days=7))
    for index, right in enumerate(token):
        for wrong in ALPHABET.replace(right, ""):
            with pytest.raises(InvalidToken):
                SIGNER.read(Purpose.CONFIRM, token[:index] + wrong + token[index + 1 :], NOW)


@pytest.mark.parametrize("length", [16, 17, 18, 19])
def test_a_token_has_one_spelling(length: int) -> None:
    """Padding, stray characters, the other base64 alphabet, cuts and additions are refused."""
    token = SIGNER.sign(Purpose.CONFIRM, "a" * length)
    padded = token + "=" * (-len(token) % 4)
    spellings = [padded, token + "=", token + "\n", " " + token, token[:-1], token[1:], token + "A", token * 2]
    spellings += [token.replace("-", "+"), token.replace("_", "/"), token[:5] + "*" + token[5:]]
    for spelling in set(spellings) - {token}:
        with pytest.raises(InvalidToken):
            SIGNER.read(Purpose.CONFIRM, spelling, NOW)


@given(st.text(max_size=200))
def test_anything_else_is_an_invalid_token_and_no_other_error(text: str) -> None:
    """Whatever stands in the URL."""
    with pytest.raises(InvalidToken) as caught:
        SIGNER.read(Purpose.CONFIRM, text, NOW)
    assert not caught.value.expired


def test_a_token_runs_out_at_its_hour_and_says_so() -> None:
    """Expiry is rounded up to a whole hour, and only a token that we signed is said to have run out."""
    token = SIGNER.sign(Purpose.CONFIRM, "ada", NOW - timedelta(minutes=20))
    assert SIGNER.read(Purpose.CONFIRM, token, NOW - timedelta(seconds=1)) == "ada"
    with pytest.raises(InvalidToken) as caught:
        SIGNER.read(Purpose.CONFIRM, token, NOW)
    assert caught.value.expired
    with pytest.raises(InvalidToken) as caught:
        Signer([OTHER]).read(Purpose.CONFIRM, token, NOW)
    assert not caught.value.expired


@given(
    references,
    st.sampled_from(Purpose),
    st.integers(3600, 136 * 365 * 86_400).map(lambda second: datetime.fromtimestamp(second, UTC)),
    st.timedeltas(timedelta(0), timedelta(days=400)),
)
@example("ada", Purpose.CONFIRM, NOW, timedelta(0))
def test_any_expiry_holds_until_its_hour_is_over_and_no_longer(
    reference: str, purpose: Purpose, expires: datetime, passed: timedelta
) -> None:
    """Never before the promised instant, never an hour or more after it; late reading makes a new one of it."""
    token = SIGNER.sign(purpose, reference, expires)
    assert SIGNER.read(purpose, token, expires - timedelta(microseconds=1)) == reference
    past = expires + timedelta(hours=1) + passed
    with pytest.raises(InvalidToken) as caught:
        SIGNER.read(purpose, token, past)
    assert caught.value.expired
    assert SIGNER.read(purpose, token, past, late=True) == reference


KEYS = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=32, max_size=48).filter(
    lambda key: not key.startswith("retired:")
)


@given(st.lists(KEYS, min_size=2, max_size=5, unique=True), st.data(), references, st.sampled_from(Purpose))
def test_rotating_keys_in_any_order_keeps_the_links_of_those_that_stay(
    keys: list[str], data: st.DataObject, reference: str, purpose: Purpose
) -> None:
    """A link outlives every new order of keys that still holds its own; without its key it is nobody's.

    Retired, the key opens the way out and nothing else.
    """
    old, *others = keys
    token = Signer([old]).sign(purpose, reference)
    after = data.draw(st.permutations(keys))
    assert Signer(after).read(purpose, token, NOW) == reference
    assert Signer(after).is_current(purpose, token)
    with pytest.raises(InvalidToken):
        Signer(others).read(purpose, token, NOW)
    retired = Signer([*others, f"retired:{old}"])
    assert not retired.is_current(purpose, token)
    if purpose is Purpose.UNSUBSCRIBE:
        assert retired.read(purpose, token, NOW) == reference
    else:
        with pytest.raises(InvalidToken):
            retired.read(purpose, token, NOW)


@given(references, st.sampled_from(Purpose), st.sampled_from(Purpose))
def test_no_purpose_opens_another(reference: str, made: Purpose, used: Purpose) -> None:
    """Whatever the reference is, and also for purposes that are still to come."""
    if made is not used:
        with pytest.raises(InvalidToken):
            SIGNER.read(used, SIGNER.sign(made, reference), NOW, late=True)


@given(references, st.data())
def test_any_other_bytes_in_a_token_are_refused(reference: str, data: st.DataObject) -> None:
    """One bit changed anywhere, also where base64 is decoded and encoded again."""
    token = SIGNER.sign(Purpose.PREFERENCES, reference)
    raw = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InvalidToken):
        SIGNER.read(Purpose.PREFERENCES, urlsafe_b64encode(raw).rstrip(b"=").decode(), NOW)


def test_a_token_without_expiry_works_for_ever() -> None:
    """An unsubscribe link is kept as long as the mail."""
    token = SIGNER.sign(Purpose.UNSUBSCRIBE, "ada")
    assert SIGNER.read(Purpose.UNSUBSCRIBE, token, NOW + timedelta(days=36_500)) == "ada"


def test_the_first_key_signs_and_every_key_verifies() -> None:
    """A key is changed by putting the new one in front."""
    before, after = Signer([OLD]), Signer([NEW, OLD])
    assert after.read(Purpose.CONFIRM, before.sign(Purpose.CONFIRM, "ada"), NOW) == "ada"
    with pytest.raises(InvalidToken):
        before.read(Purpose.CONFIRM, after.sign(Purpose.CONFIRM, "ada"), NOW)


def test_a_retired_key_verifies_unsubscribe_links_only() -> None:
    """Old mails can still be left; old confirmations cannot be used."""
    before, after = Signer([OLD]), Signer([NEW, "retired:" + OLD])
    assert after.read(Purpose.UNSUBSCRIBE, before.sign(Purpose.UNSUBSCRIBE, "ada"), NOW) == "ada"
    with pytest.raises(InvalidToken):
        after.read(Purpose.CONFIRM, before.sign(Purpose.CONFIRM, "ada"), NOW)


@pytest.mark.parametrize("keys", [[], ["short"], ["retired:" + OLD], [NEW, "short"], ["retired:" + OLD, NEW]])
def test_keys_that_cannot_sign_are_refused_at_start(keys: list[str]) -> None:
    """Too few, too short, or with a retired one in front; the sentence never shows a key."""
    with pytest.raises(ConfigurationError, match="MORNINGPOST_SECRET_KEYS") as caught:
        Signer(keys)
    assert not any(key in str(caught.value) for key in keys)


def test_a_signer_never_shows_its_keys() -> None:
    """Neither it nor its keys print a secret."""
    assert NEW not in repr(SIGNER) + repr(SIGNER._keys)


def test_other_digests_are_bound_to_their_label_and_parts() -> None:
    """The same parts under another label, or cut elsewhere, give another digest."""
    digests = {SIGNER.mac("a", "b", "c"), SIGNER.mac("b", "b", "c"), SIGNER.mac("a", "bc"), SIGNER.mac("a", "b", "d")}
    assert len(digests) == 4
    assert SIGNER.mac("a", "b", "c") == Signer([NEW, OLD]).mac("a", "b", "c") != Signer([OLD]).mac("a", "b", "c")


def test_opaque_references_are_random_and_fit_a_token() -> None:
    """96 bits, 16 URL-safe characters, none twice."""
    made = {opaque_reference() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(urlsafe_b64decode(reference)) for reference in made} == {12}


def test_a_link_of_a_retired_key_is_not_current() -> None:
    """It verifies, but what it may do ends with leaving; rubbish and other purposes are not current either."""
    link = Signer([OLD]).sign(Purpose.UNSUBSCRIBE, "ada")
    assert Signer([OLD]).is_current(Purpose.UNSUBSCRIBE, link)
    assert Signer([NEW, OLD]).is_current(Purpose.UNSUBSCRIBE, link)
    assert not Signer([NEW, "retired:" + OLD]).is_current(Purpose.UNSUBSCRIBE, link)
    assert not Signer([OLD]).is_current(Purpose.PREFERENCES, link)
    assert not Signer([OLD]).is_current(Purpose.UNSUBSCRIBE, "x")
