"""What was counted: the vocabulary of trends and its frozen rows, as the pure rooms use them. No SQLAlchemy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class TrendSource(StrEnum):
    HUGGINGFACE = "huggingface"
    GITHUB = "github"


class TrendKind(StrEnum):
    MODEL = "model"
    DATASET = "dataset"
    SPACE = "space"
    PAPER = "paper"
    """A daily paper of Hugging Face; its count is its upvotes, its external id the arXiv id."""
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
    """The source's own count of each day, taken off today's count of ours."""
    ESTIMATE = "estimate"
    """The source's own measure of the week, close to its gain but not a count."""


class Ruling(StrEnum):
    """What the editor decided about a thing."""

    ALLOW = "allow"
    """Print it, whatever looks odd about its figures."""
    BLOCK = "block"
    """Never on a chart of ours."""


def ref_of(source: TrendSource, kind: TrendKind, external_id: str) -> str:
    """The name of a thing for good: `github:repository:102`. Survives a rename; another thing never gets it."""
    return f"{source.value}:{kind.value}:{external_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing on one day's chart. `external_id` survives a rename; `name` is what it was called that day."""

    external_id: str
    name: str
    url: str
    kind: TrendKind | None = None
    """What it is, where a chart mixes kinds, as the movers do."""
    detail: str = ""
    count: int
    """Likes or stars, in all."""
    rank: int | None = None
    """Place on the day's chart, equal for equals; None: counted, but its week is not known, or it is held."""
    was: int | None = None
    """Place on the same chart a week before; None: not on it, or nobody can say."""
    new: bool = False
    """Not among the first hundred of that chart, and that is certain: it was counted then, or the chart was whole."""
    gained: int | None = None
    basis: Basis | None = None
    usual: float | None = None
    """The gain of its usual week, where at least 14 days of the four weeks before are known."""
    score: float | None = None
    """The source's own measure of the week; among the movers, our measure of surprise."""
    forks: int | None = None
    downloads: int | None = None
    """Of the last 30 days, rolling: never to be differenced. None: not known, or too young to be counted yet."""
    variants: int = 0
    created_at: datetime | None = None
    confirmed: bool | None = None
    """Whether the source's own history bears our gain out; None: it was not asked."""
    held: bool = False
    """Kept from print until an editor has looked at it."""
    remark: str = ""
    """For the editor, never for a reader: why it is held, or has no arrow."""
    spark: tuple[int, ...] | None = None
    """The gain of each of the last 14 days, the oldest first; None where one is not known."""
    node_id: str = ""
    """GitHub's name for it in GraphQL."""
    link: str = ""
    """A paper's repository as `owner/name`."""


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
    """One count of one thing. `told`: not counted by us but worked out from the source's history."""

    at: datetime
    count: int
    forks: int | None = None
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something we count, as it was last seen."""

    external_id: str
    name: str
    url: str
    detail: str = ""
    node_id: str = ""
    link: str = ""
    created_at: datetime | None = None
    first_day: date
    last_day: date
    """The last day on which it was counted."""
    closed_on: date | None = None
    """Set once its source said that it is gone, private or archived."""
    ruling: Ruling | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """When a question was last put to a source, and when it was last answered whole."""

    at: datetime
    whole_at: datetime | None = None


class NoteKind(StrEnum):
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened to a thing, as its source words it."""

    external_id: str
    kind: NoteKind
    title: str
    url: str
    at: datetime


Days = Mapping[date, int]
"""What each day brought, by the source's own history."""
