"""A mail encoded once and spliced per reader reads back as if it had been written for that reader."""

import email
import email.policy
import html
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.mail.message import Message
from app.core.mail.template import MailTemplate, Pieces, Slot, header, slot

MARK = "a1b2c3d4e5f6"
WRITTEN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"))
VALUE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200)
NAME = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=120)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def template(text: str, page: str | None, **more: Any) -> MailTemplate:
    values: dict[str, Any] = {"subject": "A subject", "sender": ("The Post", "post@example.org"), "headers": ()}
    body = None if page is None else Pieces.cut(page, MARK)
    return MailTemplate(**values | more, text=Pieces.cut(text, MARK), html=body)


def message(made: MailTemplate, values: dict[Slot, str], **more: Any) -> Message:
    fields: dict[str, Any] = {
        "key": 1,
        "attempt": 1,
        "recipient": "ada@example.org",
        "message_id": "<0123456789abcdef@example.org>",
        "date": NOON,
        "return_path": "post@example.org",
    }
    return Message(**fields | more, template=made, values=values)


def parsed(one: Message) -> EmailMessage:
    return email.message_from_bytes(one.as_bytes(), policy=email.policy.default)


def content(part: Any) -> str:
    """A part as it was written: the parser gives what was decoded, and ends it in a line break."""
    body: str = part.get_content()
    return body.replace("\r\n", "\n")


@given(st.lists(WRITTEN, min_size=3, max_size=3), VALUE, VALUE)
def test_spliced_values_read_back(literals: list[str], first: str, second: str) -> None:
    """In the text as they are, in HTML escaped; wherever in a line the slots stand."""
    body = literals[0] + slot(MARK, Slot.ADDRESS) + literals[1] + slot(MARK, Slot.UNSUBSCRIBE) + literals[2]
    values = {Slot.ADDRESS: first, Slot.UNSUBSCRIBE: second}
    text, page = parsed(message(template(body, body), values)).iter_parts()
    assert content(text).rstrip("\n") == "".join((literals[0], first, literals[1], second, literals[2])).rstrip("\n")
    escaped = (literals[0], html.escape(first), literals[1], html.escape(second), literals[2])
    assert content(page).rstrip("\n") == "".join(escaped).rstrip("\n")


@given(WRITTEN, VALUE)
def test_the_bytes_are_fit_for_any_transport(text: str, value: str) -> None:
    """CRLF only, ASCII only, no line past 998 octets, none that a relay would have to dot-stuff."""
    body = f"{text}{slot(MARK, Slot.ADDRESS)}"
    raw = message(template(body, body), {Slot.ADDRESS: value}).as_bytes()
    assert raw.isascii()
    assert re.search(rb"(?<!\r)\n|\r(?!\n)|\0", raw) is None
    assert raw.endswith(b"\r\n")
    assert not re.search(rb"^\.", raw, re.MULTILINE)
    assert max(map(len, raw.split(b"\r\n"))) <= 998


SLOTS = st.lists(st.tuples(WRITTEN, st.sampled_from(Slot)), min_size=1, max_size=8)


@given(SLOTS, st.dictionaries(st.sampled_from(Slot), VALUE), st.integers(0, 300))
def test_any_slots_in_any_order_read_back(
    parts: list[tuple[str, Slot]], given_values: dict[Slot, str], pad: int
) -> None:
    """Slots that stand side by side, come twice, begin or end a line, or stand past its 76th octet."""
    values = {name: given_values.get(name, "." * pad) for name in Slot}
    body = "x" * pad + "".join(literal + slot(MARK, name) for literal, name in parts)
    one = message(template(body, body), values)
    text, page = parsed(one).iter_parts()
    written = "x" * pad + "".join(literal + values[name] for literal, name in parts)
    assert content(text).rstrip("\n") == written.rstrip("\n")
    html_written = "x" * pad + "".join(literal + html.escape(values[name]) for literal, name in parts)
    assert content(page).rstrip("\n") == html_written.rstrip("\n")
    bare = one.as_bytes().partition(b"\r\n\r\n")[2]
    assert max(map(len, bare.split(b"\r\n"))) <= 76
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|^\.", bare, re.MULTILINE)


@given(NAME)
def test_every_encoded_word_stands_by_itself(name: str) -> None:
    """RFC 2047 sections 2 and 5: a word is at most 75 octets, its line at most 76, and holds whole characters."""
    for field, value in (("Subject", f"é{name}"), ("To", f"é{name} <ada@example.org>")):
        raw = header(field, value)
        words = re.findall(rb"=\?utf-8\?[bq]\?[^?]*\?=", raw)
        assert words
        for word in words:
            assert len(word) <= 75
            assert str(make_header(decode_header(word.decode())))  # raises where half a character is left
        assert max(map(len, raw.removesuffix(b"\r\n").split(b"\r\n"))) <= 76


