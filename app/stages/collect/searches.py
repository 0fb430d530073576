"""Which searches GitHub is asked, and which of them now. Pure.

Several topics in one query mean "and", so each topic is a query of its own, in two shapes: what is established and
still worked on, and what is newly born and already noticed. Young repositories often set no topic: a few plain words
find them. Without a token ten searches a minute are free, so a round of all of them takes some hours' runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.models.counts import Asked

TOPICS = (
    "llm", "ai-agents", "machine-learning", "deep-learning", "rag", "mcp", "generative-ai", "llm-inference",
    "diffusion-models", "computer-vision", "nlp", "reinforcement-learning",
)  # fmt: skip
"""The most telling ones first: a first run without a token gets no further than the sixth."""
WORDS = ("llm", "agents", "language model")
A_MINUTE, A_MINUTE_WITH_TOKEN = 9, 28
"""Searches in any minute: GitHub allows 10 and 30."""
ROUND = timedelta(hours=24)
"""What was answered whole within that time counts as answered for today's chart."""
PREFIX = "search:"
_MINUTE = timedelta(seconds=61)


@dataclass(frozen=True, slots=True)
class Query:
    """`subject` is its name among the questions that were asked; `text` is `q` as GitHub takes it, for a date."""

    subject: str
    text: str


def queries(today: date) -> tuple[Query, ...]:
    """All there are, the most telling first."""
    pushed, born = today - timedelta(days=7), today - timedelta(days=30)
    plain = "fork:false archived:false"
    old = [
        Query(f"{PREFIX}established:{topic}", f"topic:{topic} stars:>=1000 pushed:>={pushed} {plain}")
        for topic in TOPICS
    ]
    new = [Query(f"{PREFIX}newborn:{topic}", f"topic:{topic} stars:>=50 created:>={born} {plain}") for topic in TOPICS]
    for words in WORDS:
        said = f'"{words}"' if " " in words else words
        text = f"{said} in:name,description stars:>=50 created:>={born} {plain}"
        new.append(Query(f"{PREFIX}newborn:words:{words}", text))
    # Two of the established to one newborn, as long as there are any.
    pairs = [old[first : first + 2] for first in range(0, len(old), 2)]
    mixed = [query for pair, one in zip(pairs, new, strict=False) for query in (*pair, one)]
    return (*mixed, *new[len(pairs) :])


def due(asked: Mapping[str, Asked], now: datetime, *, token: bool) -> Sequence[Query]:
    """What to ask now: those that waited longest, as many as the minute's limit leaves."""
    just = sum(subject.startswith(PREFIX) and now - one.at < _MINUTE for subject, one in asked.items())
    most = max(0, (A_MINUTE_WITH_TOKEN if token else A_MINUTE) - just)
    never = datetime.min.replace(tzinfo=now.tzinfo)
    waiting = sorted(queries(now.date()), key=lambda one: asked[one.subject].at if one.subject in asked else never)
    return waiting[:most]


def whole(asked: Mapping[str, Asked], now: datetime) -> bool:
    """Whether every search was answered whole within a day: only then does an absence prove anything."""
    answered = (asked.get(one.subject) for one in queries(now.date()))
    return all(one is not None and one.whole_at is not None and now - one.whole_at <= ROUND for one in answered)
