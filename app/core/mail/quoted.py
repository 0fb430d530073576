"""Quoted-printable (RFC 2045 section 6.7) in pieces that can be joined as bytes.

A piece may begin and end anywhere in a line: pieces are joined by a soft line break, so each begins at
column 0. A dot that would stand first in a line is written =2E, so that no piece ever needs dot-stuffing
(RFC 5321 section 4.5.2), and "From " at a line's start is protected the same way.
"""

import re
from functools import lru_cache

SOFT_BREAK = b"=\r\n"
_WIDTH = 75  # 76 with the "=" of a soft break
_SAFE = frozenset(range(33, 127)) - {ord("=")}
_FIRST = {ord("."): b"=2E", ord("F"): b"=46"}
_PLAIN = re.compile(r"[\t !-<>-~]*[!-<>-~]")
"""A line whose every character may stand for itself: ASCII without "=", no blank at its end."""


def encode(value: str) -> bytes:
    """`value`, with any line endings, as quoted-printable UTF-8; lines of at most 76 octets end in CRLF."""
    if "\n" in value or "\r" in value:
        lines = value.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return b"\r\n".join([_line(line) for line in lines])
    return _line(value)


def _line(line: str) -> bytes:
    return _cut(line.encode()) if _PLAIN.fullmatch(line) else _spelt(line)


def _cut(raw: bytes) -> bytes:
    """A plain line needs no look at each octet, only at those that come to stand first."""
    if len(raw) <= _WIDTH and raw[0] not in _FIRST:
        return raw
    out: list[bytes] = []
    at, end = 0, len(raw)
    while at < end:
        if first := _FIRST.get(raw[at]):
            out.append(first + raw[at + 1 : at + _WIDTH - 2])
            at += _WIDTH - 2
        else:
            out.append(raw[at : at + _WIDTH])
            at += _WIDTH
    return SOFT_BREAK.join(out)


@lru_cache(maxsize=2048)  # names, and the words of schedules, come again from reader to reader
def _spelt(line: str) -> bytes:
    out: list[bytes] = []
    row = bytearray()
    raw = line.encode()
    last = len(raw) - 1
    for index, byte in enumerate(raw):
        if byte in _SAFE or (byte in b" \t" and index != last):
            unit = bytes((byte,)) if row else _FIRST.get(byte, bytes((byte,)))
        else:
            unit = b"=%02X" % byte
        if len(row) + len(unit) > _WIDTH:
            out.append(bytes(row))
            row.clear()
            unit = _FIRST.get(byte, unit)
        row += unit
    out.append(bytes(row))
    return SOFT_BREAK.join(out)