@given(WRITTEN)
def test_a_text_only_mail_reads_back(text: str) -> None:
    """Without HTML there is one part and no boundary."""
    made = parsed(message(template(text, None), {}))
    assert made.get_content_type() == "text/plain"
    assert content(made).rstrip("\n") == text.rstrip("\n")
    assert message(template(text, None), {}).html() is None


def decoded(value: str) -> str:
    """RFC 2047 section 6.2: the blank between two encoded words is no part of the text."""
    return str(make_header(decode_header(value)))


@given(NAME)
def test_names_read_back_from_headers(name: str) -> None:
    """In From and Subject, with quotes, commas, backslashes or no ASCII at all; on lines a relay accepts."""
    raw = message(template("x", None, subject=name, sender=(name, "post@example.org")), {}).as_bytes()
    made = email.message_from_bytes(raw, policy=email.policy.compat32)
    phrase, address = parseaddr(str(made["From"]))
    assert address == "post@example.org"
    assert decoded(phrase).split() == name.split()
    assert decoded(str(made["Subject"])).split() == name.split()
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("sign", ["\r\nBcc: x@example.org", "\n", "\r", "\0", "\x85", "\u2028", "\u2029", "\x7f"])
@pytest.mark.parametrize("name", ["Subject", "To", "List-Unsubscribe", "From"])
def test_a_header_cannot_be_injected(name: str, sign: str) -> None:
    """Any control character or line separator is an error, never a second header."""
    with pytest.raises(ValueError, match="control characters"):
        header(name, f"before{sign}after <a@example.org>")


def test_a_long_unsubscribe_address_stays_literal() -> None:
    """The standard library would make an encoded word of it, and one-click would silently be lost."""
    url = f"https://post.example.org/unsubscribe/{'A' * 120}"
    line = header("List-Unsubscribe", f"<{url}>")
    assert line == f"List-Unsubscribe: <{url}>\r\n".encode()


def test_words_that_look_encoded_arrive_as_they_were_written() -> None:
    """A subject about encoded words is not decoded by the reader's mail program (RFC 2047 section 6.1)."""
    line = header("Subject", "What =?utf-8?q?oops?= means")
    read = email.message_from_bytes(line + b"\r\n", policy=email.policy.default)
    assert read["Subject"] == "What =?utf-8?q?oops?= means"


def test_a_header_past_the_limit_is_refused() -> None:
    """998 octets (RFC 5322 section 2.1.1)."""
    with pytest.raises(ValueError, match="too long"):
        header("List-Unsubscribe", f"<https://post.example.org/{'A' * 1000}>")


def test_an_address_beyond_ascii_is_refused() -> None:
    """No provider was asked for SMTPUTF8; the name beside the address may be anything."""
    with pytest.raises(ValueError, match="not ASCII"):
        header("To", "jürgen@example.org")
    with pytest.raises(ValueError, match="not ASCII"):
        header("From", "Jürgen <jürgen@example.org>")
    assert b"juergen@example.org" in header("From", "Jürgen <juergen@example.org>")


def test_slots_are_cut_where_they_are_marked() -> None:
    """Another mark's slots are text; an unknown slot of this mark is an error."""
    pieces = Pieces.cut(f"a{slot(MARK, Slot.ADDRESS)}b{slot('ffffff', Slot.ADDRESS)}", MARK)
    assert pieces.slots == (Slot.ADDRESS,)
    assert pieces.fill({Slot.ADDRESS: "X"}) == "aXb[[ffffff:address]]"
    with pytest.raises(ValueError, match="nonsense"):
        Pieces.cut(f"[[{MARK}:nonsense]]", MARK)


def test_a_missing_value_is_an_error() -> None:
    """Better no mail than one with a hole in it."""
    made = template(slot(MARK, Slot.ADDRESS), None)
    with pytest.raises(KeyError):
        message(made, {}).as_bytes()
    with pytest.raises(KeyError):
        message(made, {}).text()


def test_providers_that_build_the_mail_get_the_same_words() -> None:
    """Text as it is, HTML with its values escaped."""
    body = f"<p>{slot(MARK, Slot.ADDRESS)}</p>"
    made = message(template(body, body), {Slot.ADDRESS: "a&b@example.org"})
    assert made.text() == "<p>a&b@example.org</p>"
    assert made.html() == "<p>a&amp;b@example.org</p>"


def test_equal_templates_have_equal_names_and_bytes() -> None:
    """The id is made of the content, so a second worker builds the same boundary."""
    first, second, other = (template("x", "<p>x</p>", subject=name) for name in ("a", "a", "b"))
    assert first.id == second.id != other.id
    assert message(first, {}).as_bytes() == message(second, {}).as_bytes()


def test_a_body_cannot_end_its_part() -> None:
    """A line that looks like the boundary is encoded, because a boundary holds an equals sign."""
    made = template("x", "<p>x</p>")
    forged = f"--=_{made.id}--\r\nContent-Type: text/html\r\n\r\nforged"
    text, page = parsed(message(template(forged, forged), {})).iter_parts()
    assert "forged" in content(text)
    assert "forged" in content(page)
