"""What stands in an edition: frozen data, no SQLAlchemy. It is stored as JSON and rendered from nothing else.

Text fields are plain text, already cleaned; `body` is sanitised HTML (paragraphs, emphasis, links, lists) with
`body_text` as its plain twin. Numbers are raw; wording them is rendering's work.
"""

import datetime as dt
import hashlib
import json
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.models.counts import Basis


class EditionKind(StrEnum):
    """A weekly is the week's paper, of a Saturday; it stands beside that day's daily."""

    DAILY = "daily"
    WEEKLY = "weekly"


class Section(StrEnum):
    """The paper's sections in their order. The lead is always in; the others a reader may choose."""

    LEAD = "lead"
    DEEP_DIVE = "deep_dive"
    OPINION = "opinion"
    TOOLS = "tools"
    TRENDING = "trending"
    MOVERS = "movers"
    WEEKEND = "weekend"


CHOOSABLE: tuple[Section, ...] = tuple(section for section in Section if section is not Section.LEAD)
STORY_SECTIONS: tuple[Section, ...] = (
    Section.LEAD,
    Section.DEEP_DIVE,
    Section.OPINION,
    Section.TOOLS,
    Section.WEEKEND,
)
TITLES: dict[Section, str] = {
    Section.LEAD: "Lead story",
    Section.DEEP_DIVE: "Deep Dive",
    Section.OPINION: "Opinion & Analysis",
    Section.TOOLS: "Tools of the Week",
    Section.TRENDING: "Trending",
    Section.MOVERS: "Biggest Movers This Week",
    Section.WEEKEND: "Weekend Reading",
}


def section_bits(sections: frozenset[Section]) -> int:
    """A set of choosable sections as a number: bit n is the n-th of CHOOSABLE."""
    return sum(1 << index for index, section in enumerate(CHOOSABLE) if section in sections)


ALL_SECTIONS = section_bits(frozenset(CHOOSABLE))


def sections_of(bits: int) -> frozenset[Section]:
    """The set that `section_bits` made `bits` of."""
    return frozenset(section for index, section in enumerate(CHOOSABLE) if bits >> index & 1)


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Piece(Frozen):
    """A story as printed."""

    story_id: int
    section: Section
    headline: Annotated[str, Field(min_length=1)]
    standfirst: str = ""
    body: str = ""
    body_text: str = ""
    byline: str = ""
    source: str = ""
    url: str = ""
    minutes: int = Field(ge=1)
    reason: str = ""
    """Why it was chosen, for the editor; not printed. Empty in editions stored before it was known."""
    printed_on: dt.date | None = None
    """In a weekly: the date of the daily that printed it first."""


class Move(StrEnum):
    """Against the same chart a week ago. UNKNOWN prints as nothing, never as "same"."""

    UP = "up"
    DOWN = "down"
    SAME = "same"
    NEW = "new"
    UNKNOWN = "unknown"


class Counted(Frozen):
    """What is known of a counted thing beside its place: how it got here, and whether the paper named it before.

    Every field may be missing: editions stored before it was known do not have it.
    """

    ref: str = ""
    """Names the thing for good, through every rename: `github:repository:102`."""
    spark: tuple[int, ...] | None = None
    """The gain of each of the last fourteen days, the oldest first, never below 0; None where a day is not known."""
    reentry: bool = False
    """RE: not on the chart of a week ago, but on that of an earlier edition. Never together with NEW."""
    days_on_chart: int | None = None
    """How many editions, today's included, had it on their chart of a hundred; None where nobody looked."""
    listed: int = 0
    """How many editions before this one printed it."""
    listed_since: dt.date | None = None
    """The date of the first of these."""
    why: str = ""
    """One line on why it moves, joined from other sources: a paper, a release, a discussion."""
    why_url: str = ""
    renamed_from: str = ""
    """The name under which the paper printed it last, where it has another one now."""
    basis: Basis | None = None
    """Where `gained` comes from."""


