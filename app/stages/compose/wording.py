"""Subject and preheader. Pure.

A subject is 28 to 50 characters, a preheader 80 to 110: what phones show of a line, and enough to say something.
"""

import re
from collections.abc import Sequence

SHORTEST, LONGEST = 28, 50
LEAST, PREHEADER = 80, 110
SENTENCE = 160
LEAST_BESIDE = 16
"""Room for a part of another headline that still says something."""
_CLAUSE = re.compile(r" [–—-] |[:;,] ")
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_DANGLING = re.compile(
    r"(?:\s+(?:a|an|and|as|at|but|by|for|from|in|is|of|on|or|than|that|the|to|with))+$", re.IGNORECASE
)
_CONTINUED = ", continued"


def subject(headline: str, before: str | None, others: Sequence[str] = ()) -> str:
    """The lead's headline, cut at a clause or a word where it is too long, with another headline where it is short.

    Never `before`, the subject of the paper before this one: a paper that leads with those words again says so.
    Where there is nothing to put beside a short headline it stays short.
    """
    fitted = _fit(headline, LONGEST)
    lines = [fitted] if len(fitted) >= SHORTEST else [*_with_another(fitted, others), fitted]
    lines += [*_with_another(fitted, others), _fit(headline, LONGEST - len(_CONTINUED)).rstrip("…") + _CONTINUED]
    return next(line for line in lines if before is None or line.casefold() != before.casefold())


def preheader(standfirst: str, others: Sequence[str], minutes: int, subject: str = "") -> str:
    """One clause on the lead, up to two headlines from the paper, the minutes; 80 to 110 characters where words last.

    `standfirst` is what the lead says of itself. Whatever repeats the subject is left out. Never empty.
    """
    ending = f"{minutes} minute{'s' if minutes != 1 else ''}."
    sentences = [one for one in _sentences(standfirst) if not _repeats(one, subject)]
    others = [one.rstrip(".") for one in others if one.strip() and not _repeats(one, subject)]
    lines = [_line(sentences[:said], others[:named], ending) for said in (1, 2, 3, 0) for named in (2, 1, 3, 0)]
    fitting = [line for line in lines if len(line) <= PREHEADER]
    if good := [line for line in fitting if len(line) >= LEAST]:
        return good[0]
    cut = [_cut_to_fit(sentences[:1], others[:1], ending), _cut_to_fit(sentences[:1], [], ending)]
    return max([*fitting, *(line for line in cut if len(line) <= PREHEADER)], key=len)


def first_sentence(text: str) -> str:
    """The first sentence of a story, cut at a word where it is longer than two lines."""
    return _cut(next(iter(_sentences(text)), ""), SENTENCE)


def _with_another(fitted: str, others: Sequence[str]) -> list[str]:
    """Beside another headline: one that fits whole, else as much of the first as there is room for."""
    start = f"{fitted.rstrip('.')}; also: "
    room = LONGEST - len(start)
    whole = [start + other.rstrip(".") for other in others]
    part = [start + _fit(other, room) for other in others if len(other) > room >= LEAST_BESIDE]
    return [line for line in (*whole, *part) if SHORTEST <= len(line) <= LONGEST]


def _fit(headline: str, room: int) -> str:
    """The headline, or as much of it as `room` takes: whole clauses, else whole words."""
    headline = " ".join(headline.split())
    if len(headline) <= room:
        return headline
    clauses = [headline[: found.start()] for found in _CLAUSE.finditer(headline)]
    whole = [one for one in clauses if SHORTEST <= len(one) <= room]
    return whole[-1] if whole else _cut(headline, room)


def _line(sentences: Sequence[str], others: Sequence[str], ending: str) -> str:
    named = " and ".join([", ".join(others[:-1]), others[-1]] if len(others) > 1 else others)
    return " ".join(part for part in (*sentences, f"Also: {named}." if named else "", ending) if part)


def _cut_to_fit(sentences: Sequence[str], others: Sequence[str], ending: str) -> str:
    """The last of what is said, cut so that the whole fits."""
    parts = [*sentences, *(f"Also: {one}" for one in others)]
    if not parts:
        return ending
    room = PREHEADER - len(ending) - 1 - sum(len(part) + 1 for part in parts[:-1])
    return " ".join([*parts[:-1], _cut(parts[-1], room), ending]) if room > 1 else ""


def _sentences(text: str) -> list[str]:
    found = [one for one in _SENTENCE.split(" ".join(text.split())) if one]
    return [one if one[-1] in ".?!…" else f"{one}." for one in found[:4]]


def _repeats(text: str, subject: str) -> bool:
    one, other = text.casefold().strip(" .…"), subject.casefold().strip(" .…")
    return bool(other) and bool(one) and (other in one or one in other)


def _cut(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    head = text[: room - 1]
    if text[room - 1] != " ":
        head = head.rpartition(" ")[0] or head
    return (_DANGLING.sub("", head.rstrip(",;:–— ")) or head) + "…"
