"""What speaks for a story that was gathered: its sources and points, less with every hour. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.models.content import Section

OLDEST = timedelta(days=7)
"""What was found longer ago than that is not printed unless an editor takes it."""
HALVES = {
    Section.LEAD: timedelta(hours=24),
    Section.DEEP_DIVE: timedelta(hours=72),
    Section.OPINION: timedelta(hours=48),
    Section.TOOLS: timedelta(hours=72),
    Section.WEEKEND: timedelta(hours=120),
}
"""After how long a candidate counts half: news ages in a day, reading for the weekend in most of a week."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One source that shows it."""

    source: str
    points: int | None = None
    comments: int | None = None


def score(weight: float, section: Section, at: datetime, now: datetime) -> float:
    """`weight` (its sources and the logarithm of its points) times its freshness; at least 0, rounded."""
    age = max(timedelta(0), now - at)
    return round(max(0.0, weight) * float(0.5 ** (age / HALVES[section])), 6)


def why(seen: Sequence[Sight], at: datetime, now: datetime) -> str:
    """What speaks for it, in words for the editor: `412 points on Hacker News, 9 h old, 2 sources`."""
    parts = [f"{best.points:,} points on {best.source}"] if (best := _most_discussed(seen)) else []
    hours = int(max(timedelta(0), now - at) / timedelta(hours=1))
    parts.append(f"{hours} h old" if hours < 48 else f"{hours // 24} days old")
    sources = len({one.source for one in seen})
    parts.append(f"{sources} source{'' if sources == 1 else 's'}")
    return ", ".join(parts)


def known(seen: Sequence[Sight]) -> str:
    """The same without its age; empty where nobody shows it: `412 points on Hacker News, 2 sources`."""
    parts = [f"{best.points:,} points on {best.source}"] if (best := _most_discussed(seen)) else []
    sources = len({one.source for one in seen})
    return ", ".join([*parts, f"{sources} sources"] if sources > 1 else parts)


def line(seen: Sequence[Sight]) -> str:
    """The one line that is printed beneath its headline: what we know of it ourselves; empty where that is nothing."""
    best = _most_discussed(seen)
    if best is None:
        others = sorted({one.source for one in seen})
        return f"In {' and '.join((', '.join(others[:-1]), others[-1]))}." if len(others) > 1 else ""
    points = f"{best.points:,} point{'' if best.points == 1 else 's'}"
    talk = f" and {best.comments:,} comment{'' if best.comments == 1 else 's'}" if best.comments else ""
    return f"{points}{talk} on {best.source}."


def _most_discussed(seen: Sequence[Sight]) -> Sight | None:
    told = [one for one in seen if one.points]
    return max(told, key=lambda one: (one.points or 0, one.source)) if told else None
