"""Subject and preheader. Pure."""

from collections.abc import Sequence

PREHEADER = 110


def subject(headline: str, yesterday: str | None) -> str:
    """The lead's headline. A paper that leads with yesterday's words again says so."""
    return headline if headline != yesterday else f"{headline}, continued"


def preheader(standfirst: str, others: Sequence[str], minutes: int) -> str:
    """One clause on the lead, up to two headlines from the paper, the minutes; about 110 characters at most.

    Never the subject again: it begins with the lead's standfirst, whose first sentence is cut to fit.
    """
    ending = f"{minutes} minute{'s' if minutes != 1 else ''}."
    first = _first_sentence(standfirst)
    for count in (2, 1, 0):
        also = f"Also: {' and '.join(_quoted(one) for one in others[:count])}." if others[:count] else ""
        line = " ".join(part for part in (first, also, ending) if part)
        if len(line) <= PREHEADER:
            return line
    room = PREHEADER - len(ending) - 1
    return f"{_cut(first, room)} {ending}"


def _first_sentence(text: str) -> str:
    head, stop, _ = text.partition(". ")
    head = head.strip()
    return f"{head}." if stop else head


def _quoted(headline: str) -> str:
    return headline.rstrip(".")


def _cut(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    return text[: room - 1].rsplit(" ", 1)[0].rstrip(",;:–— ") + "…"
