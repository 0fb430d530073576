"""Keeps a paper within the size of a mail that nobody clips: what is too much waits for another day."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from app.models.content import EditionContent, Piece, Section
from app.stages.compose.paper import Laid

BUDGET = 90_000
"""Bytes of HTML; Gmail clips at 102,000, and with the rest goes the way out."""

Weigh = Callable[[EditionContent], Awaitable[tuple[int, Mapping[Section, int]] | None]]
"""How many bytes a content has as a mail, and each section; None where it cannot be printed."""


async def fitted(laid: Laid, weigh: Weigh | None) -> Laid:
    """`laid` without the stories that are too many: the last one of the longest section, until the rest fits.

    The lead always stays, and the other leads of a weekly go last. Charts stay as they are: with them alone there is
    room. Where the lead by itself is too long nothing helps, and lint says so.
    """
    gone: list[Piece] = []
    while weigh and laid.content and laid.sheet:
        weighed = await weigh(laid.content)
        if weighed is None or weighed[0] <= BUDGET:
            break
        section = longest(weighed[1], laid.sheet.lengths)
        if section is None:
            break
        sheet, piece = laid.sheet.without_last(section)
        gone.append(piece)
        laid = replace(laid, sheet=sheet, content=sheet.content())
    return replace(laid, note=left_out(gone)) if gone else laid


def longest(weights: Mapping[Section, int], lengths: Mapping[Section, int]) -> Section | None:
    """The section to take a story from: the heaviest that has one; None where none has."""
    there = [section for section, count in lengths.items() if count and section is not Section.LEAD]
    if there:
        return max(there, key=lambda one: (weights.get(one, 0), list(Section).index(one)))
    return Section.LEAD if lengths.get(Section.LEAD, 0) else None


def left_out(gone: list[Piece]) -> str:
    """Which stories were left out, in words for the operator."""
    named = ", ".join(f"{one.story_id} “{_short(one.headline)}”" for one in gone)
    return f"Left out, because the mail would have more than {BUDGET:,} bytes: {named}."


def _short(headline: str) -> str:
    return headline if len(headline) <= 40 else headline[:39].rstrip() + "…"
