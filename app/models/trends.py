"""What was counted, when, by whom."""

from datetime import date, datetime

from sqlalchemy import Float, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import BigId
from app.models.base import Base, enumerated
from app.models.counts import Basis, TrendKind, TrendSource


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
    """One row of a capture, as `models.counts.Row` describes it."""

    __tablename__ = "trend_items"

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("trend_snapshots.id", ondelete="CASCADE"), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(64), primary_key=True)
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
    variants: Mapped[int]
    """How many repacks of the same base were folded into this row."""
    created_at: Mapped[datetime | None]
    """When the thing itself was made, by its source."""

    __table_args__ = (Index(None, "external_id"),)
