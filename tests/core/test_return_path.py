"""Return paths that name their mail."""

import string
from base64 import b32decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidToken
from app.core.mail.path import path
from app.core.mail.return_path import Returned, ReturnPaths
from app.core.signing import Purpose, Signer, opaque_reference

OLD, NEW, OTHER = "old key " * 5, "new key " * 5, "another " * 5
DOMAIN = "bounces.paper.example"
PATHS = ReturnPaths(Signer([NEW]), DOMAIN, "post@paper.example")
REF = "Zk3_9-aQ01bcdefg"

references = st.text(st.sampled_from(string.ascii_letters + string.digits + "-_"), min_size=16, max_size=16)


@given(st.integers(1, 2**32 - 1), references)
def test_it_names_the_paper_and_the_reader(edition: int, ref: str) -> None:
    """Whatever servers on the way do to its capitals; and it is an address that SMTP can carry (RFC 5321 4.5.3.1)."""
    made = PATHS.of_paper(edition, ref)
    assert path(made).decode() == made == made.lower()
    assert len(made.partition("@")[0]) <= 64
    for spelling in (made, made.upper(), made.title()):
        assert PATHS.read(spelling) == Returned(edition, ref)


@given(references)
def test_it_names_a_service_mail(ref: str) -> None:
    """By the mail's own reference, of no edition."""
    assert PATHS.read(PATHS.of_service_mail(ref)) == Returned(None, ref)


def test_the_same_mail_has_the_same_path_each_time() -> None:
    """A retry is no second mail; another reader's, or another edition's, is another."""
    made = {PATHS.of_paper(7, REF), PATHS.of_paper(7, REF), PATHS.of_paper(8, REF), PATHS.of_paper(7, REF[::-1])}
    assert len(made) == 3
    assert REF.lower() not in PATHS.of_paper(7, REF)


def test_changing_any_letter_breaks_it() -> None:
    """Version, key, edition, reader and tag are all covered, and so is what stands around them."""
    made = PATHS.of_paper(7, REF)
    local = made.partition("@")[0]
    for at, right in enumerate(local):
        for wrong in (string.ascii_lowercase + string.digits + "-+=ſ").replace(right, ""):
            with pytest.raises(InvalidToken):
                PATHS.read(made[:at] + wrong + made[at + 1 :])
    for wrong in (local, f"{local}@paper.example", f"x{made}", f"{local}a@{DOMAIN}", f"{local[:-1]}@{DOMAIN}", "", "@"):
        with pytest.raises(InvalidToken):
            PATHS.read(wrong)


def test_keys_are_those_of_links() -> None:
    """Any key in use reads; another, or one that is retired, does not."""
    made = ReturnPaths(Signer([OLD]), DOMAIN, "").of_paper(7, REF)
    assert ReturnPaths(Signer([NEW, OLD]), DOMAIN, "").read(made) == Returned(7, REF)
    for keys in ([OTHER], [NEW, f"retired:{OLD}"]):
        with pytest.raises(InvalidToken):
            ReturnPaths(Signer(keys), DOMAIN, "").read(made)


def test_it_opens_nothing_else() -> None:
    """What was sealed for a return path is no link, nor the other way round."""
    signer = Signer([NEW])
    sealed = b32decode(PATHS.of_paper(7, REF).partition("@")[0].removeprefix("b-").upper())
    assert signer.unseal(Purpose.RETURN_PATH, sealed)[:4] == bytes([0, 0, 0, 7])
    with pytest.raises(InvalidToken):
        signer.unseal(Purpose.UNSUBSCRIBE, sealed)
    with pytest.raises(InvalidToken):
        signer.unseal(Purpose.RETURN_PATH, b"")


def test_without_a_domain_mail_comes_back_to_the_sender() -> None:
    """Of papers and of service mail; and nothing can be read from it."""
    plain = ReturnPaths(Signer([NEW]), "", "post@paper.example")
    assert plain.of_paper(7, REF) == plain.of_service_mail(REF) == "post@paper.example"
    for address in ("post@paper.example", PATHS.of_paper(7, REF)):
        with pytest.raises(InvalidToken):
            plain.read(address)


def test_references_that_are_not_ours_are_refused() -> None:
    """Better a mail that is not made than one that comes back to nobody."""
    with pytest.raises(ValueError, match="16 characters"):
        PATHS.of_paper(7, "short")
    assert len(opaque_reference()) == 16
