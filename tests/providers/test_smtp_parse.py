"""Octets as replies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.smtp_parse import LONGEST_LINE, MOST_LINES, Garbled, Replies

LINES = st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=30), min_size=1)


def wire(code: int, lines: list[str]) -> bytes:
    ends = [f"{code}-{line}\r\n" for line in lines[:-1]]
    return "".join((*ends, f"{code} {lines[-1]}\r\n")).encode()


@given(st.lists(st.tuples(st.integers(200, 599), LINES), max_size=5), st.integers(1, 40))
def test_replies_are_read_however_they_are_cut(replies: list[tuple[int, list[str]]], step: int) -> None:
    """One octet at a time, or all at once."""
    data = b"".join(wire(*reply) for reply in replies)
    reader = Replies()
    found: list[tuple[int, str]] = []
    for at in range(0, len(data), step):
        found += reader.feed(data[at : at + step])
    assert found == [(code, "\n".join(lines)) for code, lines in replies]


@pytest.mark.parametrize("data", [b"250\r\n", b"250 \r\n", b"250\n"])
def test_a_reply_may_be_a_code_alone(data: bytes) -> None:
    """RFC 5321 section 4.2: the text may be missing; a bare LF is forgiven."""
    assert list(Replies().feed(data)) == [(250, "")]


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n",
        b"\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"199 ok\r\n",
        b"250_ok\r\n",
        b"250-one\r\n550 two\r\n",
        b"250 o\rk\r\n",
        b"250 " + b"x" * LONGEST_LINE + b"\r\n",
        b"x" * (LONGEST_LINE + 1),
        b"250-x\r\n" * MOST_LINES,
    ],
)
def test_what_is_no_reply_is_garbled(data: bytes) -> None:
    """Nothing is guessed."""
    with pytest.raises(Garbled):
        list(Replies().feed(data))


def test_what_came_before_the_garbage_counts() -> None:
    """A good answer is not lost by what follows it."""
    found = Replies().feed(b"250 ok\r\nwhat?\r\n")
    assert next(found) == (250, "ok")
    with pytest.raises(Garbled):
        next(found)
