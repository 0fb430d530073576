"""What a source is asked for and what it gives: the seam between the sources and the snapshots. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.models.counts import Asked, Days, Note, Point, Row, Thing, TrendKind, TrendSource
from app.stages.collect.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Before:
    """What is stored of one kind: things and their counts by external id, the rows of today's chart so far, those of

    the newest chart there is, and what the source was asked of late, by subject.
    """

    things: Mapping[str, Thing] = field(default_factory=dict)
    series: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    today: Mapping[str, Row] = field(default_factory=dict)
    charted: Mapping[str, Row] = field(default_factory=dict)
    asked: Mapping[str, Asked] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capture:
    """What the source counts of one kind: rows with its own figures of the week; no ranks yet."""

    kind: TrendKind
    rows: Sequence[Row]
    complete: bool = True
    ordered: bool = False
    """The rows stand in the source's own order, and it gave no measure to order them by."""
    seen: Collection[str] = ()
    """Ids it named, those of variants that were folded away among them."""
    histories: Mapping[str, Days] = field(default_factory=dict)
    """Star histories by external id."""
    closed: Collection[str] = ()
    """Ids of what is gone, private or archived."""
    notes: Sequence[Note] = ()


@dataclass(frozen=True, slots=True)
class Harvest:
    """All that one source gave. `problems` are sentences about what it did not give; `asked` is for the next time."""

    captures: tuple[Capture, ...]
    problems: tuple[str, ...] = ()
    asked: Mapping[str, Asked] = field(default_factory=dict)


class Source(Protocol):
    """A place where trends are counted."""

    @property
    def source(self) -> TrendSource: ...

    @property
    def name(self) -> str:
        """As a reader knows it."""
        ...

    @property
    def kinds(self) -> tuple[TrendKind, ...]: ...

    async def fetch(self, before: Mapping[TrendKind, Before], deadline: Deadline) -> Harvest:
        """Asks the source, within `deadline`. Raises SourceError where it gives nothing at all."""
        ...