class ChartRow(Counted):
    rank: int = Field(ge=1)
    name: str
    url: str
    detail: str = ""
    variants: int = 0
    move: Move = Move.UNKNOWN
    places: int = 0
    """How many places up or down."""
    gained: int | None = None
    """Likes or stars of the last seven days; None where nobody can say."""
    approximate: bool = False
    """`gained` is the source's own estimate, or scaled to seven days; not a difference of two counts."""
    total: int | None = None


class Leader(Frozen):
    """Stood first on a chart, on these days of the week, the oldest first."""

    name: str
    days: tuple[dt.date, ...]


class Chart(Frozen):
    """One table: Hugging Face models, Hugging Face datasets, GitHub repositories."""

    key: str
    title: str
    unit: str
    """What is counted, plural: likes, stars."""
    as_of: dt.datetime
    stale: bool = False
    """The source did not answer today; these are its last good figures."""
    rows: tuple[ChartRow, ...]
    leaders: tuple[Leader, ...] = ()
    """In a weekly: who stood first in the week's papers, in order of their first day."""


class Mover(Counted):
    name: str
    url: str
    site: str
    """Hugging Face or GitHub."""
    unit: str
    was: int | None = None
    now: int = Field(ge=1)
    """Ranks a week ago and today, on the chart of its kind by the week's gain."""
    gained: int | None = None
    approximate: bool = False
    multiple: float | None = None
    """This week over the usual week; None where the usual week is zero or not known."""
    new: bool = False
    """In the lane of those without a usual week: too young, or not counted for long enough."""
    total: int | None = None
    """Likes or stars in all."""


class Cooled(Frozen):
    """Stood high on a chart a week ago and left it: say "left our chart", never "lost"."""

    name: str
    url: str
    site: str
    was: int = Field(ge=1)


class Movers(Frozen):
    """`measuring_since` is set while stored snapshots are too young for a week's comparison:

    the rows are then the largest gains of the week that the sources themselves give, without arrows.
    """

    as_of: dt.datetime
    stale: bool = False
    """No source answered today; these are the last good figures, without arrows."""
    measuring_since: dt.date | None = None
    rows: tuple[Mover, ...] = ()
    new: tuple[Mover, ...] = ()
    cooled: tuple[Cooled, ...] = ()


class EditionContent(Frozen):
    """The whole paper of one date."""

    kind: EditionKind = EditionKind.DAILY
    date: dt.date
    volume: int = Field(ge=1)
    number: int | None = Field(None, ge=1)
    """None for a draft whose date is so far away that it may never go out."""
    minutes: int = Field(ge=1)
    subject: Annotated[str, Field(min_length=1)]
    preheader: Annotated[str, Field(min_length=1)]
    lead: Piece
    deep_dive: Piece | None = None
    opinion: tuple[Piece, ...] = ()
    tools: tuple[Piece, ...] = ()
    charts: tuple[Chart, ...] = ()
    movers: Movers | None = None
    weekend: tuple[Piece, ...] = ()
    also: tuple[Piece, ...] = ()
    """In a weekly: the other lead stories of the week, a line each, beneath the lead and as sure to be read."""

    @property
    def present(self) -> frozenset[Section]:
        """The choosable sections that have anything in them today."""
        filled = {
            Section.DEEP_DIVE: self.deep_dive is not None,
            Section.OPINION: bool(self.opinion),
            Section.TOOLS: bool(self.tools),
            Section.TRENDING: bool(self.charts),
            Section.MOVERS: self.movers is not None and bool(self.movers.rows or self.movers.new),
            Section.WEEKEND: bool(self.weekend),
        }
        return frozenset(section for section, has in filled.items() if has)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Every story in it, in printed order."""
        return tuple(
            piece
            for piece in (self.lead, *self.also, self.deep_dive, *self.opinion, *self.tools, *self.weekend)
            if piece is not None
        )


def content_hash(content: EditionContent | None) -> str:
    """SHA-256 of the content as canonical JSON, in 64 hexadecimal digits; empty for no content."""
    if content is None:
        return ""
    text = json.dumps(content.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
