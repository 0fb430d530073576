"""Where stories are found, what was found there, and how each source of ours is doing."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Float, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import BigId
from app.models.base import Base, enumerated
from app.models.content import Section


class SourceKind(StrEnum):
    """How a source is asked and read."""

    FEED = "feed"
    """RSS or Atom."""
    ARXIV = "arxiv"
    """A query of arXiv's API, which answers in Atom."""
    HACKERNEWS = "hackernews"
    """A search of Hacker News, which answers in JSON."""


class Source(Base):
    """A place where stories are found."""

    __tablename__ = "sources"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[SourceKind] = mapped_column(enumerated(SourceKind, "kind"))
    name: Mapped[str] = mapped_column(String(120))
    """As it is credited in print."""
    url: Mapped[str] = mapped_column(String(1000), unique=True)
    section: Mapped[Section] = mapped_column(enumerated(Section, "section"))
    """Where its finds are proposed for."""
    weight: Mapped[float] = mapped_column(Float)
    """How much a find of it counts against one of another source; 1 is usual."""
    most: Mapped[int]
    """How many new candidates one reading may bring."""
    enabled: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Sighting(Base):
    """One find at one source. It stays when its story is gone, and so is the memory of what was seen before."""

    __tablename__ = "sightings"

    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(1000), primary_key=True, index=True)
    """The canonical address of what was found."""
    story_id: Mapped[int | None] = mapped_column(ForeignKey("stories.id", ondelete="SET NULL"), index=True)
    """The story it was folded into; None: that story was deleted, and does not come back."""
    url: Mapped[str] = mapped_column(String(2000))
    """What to link."""
    discussion: Mapped[str] = mapped_column(String(300))
    """Where it is talked about at this source; empty where it is not."""
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(String(600))
    """The source's own words, cleaned and cut: for the editor to write from."""
    author: Mapped[str] = mapped_column(String(120))
    points: Mapped[int | None]
    comments: Mapped[int | None]
    published_at: Mapped[datetime | None]
    found_at: Mapped[datetime] = mapped_column(index=True)
    seen_at: Mapped[datetime]
    """When the source last listed it, to the day."""


class SourceHealth(Base):
    """How one source does: those of stories by `source-<id>`, those of trends by their name."""

    __tablename__ = "source_health"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"), unique=True)
    asked_at: Mapped[datetime]
    succeeded_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(Text)
    """What was wrong last time, in words; empty where nothing was."""
    failures: Mapped[int]
    """In a row."""
    open_until: Mapped[datetime | None]
    """The breaker: not asked before this."""
    latency_ms: Mapped[int | None]
    """How long the last good answer took."""
    data_at: Mapped[datetime | None]
    """How new the newest that it gave is."""
    usual_gap: Mapped[float | None] = mapped_column(Float)
    """Seconds between two of its finds, as a rule."""
    items: Mapped[int | None]
    """How many the last good answer held."""
    etag: Mapped[str] = mapped_column(String(400))
    last_modified: Mapped[str] = mapped_column(String(80))
    """Both as the source gave them, to ask whether anything changed (RFC 9110 section 13.1)."""
