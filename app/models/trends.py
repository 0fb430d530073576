"""What was counted, when, by whom: things and their daily counts, the charts made of them, what was asked for them."""

from datetime import date, datetime

from sqlalchemy import Float, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import BigId
from app.models.base import Base, enumerated
from app.models.counts import Basis, NoteKind, Ruling, TrendKind, TrendSource


class TrendThing(Base):
    """A model, dataset, space, paper or repository that is counted, as it was last seen."""

    __tablename__ = "trend_things"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[TrendSource] = mapped_column(enumerated(TrendSource, "source"))
    kind: Mapped[TrendKind] = mapped_column(enumerated(TrendKind, "kind"))
    external_id: Mapped[str] = mapped_column(String(64))
    """The source's own key; it outlives every name."""
    node_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(300))
    detail: Mapped[str] = mapped_column(String(200))
    link: Mapped[str] = mapped_column(String(200), index=True)
    """A paper's repository, `owner/name` in lower case."""
    created_at: Mapped[datetime | None]
    first_day: Mapped[date]
    last_day: Mapped[date]
    closed_on: Mapped[date | None]
    """Gone, private or archived since; its series is closed."""
    ruling: Mapped[Ruling | None] = mapped_column(enumerated(Ruling, "ruling"))

    __table_args__ = (UniqueConstraint("source", "kind", "external_id"),)


class TrendCount(Base):
    """One count of one thing on one UTC day: a year of 2,000 things is a table of small numbers."""

    __tablename__ = "trend_counts"

    thing_id: Mapped[int] = mapped_column(ForeignKey("trend_things.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Days since 1 January 1970."""
    minute: Mapped[int] = mapped_column(SmallInteger)
    """Of that day, UTC."""
    count: Mapped[int]
    forks: Mapped[int | None]
    told: Mapped[bool]
    """Worked out from the source's history, not counted by us; a count of ours takes its place."""

    __table_args__ = ({"sqlite_with_rowid": False},)


class TrendNote(Base):
    """The newest of its kind that happened to a thing: a release."""

    __tablename__ = "trend_notes"

    thing_id: Mapped[int] = mapped_column(ForeignKey("trend_things.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[NoteKind] = mapped_column(enumerated(NoteKind, "kind"), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime]


class TrendAsk(Base):
    """A question put to a source: what rotates, and what fits into its limits, is read off these rows."""

    __tablename__ = "trend_asks"

    source: Mapped[TrendSource] = mapped_column(enumerated(TrendSource, "source"), primary_key=True)
    subject: Mapped[str] = mapped_column(String(120), primary_key=True)
    """`search:established:llm`, `history:102`, `repository:102`, `releases:102`."""
    asked_at: Mapped[datetime]
    whole_at: Mapped[datetime | None]
    """When it was last answered whole."""


class TrendSnapshot(Base):
    """One capture of one chart; the last capture of a day stands for the day. Movers are a chart too."""

    __tablename__ = "trend_snapshots"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[TrendSource] = mapped_column(enumerated(TrendSource, "source"))
    kind: Mapped[TrendKind] = mapped_column(enumerated(TrendKind, "kind"))
    day: Mapped[date]
    captured_at: Mapped[datetime]
    complete: Mapped[bool]
    """False where the source said that its answer is not whole: an absence then proves nothing."""
    since: Mapped[date | None]
    """Set while there is no chart of a week ago to compare with: the first day of the present measuring."""

    __table_args__ = (UniqueConstraint("source", "kind", "day"),)


class TrendItem(Base):
    """One row of a chart, as `models.counts.Row` describes it: its first hundred, and what is held."""

    __tablename__ = "trend_items"

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("trend_snapshots.id", ondelete="CASCADE"), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[TrendKind | None] = mapped_column(enumerated(TrendKind, "kind"))
    rank: Mapped[int | None]
    was: Mapped[int | None]
    new: Mapped[bool]
    name: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(300))
    detail: Mapped[str] = mapped_column(String(200))
    """What it is, in a few words: its task, or the cleaned description."""
    count: Mapped[int]
    """Likes or stars, in all."""
    gained: Mapped[int | None]
    """Of these, how many in the last seven days."""
    basis: Mapped[Basis | None] = mapped_column(enumerated(Basis, "basis"))
    """Where `gained` comes from."""
    usual: Mapped[float | None] = mapped_column(Float)
    score: Mapped[float | None] = mapped_column(Float)
    """The source's own measure of the week (Hugging Face: about the likes of seven days)."""
    forks: Mapped[int | None]
    downloads: Mapped[int | None]
    variants: Mapped[int]
    """How many repacks of the same base were folded into this row."""
    created_at: Mapped[datetime | None]
    """When the thing itself was made, by its source."""
    confirmed: Mapped[bool | None]
    held: Mapped[bool]
    remark: Mapped[str] = mapped_column(String(200))
    """For the editor: why it is held, or has no arrow."""
    spark: Mapped[str | None] = mapped_column(String(160))
    """Fourteen numbers with spaces between."""

    __table_args__ = (Index(None, "external_id"),)
