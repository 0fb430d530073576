"""A mail encoded once, with slots: per reader, byte segments are joined instead of a message being rebuilt.

Slots are written into text and HTML as `slot(mark, name)`, where `mark` is a random word of the edition, so
that no story can forge one. Between the segments of a quoted-printable body stands a soft line break, so a
value, encoded by itself, is spliced in by joining bytes.
"""

import hashlib
import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.header import Header
from enum import StrEnum
from functools import cached_property

from app.core.mail.named_address import mailbox
from app.core.mail.quoted import SOFT_BREAK, encode
from app.core.text import is_printable_ascii

_STRUCTURED = frozenset({"from", "to", "reply-to", "sender", "list-id"})
_LONGEST = 1000
_FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


class Slot(StrEnum):
    """The places in a mail that differ from reader to reader."""

    ADDRESS = "address"
    CONFIRMED_ON = "confirmed_on"
    SCHEDULE = "schedule"
    NEXT_DELIVERY = "next_delivery"
    UNSUBSCRIBE = "unsubscribe"
    MANAGE = "manage"
    EDITION = "edition"
    CONFIRM = "confirm"
    LINK = "link"
    OTHER_ADDRESS = "other_address"


def slot(mark: str, name: Slot) -> str:
    """The marker of a slot; it survives MJML, premailer and URL attributes."""
    return f"[[{mark}:{name.value}]]"


def header(name: str, value: str) -> bytes:
    """One header with its CRLF, non-ASCII text in encoded words (RFC 2047), folded only between those.

    ASCII stays as it is, on one line: the standard library's folding would turn a long List-Unsubscribe into an
    encoded word, which silently breaks one-click. Raises ValueError for a control character, a line separator, an
    address that is not ASCII, and a line past 998 octets (RFC 5322 section 2.1.1).
    """
    if not is_printable_ascii(value) and any(unicodedata.category(character) in _FORBIDDEN for character in value):
        raise ValueError(f"the header {name} must not contain control characters")
    # Plain words that look like an encoded word would be decoded on arrival, so they are encoded themselves.
    plain = value.isascii() and "=?" not in value
    line = f"{name}: {value if plain else _encoded(name, value)}\r\n"
    if len(line) > _LONGEST and plain:
        raise ValueError(f"the header {name} is too long")
    return line.encode("ascii")


def _encoded(name: str, value: str) -> str:
    phrase, mailbox = value, ""
    if name.lower() in _STRUCTURED:
        phrase, _, mailbox = value.rpartition("<")
        if not (phrase and mailbox.isascii()):
            raise ValueError(f"the header {name} holds an address that is not ASCII (RFC 6531 is not offered)")
        phrase, mailbox = _unquoted(phrase.strip()), f"\r\n <{mailbox}"
    return Header(phrase, "utf-8", maxlinelen=76, header_name=name).encode(linesep="\r\n") + mailbox


def _unquoted(phrase: str) -> str:
    return re.sub(r"\\(.)", r"\1", phrase[1:-1]) if phrase[:1] == phrase[-1:] == '"' else phrase


@dataclass(frozen=True, slots=True)
class Pieces:
    """A body cut at its slots: `literals` has one more entry than `slots`."""

    literals: tuple[str, ...]
    slots: tuple[Slot, ...]

    @classmethod
    def cut(cls, body: str, mark: str) -> "Pieces":
        """Cuts `body` at the slots written with `mark`. Raises ValueError for an unknown slot name."""
        parts = re.split(r"\[\[" + re.escape(mark) + r":([a-z_]+)\]\]", body)
        return cls(tuple(parts[::2]), tuple(Slot(name) for name in parts[1::2]))

    def fill(self, values: Mapping[Slot, str]) -> str:
        """The body as text with `values` in place. Raises KeyError where one is missing."""
        out = [self.literals[0]]
        for name, literal in zip(self.slots, self.literals[1:], strict=True):
            out += (values[name], literal)
        return "".join(out)


