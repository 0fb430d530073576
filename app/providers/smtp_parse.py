"""Octets from a mail server as replies (RFC 5321 section 4.2), and nothing but replies."""

import re
from collections.abc import Iterator

LONGEST_LINE = 8_192
"""Octets. Section 4.5.3.1.5 allows 512; servers that explain themselves write more."""
MOST_LINES = 128

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r]*))?\r?")


class Garbled(Exception):
    """What came is not SMTP: there is no telling where the next reply begins."""


class Replies:
    """Takes octets as they come, in pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""
        self._code = b""
        self._lines: list[str] = []

    def feed(self, data: bytes) -> Iterator[tuple[int, str]]:
        """The replies that `data` completes: code, and text with its lines joined by LF. Raises Garbled.

        A bare LF ends a line too. Lines of one reply with different codes (section 4.2.1) are garbled: after a final
        dot nobody could say which of them counts.
        """
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if (match := _LINE.fullmatch(line)) is None or len(line) > LONGEST_LINE:
                raise Garbled
            code, sign, text = match.groups()
            if self._code and code != self._code:
                raise Garbled
            self._lines.append(text.decode("utf-8", "replace") if text else "")
            if sign == b"-":
                self._code = code
                if len(self._lines) >= MOST_LINES:
                    raise Garbled
                continue
            yield int(code), "\n".join(self._lines)
            self._code, self._lines = b"", []
        if len(self._rest) > LONGEST_LINE:
            raise Garbled
