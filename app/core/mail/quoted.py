"""Quoted-printable (RFC 2045 section 6.7) in pieces that can be joined as bytes.

A piece may begin and end anywhere in a line: pieces are joined by a soft line break, so each begins at
column 0. A dot that would stand first in a line is written =2E, so that no piece ever needs dot-stuffing
(RFC 5321 section 4.5.2), and "From " at a line's start is protected the same way.
"""

SOFT_BREAK = b"=\r\n"
_WIDTH = 75  # 76 with the "=" of a soft break
_SAFE = frozenset(range(33, 127)) - {ord("=")}
_FIRST = {ord("."): b"=2E", ord("F"): b"=46"}


def encode(value: str) -> bytes:
    """`value`, with any line endings, as quoted-printable UTF-8; lines of at most 76 octets end in CRLF."""
    return b"\r\n".join(_line(line) for line in value.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _line(line: str) -> bytes:
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