@dataclass(frozen=True)
class MailTemplate:
    """One variant of one mail, ready to be addressed to any number of readers.

    `headers` are the same for all (From, Subject, List-Id …), in order, values unencoded.
    `html` is None for a text-only mail. `id` names the content: equal ids mean equal bytes.
    """

    subject: str
    sender: tuple[str, str]
    headers: tuple[tuple[str, str], ...]
    text: Pieces
    html: Pieces | None = None
    reply_to: str = ""
    id: str = field(init=False)

    def __post_init__(self) -> None:
        content = repr((self.subject, self.sender, self.headers, self.text, self.html, self.reply_to))
        object.__setattr__(self, "id", hashlib.sha256(content.encode()).hexdigest()[:32])

    @cached_property
    def slots(self) -> frozenset[Slot]:
        return frozenset(self.text.slots) | frozenset(self.html.slots if self.html else ())

    def prepare(self) -> None:
        """Encodes what is the same for all; otherwise the first mail does, and takes so much longer."""
        _ = self._pieces, self._text_holes, self._html_holes, self.slots

    def values_html(self, values: Mapping[Slot, str]) -> dict[Slot, str]:
        """Slot values are plain text; in HTML they are escaped."""
        return {name: html.escape(value) for name, value in values.items()}

    def spliced(self, values: Mapping[Slot, str]) -> list[bytes]:
        """What follows the reader's own headers, as pieces to be joined: shared headers, blank line and parts.

        Raises KeyError for a slot without a value.
        """
        encoded = {name: encode(values[name]) for name in self.slots}
        out = self._pieces.copy()
        for at, name in self._text_holes:
            out[at] = encoded[name]
        for at, name in self._html_holes:
            value = values[name]
            escaped = html.escape(value)
            out[at] = encoded[name] if escaped == value else encode(escaped)
        return out

    @cached_property
    def head(self) -> bytes:
        """The headers that are the same for every reader, encoded."""
        lines = [
            header("From", mailbox(*self.sender)),
            header("Subject", self.subject),
            *([header("Reply-To", self.reply_to)] if self.reply_to else []),
            *(header(name, value) for name, value in self.headers),
            header("MIME-Version", "1.0"),
        ]
        return b"".join(lines)

    @cached_property
    def _pieces(self) -> list[bytes]:
        """Head and segments, with nothing where the slots are."""
        return [self.head, *(segment if isinstance(segment, bytes) else b"" for segment in self._segments)]

    @cached_property
    def _text_holes(self) -> tuple[tuple[int, Slot], ...]:
        return self._holes(in_html=False)

    @cached_property
    def _html_holes(self) -> tuple[tuple[int, Slot], ...]:
        return self._holes(in_html=True)

    def _holes(self, *, in_html: bool) -> tuple[tuple[int, Slot], ...]:
        """Where the slots of one of the parts stand among the pieces."""
        found = enumerate(self._segments, 1)
        return tuple((at, one[0]) for at, one in found if not isinstance(one, bytes) and one[1] is in_html)

    @cached_property
    def _segments(self) -> tuple[bytes | tuple[Slot, bool], ...]:
        if self.html is None:
            return _joined([_part_head("plain") + b"\r\n", *_spliced(self.text, in_html=False), b"\r\n"])
        boundary = f"=_{self.id}"
        limit = f"--{boundary}".encode()
        return _joined(
            [
                f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode(),
                limit + b"\r\n" + _part_head("plain") + b"\r\n",
                *_spliced(self.text, in_html=False),
                b"\r\n" + limit + b"\r\n" + _part_head("html") + b"\r\n",
                *_spliced(self.html, in_html=True),
                b"\r\n" + limit + b"--\r\n",
            ]
        )


def _part_head(kind: str) -> bytes:
    return f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n".encode()


def _spliced(pieces: Pieces, *, in_html: bool) -> list[bytes | tuple[Slot, bool]]:
    out: list[bytes | tuple[Slot, bool]] = [encode(pieces.literals[0])]
    for name, literal in zip(pieces.slots, pieces.literals[1:], strict=True):
        out += (SOFT_BREAK, (name, in_html), SOFT_BREAK + encode(literal))
    return out


def _joined(segments: Sequence[bytes | tuple[Slot, bool]]) -> tuple[bytes | tuple[Slot, bool], ...]:
    out: list[bytes | tuple[Slot, bool]] = []
    for segment in segments:
        if isinstance(segment, bytes) and out and isinstance(out[-1], bytes):
            out[-1] += segment
        else:
            out.append(segment)
    return tuple(out)
