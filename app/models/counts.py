"""What was counted: the vocabulary of trends and its frozen rows, as the pure rooms use them. No SQLAlchemy."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class TrendSource(StrEnum):
    HUGGINGFACE = "huggingface"
    GITHUB = "github"


class TrendKind(StrEnum):
    MODEL = "model"
    DATASET = "dataset"
    REPOSITORY = "repository"
    MOVERS = "movers"
    """Not counted but computed, from the source's charts of the same day."""


class Basis(StrEnum):
    """Where the gain of a week comes from."""

    COUNTED = "counted"
    """Two counts of ours, a week apart."""
    NEAREST = "nearest"
    """Two counts of ours, but that day's is missing: the nearest one, scaled to seven days."""
    HISTORY = "history"
    """The source's own count of each of the last seven whole days."""
    ESTIMATE = "estimate"
    """The source's own measure of the week, close to its gain but not a count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing on one day's chart. `external_id` survives a rename; `name` is what it was called that day."""

    external_id: str
    name: str
    url: str
    detail: str = ""
    count: int
    """Likes or stars, in all."""
    rank: int | None = None
    """Place on the day's chart, equal for equals; None: counted, but its week is not known."""
    was: int | None = None
    """Place on the same chart a week before; None: not on it, or nobody can say."""
    new: bool = False
    """Never on a chart of ours up to a week ago."""
    gained: int | None = None
    basis: Basis | None = None
    usual: float | None = None
    """The gain of its usual week, where at least 14 days of the four weeks before are known."""
    score: float | None = None
    """The source's own measure of the week; among the movers, our measure of surprise."""
    forks: int | None = None
    variants: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One capture of one chart. `since` is set while there is no chart of a week ago to compare it with."""

    source: TrendSource
    kind: TrendKind
    day: date
    captured_at: datetime
    complete: bool
    rows: tuple[Row, ...]
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One count of one thing."""

    at: datetime
    count: int
