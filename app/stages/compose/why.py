"""One line on why something moves, joined from what other sources say of it. Pure.

A discussion first, then a paper, then a release: what is rarer tells more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.models.counts import Note, Thing

RECENT = timedelta(days=7)
_LONGEST = 90
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    """A line of plain text and where it is told in full."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Talk:
    """Where it is talked about."""

    source: str
    points: int
    comments: int
    url: str


def reason(
    paper: tuple[Thing, int] | None, notes: Sequence[Note], now: datetime, talk: Talk | None = None
) -> Reason | None:
    """The line for a repository: where it is discussed, else its daily paper with so many upvotes, else its newest

    release of this week.
    """
    if talk is not None:
        return _talk(talk)
    if paper is not None and (said := _paper(*paper, now)) is not None:
        return said
    return next((_release(note) for note in notes if timedelta(0) <= now - note.at <= RECENT), None)


def _talk(talk: Talk) -> Reason:
    points = f"{talk.points:,} point{'' if talk.points == 1 else 's'}"
    comments = f", {talk.comments:,} comment{'' if talk.comments == 1 else 's'}" if talk.comments else ""
    return Reason(f"Discussed on {talk.source}: {points}{comments}", talk.url)


def _paper(paper: Thing, upvotes: int, now: datetime) -> Reason | None:
    if paper.created_at is None or now - paper.created_at > RECENT:
        return None
    votes = f", {upvotes:,} upvote{'' if upvotes == 1 else 's'} on Hugging Face" if upvotes else ""
    return Reason(f"Paper: {_short(paper.name)}{votes}", paper.url)


def _release(note: Note) -> Reason:
    return Reason(f"Released {_short(note.title)} on {_day(note.at.date())}", note.url)


def _short(words: str) -> str:
    if len(words) <= _LONGEST:
        return words
    return words[: _LONGEST - 1].rpartition(" ")[0].rstrip(" ,;:–—-") + "…"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}"
