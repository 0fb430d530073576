"""Quoted-printable in pieces."""

import quopri
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.mail.quoted import _PLAIN, SOFT_BREAK, _cut, _spelt, encode

WRITTEN = st.text(st.characters(exclude_categories=["Cs"]))


def lines_of(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


@given(WRITTEN)
def test_what_is_encoded_is_read_back(text: str) -> None:
    """Whatever it holds; line endings become CRLF."""
    assert quopri.decodestring(encode(text)).decode() == "\r\n".join(lines_of(text))


@given(WRITTEN)
def test_lines_are_short_plain_and_safe_to_transport(text: str) -> None:
    """At most 76 octets of ASCII, CRLF only, no blank at a line's end, none that begins with a dot or with From."""
    for line in encode(text).split(b"\r\n"):
        assert len(line) <= 76
        assert line.isascii()
        assert b"\r" not in line
        assert b"\n" not in line
        assert not line.endswith((b" ", b"\t"))
        assert not line.startswith((b".", b"From "))


@given(
    st.text(st.sampled_from(".F=aZ~! \t09"), min_size=1, max_size=400).filter(lambda line: bool(_PLAIN.fullmatch(line)))
)
def test_the_short_way_for_plain_lines_ends_where_the_long_one_does(line: str) -> None:
    """Long lines of ASCII are cut without a look at every octet; the result is the same to the octet."""
    assert _cut(line.encode()) == _spelt(line)


@given(st.lists(WRITTEN, min_size=2, max_size=6))
def test_pieces_join_as_bytes(pieces: list[str]) -> None:
    """A soft break between two pieces is no break: the text goes on as if it had been encoded whole."""
    joined = SOFT_BREAK.join(encode(piece) for piece in pieces)
    assert quopri.decodestring(joined).decode() == "".join("\r\n".join(lines_of(piece)) for piece in pieces)
    assert max(map(len, joined.split(b"\r\n"))) <= 76


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("", b""),
        (".", b"=2E"),
        ("From me", b"=46rom me"),
        ("a=b", b"a=3Db"),
        ("blank ", b"blank=20"),
        ("tab\t\nnext", b"tab=09\r\nnext"),
        ("café", b"caf=C3=A9"),
        ("x" * 75, b"x" * 75),
        ("x" * 76, b"x" * 75 + b"=\r\nx"),
        ("x" * 75 + ".", b"x" * 75 + b"=\r\n=2E"),
    ],
)
def test_examples(text: str, encoded: bytes) -> None:
    """The rules of RFC 2045 section 6.7, one by one."""
    assert encode(text) == encoded
