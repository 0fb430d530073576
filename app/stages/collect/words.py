"""Cleans what strangers wrote about their work, for one line of print. Pure."""

import re
import unicodedata

from app.core.text import is_printable_ascii

LONGEST = 140
_SHORTCODES = re.compile(r"(?<!\S)(:[a-z0-9_+-]{2,32}:)+(?!\w)")
_SPACE = re.compile(r"\s+")
_DROPPED = frozenset({"Cc", "Cs", "Co", "Cn"})
"""Control characters, lone surrogates, private and unassigned code points."""
_MARKS_OF_TEXT = frozenset(
    "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064"
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
"""Format characters that spelling needs: soft hyphen, joiners and non-joiners, places where a line may break or not,
marks of direction, invisible operators, and the number signs of some scripts. Embeddings, overrides and tags go."""
_JOINERS = frozenset("\u200c\u200d")
_PICTURES = frozenset(
    "\u231a\u231b\u23e9\u23ea\u23eb\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be"
    "\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753\u2754\u2755"
    "\u2757\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\u2648\u2649\u264a\u264b\u264c\u264d\u264e\u264f\u2650\u2651\u2652\u2653"
)
"""Characters below U+1F000 that are shown as pictures by default (Emoji_Presentation in Unicode's emoji-data.txt), but
for the signs of arithmetic."""
_SAYING = ("ARROW", "PLUS", "MINUS", "DIVISION", "MULTIPLICATION", "EQUALS")
_KEYCAP = "\u20e3"
_AS_TEXT, _AS_PICTURE = "\ufe0e", "\ufe0f"
_EDGE = " -–—|·:"
_MINUS = "-–−"


def one_line(text: str | None, longest: int = LONGEST) -> str:
    """`text` without pictures and control characters, cut at a word boundary to at most `longest` characters.

    Empty for None and for text that shows nothing. Letters and signs of every script stay, with the joiners and soft
    hyphens that spelling needs; a picture's short code goes with it.
    """
    text = unicodedata.normalize("NFC", _SHORTCODES.sub(" ", text or ""))
    kept = text if is_printable_ascii(text) else unicodedata.normalize("NFC", _without_pictures(text))
    line = _trimmed(_SPACE.sub(" ", kept))
    return _cut(line, longest) if _shows(line) else ""


def _without_pictures(text: str) -> str:
    kept: list[str] = []
    for place, sign in enumerate(text):
        if sign.isspace():
            kept.append(" ")
        elif _stays(sign, text[place + 1 : place + 2], kept[-1] if kept else " "):
            kept.append(sign)
    return "".join(kept)


def _stays(sign: str, after: str, before: str) -> bool:
    """`before` is what was kept last, `after` what is written next."""
    if sign.isascii():
        return is_printable_ascii(sign)
    if _is_selector(sign):
        # Which of several forms a letter or an operator has; one at a time, so that they carry nothing else.
        return sign not in (_AS_TEXT, _AS_PICTURE) and unicodedata.category(before) in ("Lo", "Sm")
    if sign in _JOINERS:
        return unicodedata.category(before)[0] in "LM"
    category = unicodedata.category(sign)
    if category == "Cf":
        return sign in _MARKS_OF_TEXT
    return category not in _DROPPED and sign != _KEYCAP and not _is_picture(sign, after)


def _is_selector(sign: str) -> bool:
    return "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"


def _is_picture(sign: str, after: str) -> bool:
    if "\U0001f000" <= sign <= "\U0001faff":
        return True
    if sign in _PICTURES:
        return True
    # A text sign that was asked for as a picture. Arrows and signs such as the copyright sign say what they say.
    return (
        after == _AS_PICTURE
        and sign >= "\u2300"
        and unicodedata.category(sign) == "So"
        and not any(word in unicodedata.name(sign, "") for word in _SAYING)
    )


def _trimmed(text: str) -> str:
    """Without the dashes, bars and colons that separate a line from nothing; the minus of a number stays."""
    line = text.strip(_EDGE)
    before = text[: len(text.rstrip(_EDGE)) - len(line)]
    return before[-1] + line if line[:1].isdigit() and before[-1:] and before[-1] in _MINUS else line


def _shows(line: str) -> bool:
    return any(unicodedata.category(sign) not in ("Cf", "Zs") for sign in line)


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    head = text[: longest - 1]
    if not text[longest - 1].isspace():
        # A script without spaces, or one very long word, is cut where the room ends.
        at = max((head.rfind(sign) for sign in " 、，。；"), default=-1)
        head = head[:at] if at > longest // 2 else head
    return head.rstrip(" ,;:–—-、，。；") + "…"
