"""One paper a day, and one of the week beside it on Saturdays."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, deferred, mapped_column

from app.core.db import BigId
from app.models.base import Base, enumerated
from app.models.content import EditionKind
from app.models.states import EditionStatus


class VariantForm(StrEnum):
    HTML = "html"
    TEXT = "text"
    WEB = "web"


class Edition(Base):
    """An edition. `content` is `models.content.EditionContent` as JSON; once frozen nothing printed changes."""

    __tablename__ = "editions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[EditionKind] = mapped_column(enumerated(EditionKind, "kind"))
    date: Mapped[date]
    revision: Mapped[int]
    number: Mapped[int | None]
    """The same for every revision of an edition. Until the first was frozen it is provisional: `store.numbers`."""
    status: Mapped[EditionStatus] = mapped_column(enumerated(EditionStatus, "status"))
    reason: Mapped[str] = mapped_column(String(400))
    """Why it is in this state, in words for the operator."""
    subject: Mapped[str] = mapped_column(String(200))
    preheader: Mapped[str] = mapped_column(String(300))
    salt: Mapped[str] = mapped_column(String(32))
    """Random; keys this edition's Message-IDs and slot marks."""
    content: Mapped[dict[str, Any] | None]
    """None only while there is not even a lead to print."""
    edits: Mapped[dict[str, Any]]
    """What operators asked of it: `models.edits.Edits` as JSON."""
    version: Mapped[int]
    """Grows with every change of what is in it, so that nobody overwrites what they have not seen."""
    holds: Mapped[int]
    """How often it was held."""
    content_hash: Mapped[str] = mapped_column(String(64))
    html: Mapped[str | None] = deferred(mapped_column(Text))
    """The whole edition, inlined, with section and slot marks; None until frozen."""
    text: Mapped[str | None] = deferred(mapped_column(Text))
    composed_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("kind", "date", "revision"),
        UniqueConstraint("number", "revision"),
        CheckConstraint("status IN ('draft','ready','held') OR (html IS NOT NULL AND text IS NOT NULL)", name="frozen"),
        CheckConstraint("status IN ('draft','held') OR content IS NOT NULL", name="content"),
        CheckConstraint("status IN ('draft','ready','held') OR number IS NOT NULL", name="numbered"),
        {"sqlite_autoincrement": True},  # no id is given twice: letters and the audit log name deleted drafts
    )


class Variant(Base):
    """A cut of a frozen edition for one set of sections. Immutable."""

    __tablename__ = "variants"

    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True)
    sections: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """A bit a section: `models.content.section_bits`."""
    form: Mapped[VariantForm] = mapped_column(enumerated(VariantForm, "form"), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(32), index=True)


class Listing(Base):
    """A thing on a chart of an edition: its first hundred, of which a few are printed. The paper's memory of trends."""

    __tablename__ = "listings"

    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True)
    ref: Mapped[str] = mapped_column(String(100), primary_key=True)
    """`models.counts.ref_of` the thing."""
    rank: Mapped[int | None]
    """None: printed among the movers or by its total, without a place on the chart."""
    printed: Mapped[bool]
    name: Mapped[str] = mapped_column(String(200))
    """As it was called that day; empty where it was not printed."""

    __table_args__ = (Index(None, "ref"),)


class Picture(Base):
    """A picture that mails show, kept from the freeze on for as long as anybody may open one of them."""

    __tablename__ = "pictures"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    """The first 32 hexadecimal digits of the SHA-256 of `png`."""
    png: Mapped[bytes] = mapped_column(LargeBinary)


class Release(Base):
    """The readers of one (zone, minute), let go at their due instant, in chunks up to `cursor`."""

    __tablename__ = "releases"

    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True)
    zone: Mapped[str] = mapped_column(String(64), primary_key=True)
    minute: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """-1 stands for DELIVER_AT."""
    due_at: Mapped[datetime]
    cursor: Mapped[int]
    done_at: Mapped[datetime | None]
