"""What people write: which characters are kept, and which are refused everywhere. Pure."""

import unicodedata

_SEPARATORS = "\u2028\u2029"
"""LINE and PARAGRAPH SEPARATOR: line breaks that no field of ours has, and that programs read differently."""


_REFUSED = r"\u0000-\u0008\u000A-\u001F\u007F-\u009F\u2028\u2029"
LINE = f"^[^{_REFUSED}]*$"
"""A pattern (JSON Schema) of what `is_clean` lets pass; surrogates cannot be sent."""
FILLED_LINE = rf"^[^{_REFUSED}]*[^\s{_REFUSED}][^{_REFUSED}]*$"
"""The same, and something is to be seen in it."""

LINES = "^[^\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\u007F-\\u009F\\u2028\\u2029]*$"
"""The same for several lines."""


def is_printable_ascii(text: str) -> bool:
    """Has `text` nothing but the 95 characters from the blank to the tilde (RFC 20)?"""
    return text.isascii() and text.isprintable()


def is_clean(text: str, *, lines: bool = False) -> bool:
    """Is there no character in `text` that says nothing to a reader and something to a terminal or a parser?

    Refused are control characters (general category Cc: NUL, escape sequences, DEL), but for tabs and, with `lines`,
    line feeds; surrogates, which no encoding can write; and the two separators. Everything else is text: no-break and
    ideographic spaces, joiners, marks of direction, soft hyphens, emoji.
    """
    if is_printable_ascii(text):
        return True
    allowed = "\t\n" if lines else "\t"
    return not any(_is_refused(sign, allowed) for sign in text)


def cleaned(text: str, *, lines: bool = False, instead: str = "") -> str:
    """`text` without the characters that `is_clean` refuses; `instead` stands in the place of each."""
    if is_clean(text, lines=lines):
        return text
    allowed = "\t\n" if lines else "\t"
    return "".join(instead if _is_refused(sign, allowed) else sign for sign in text)


def escaped(text: str) -> str:
    """`text` for a terminal: what `is_clean` refuses is written as Python writes it, so that it does nothing there."""
    if is_clean(text, lines=True):
        return text
    return "".join(
        sign.encode("unicode_escape").decode("ascii") if _is_refused(sign, "\t\n") else sign for sign in text
    )


def is_right_to_left(text: str) -> bool:
    """Is its first strong letter one of a script that runs so? Unicode Standard Annex 9, rules P2 and P3."""
    ways = (unicodedata.bidirectional(sign) for sign in text)
    return next((way for way in ways if way in ("L", "R", "AL")), "L") != "L"


def _is_refused(sign: str, allowed: str) -> bool:
    return sign in _SEPARATORS or (sign not in allowed and unicodedata.category(sign) in ("Cc", "Cs"))
