"""What a candidate says and how much speaks for it: both follow from its sightings, in any order. Pure."""

from collections.abc import Sequence
from math import log10
from typing import Any

from app.models import SourceKind
from app.stages.collect.canonical import site_of
from app.store.sightings import Seen

_SECOND = 0.5
"""What each further source counts, of its weight: news in three houses is more than in one, not three times."""


def candidate_of(seen: Sequence[Seen]) -> dict[str, Any]:
    """The columns of a candidate: the words of its best sighting, with what all of them amount to.

    The best is the one nearest to whoever has the news: a house's own feed before a link to it, then the weightier
    source, then the earlier.
    """
    best = min(seen, key=_standing)
    row, source = best.row, best.source
    return {
        "section": source.section,
        "headline": row.title,
        "byline": row.author,
        "source": _credit(best),
        "url": row.url,
        "canonical_url": row.key,
        "source_id": source.id,
        "summary": row.summary or discussed(row.points, row.comments),
        "weight": weight_of(seen),
        "published_at": row.published_at,
    }


def weight_of(seen: Sequence[Seen]) -> float:
    """The weights of its sources and the logarithm of its points; rounded, so that addition's order leaves no trace."""
    weights = sorted({one.source.id: one.source.weight for one in seen}.values(), reverse=True)
    points = max((one.row.points or 0 for one in seen), default=0)
    return round(weights[0] + _SECOND * sum(weights[1:]) + log10(1 + points), 6)


def discussed(points: int | None, comments: int | None) -> str:
    """A sentence of our own for a link that came without one."""
    if points is None:
        return ""
    return f"Discussed on Hacker News: {points:,} points, {comments or 0:,} comments."


def _standing(one: Seen) -> tuple[Any, ...]:
    row, source = one.row, one.source
    return (
        source.kind is SourceKind.HACKERNEWS,
        -source.weight,
        row.published_at or row.found_at,
        source.id,
        row.key,
    )


def _credit(one: Seen) -> str:
    """Who wrote it: the feed's name; behind a link the site it leads to, or Hacker News itself."""
    if one.source.kind is not SourceKind.HACKERNEWS or one.row.url == one.row.discussion:
        return one.source.name
    return site_of(one.row.url)[:120] or one.source.name
