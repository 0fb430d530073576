"""Cleans what strangers wrote about their work, for one line of print. Pure."""

import re
import unicodedata

LONGEST = 140
_SHORTCODES = re.compile(r"(?<!\S)(:[a-z0-9_+-]{2,32}:)+(?!\w)")
_SPACE = re.compile(r"\s+")
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "So", "Sk"})
"""Control and format characters (with the ones that turn the reading direction), lone surrogates, private and
unassigned code points, pictures."""
_KEYCAP_AND_VARIANTS = re.compile("[\u20e3\ufe00-\ufe0f\U000e0100-\U000e01ef\U0001f3fb-\U0001f3ff]")


def one_line(text: str | None, longest: int = LONGEST) -> str:
    """`text` without pictures and control characters, cut at a word boundary to at most `longest` characters.

    Empty for None and for white space. Letters of every script stay; a picture's short code goes with it.
    """
    text = unicodedata.normalize("NFC", _SHORTCODES.sub(" ", text or ""))
    text = _KEYCAP_AND_VARIANTS.sub("", text)
    kept = "".join(" " if sign.isspace() else "" if unicodedata.category(sign) in _DROPPED else sign for sign in text)
    return _cut(_SPACE.sub(" ", kept).strip(" -–—|·:"), longest)


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    head = text[: longest - 1]
    if not text[longest - 1].isspace():
        # A script without spaces, or one very long word, is cut where the room ends.
        at = max((head.rfind(sign) for sign in " 、，。；"), default=-1)
        head = head[:at] if at > longest // 2 else head
    return head.rstrip(" ,;:–—-、，。；") + "…"
