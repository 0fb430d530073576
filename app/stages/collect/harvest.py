"""What a source is asked for and what it gives: the seam between the sources and the snapshots. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.models.counts import Point, Row, TrendKind, TrendSource
from app.stages.collect.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Before:
    """What is stored of one chart: the counts of earlier days by external id, and the rows of today so far."""

    series: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    today: Mapping[str, Row] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capture:
    """One chart as the source gives it: counts, and its own figures of the week; no ranks yet."""

    kind: TrendKind
    rows: Sequence[Row]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Harvest:
    """All that one source gave. `problems` are sentences about what it did not give."""

    captures: tuple[Capture, ...]
    problems: tuple[str, ...] = ()


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
