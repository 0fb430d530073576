"""What may go into an edition."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import BigId
from app.models.base import Base, enumerated
from app.models.content import Section


class Story(Base):
    """One piece, written or gathered. `body` is Markdown as it was given; rendering sanitises it."""

    __tablename__ = "stories"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
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
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (Index(None, "edition_id", "section", "publish_on"),)
