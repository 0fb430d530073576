"""What may go into an edition."""

from datetime import date, datetime

from sqlalchemy import Float, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import BigId
from app.models.base import Base, enumerated
from app.models.content import Section
from app.models.states import StoryStatus


class Story(Base):
    """One piece, written or gathered. `body` is Markdown as it was given; rendering sanitises it.

    What is gathered is born a candidate, and its words follow its sightings until an editor decides.
    """

    __tablename__ = "stories"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    status: Mapped[StoryStatus] = mapped_column(enumerated(StoryStatus, "status"))
    """Printed is not a status: `edition_id` says that, and where."""
    section: Mapped[Section] = mapped_column(enumerated(Section, "section"))
    headline: Mapped[str] = mapped_column(String(200))
    standfirst: Mapped[str] = mapped_column(String(600))
    body: Mapped[str] = mapped_column(Text)
    byline: Mapped[str] = mapped_column(String(120))
    source: Mapped[str] = mapped_column(String(120))
    url: Mapped[str] = mapped_column(String(2000))
    minutes: Mapped[int | None]
    """How long the linked piece takes to read; None: counted from the body."""
    publish_on: Mapped[date | None]
    """Not before this date, and on it first of all; None: whenever there is room."""
    edition_id: Mapped[int | None] = mapped_column(ForeignKey("editions.id", ondelete="SET NULL"))
    """The edition that was frozen with it. A story runs once."""
    slug: Mapped[str | None] = mapped_column(String(120), unique=True)
    """The name of the file it was imported from, which it is known by when the file comes again."""
    canonical_url: Mapped[str] = mapped_column(String(1000))
    """The one address of the thing it links; empty for no link, and for a second story about the same thing."""
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id", ondelete="SET NULL"), index=True)
    """Where it was gathered; None: it was written."""
    summary: Mapped[str] = mapped_column(String(600))
    """What the source says of it: for the editor, not for print."""
    weight: Mapped[float] = mapped_column(Float)
    """How much speaks for a candidate: its sources and points, without its age."""
    published_at: Mapped[datetime | None]
    """When its source published it."""
    found_at: Mapped[datetime | None]
    """When a source first showed it to us; None: it was written."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        Index(None, "edition_id", "section", "publish_on"),
        Index(None, "status", "found_at"),
        Index(
            "uq_stories_canonical_url",
            "canonical_url",
            unique=True,
            sqlite_where=text("canonical_url <> ''"),
            postgresql_where=text("canonical_url <> ''"),
        ),
    )
