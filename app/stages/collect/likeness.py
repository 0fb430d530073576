"""Whether two headlines tell of the same thing. Pure.

Two houses seldom word one piece of news alike, so what is compared is the set of telling words; and a number is never
a detail: "GPT-5" and "GPT-4", "2.5" and "3" are different news however alike the rest is.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

WINDOW = timedelta(hours=72)
ALIKE = 0.7
"""The least share of common words (Sørensen-Dice)."""
TELLING = 4
"""Fewer words than this say too little to be compared: only the same words then are the same headline."""
SHORT = 6
"""With fewer words than this, a word of its own in each makes them two: "… for files", "… for memory"."""
_LONGEST = 40
_PREFIX = re.compile(
    r"^\s*(?:(?:show|ask|tell|launch) hn|breaking|exclusive|update|watch|video|paper)\s*[:–—-]\s*", re.IGNORECASE
)
_SUFFIX = re.compile(r"\s+[|·•]\s+[^|·•]{1,40}$|\s*[\[(](?:pdf|video|audio|\d{4})[\])]\s*$", re.IGNORECASE)
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_EMPTY = frozenset([
    "a", "an", "and", "are", "as", "at", "be", "been", "by", "can", "did", "do", "does", "for", "from", "had",
    "has", "have", "how", "in", "into", "is", "it", "its", "new", "now", "of", "on", "or", "our", "over", "says",
    "so", "than", "that", "the", "their", "they", "this", "to", "up", "via", "was", "we", "were", "what", "when",
    "where", "which", "who", "why", "will", "with", "you", "your", "introducing", "announcing", "announces",
    "announced", "launches", "launched", "launch", "releases", "released", "release", "unveils", "unveiled",
])  # fmt: skip


def essence(title: str) -> frozenset[str]:
    """The telling words of a headline: folded to lower case, without plural, accents and empty words."""
    text = _PREFIX.sub("", title[:500])
    text = _SUFFIX.sub("", text)
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not _is_unheard(one)).casefold()
    words = [_stem(word) for word in _WORD.findall(plain.replace("’", "'").replace("'s ", " "))]
    telling = [word for word in words if word not in _EMPTY]
    return frozenset((telling or words)[:_LONGEST])


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two essences are those of one piece of news. The order of the two does not matter."""
    if not one or not other:
        return False
    if one == other:
        return True
    if min(len(one), len(other)) < TELLING or _numbers(one) != _numbers(other):
        return False
    if min(len(one), len(other)) < SHORT and one - other and other - one:
        return False
    return 2 * len(one & other) / (len(one) + len(other)) >= ALIKE


def near(one: datetime, other: datetime) -> bool:
    """Whether two instants are close enough for like headlines to be one piece of news."""
    return abs(one - other) <= WINDOW


def clusters(essences: Sequence[frozenset[str]], at: Sequence[datetime]) -> list[list[int]]:
    """The indexes of like headlines, together; the same sets whatever the order they come in."""
    parent = list(range(len(essences)))

    def root(index: int) -> int:
        while parent[index] != index:
            index = parent[index]
        return index

    for index, one in enumerate(essences):
        for earlier in range(index):
            if near(at[index], at[earlier]) and alike(one, essences[earlier]):
                parent[root(index)] = root(earlier)
    found: dict[int, list[int]] = {}
    for index in range(len(essences)):
        found.setdefault(root(index), []).append(index)
    return list(found.values())


def _is_unheard(sign: str) -> bool:
    """Accents, and format characters such as a soft hyphen, which would otherwise part a word."""
    return unicodedata.combining(sign) != 0 or unicodedata.category(sign) == "Cf"


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if word[0].isdigit())
