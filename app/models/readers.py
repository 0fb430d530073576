"""Who reads the paper, and what they agreed to."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import BigId
from app.core.mail.mailboxes import OTHER
from app.models.base import Base, Json, enumerated
from app.models.content import ALL_SECTIONS
from app.models.states import Frequency, MailForm, SubscriberStatus


class Subscriber(Base):
    """A person. `ref` is the opaque id in links; `address_key` is the case-folded address, unique.

    Of one who was erased a row without a name remains, for the editions' figures (docs/decisions, erasure).
    """

    __tablename__ = "subscribers"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(24), unique=True)
    address: Mapped[str] = mapped_column(String(320))
    address_key: Mapped[str] = mapped_column(String(320), unique=True)
    domain_group: Mapped[str] = mapped_column(String(24), default=OTHER)
    """Whose mailbox the address is: `core.mail.mailboxes.group_of` it."""
    status: Mapped[SubscriberStatus] = mapped_column(enumerated(SubscriberStatus, "status"))
    zone: Mapped[str] = mapped_column(String(64))
    """An IANA name; empty means the paper's own TIMEZONE."""
    minute: Mapped[int | None]
    """The delivery time as a minute of the local day; None means DELIVER_AT."""
    first_name: Mapped[str] = mapped_column(String(80), default="")
    sections: Mapped[int] = mapped_column(default=ALL_SECTIONS)
    """A bit a section: `models.content.section_bits`."""
    frequency: Mapped[Frequency] = mapped_column(enumerated(Frequency, "frequency"), default=Frequency.DAILY)
    form: Mapped[MailForm] = mapped_column(enumerated(MailForm, "form"), default=MailForm.HTML)
    language: Mapped[str] = mapped_column(String(12), default="")
    """A language tag (RFC 5646) we have pages in; empty means the paper's own."""
    paused_until: Mapped[date | None]
    """The first day, in the reader's zone, on which the paper comes again."""
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "status", "zone", "minute", "id"),
        # Few, if any, read weekly; whether anybody does is asked all Saturday.
        Index(
            "ix_subscribers_weekly",
            "status",
            sqlite_where=text("frequency = 'weekly'"),
            postgresql_where=text("frequency = 'weekly'"),
        ),
    )


class Consent(Base):
    """One act of asking or agreeing. Rows are only ever added; an erasure blanks what is personal in them."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"), index=True)
    act: Mapped[str] = mapped_column(String(24))
    """`asked`, `imported`, `confirmed`, `changed`, `paused`, `resumed`, `left`, `undone` (a leaving),
    `moved` (to another address), `put back` (to the one before) or `erased`."""
    at: Mapped[datetime]
    method: Mapped[str] = mapped_column(String(24))
    """`form`, `api`, `import`, `link`, `one-click` or `operator`."""
    wording: Mapped[str] = mapped_column(String(64))
    """Which text was agreed to: its version and SHA-256."""
    source: Mapped[str] = mapped_column(String(120))
    placement: Mapped[str | None] = mapped_column(String(40), index=True)
    """The code of the QR code or form that led here."""
    utm: Mapped[dict[str, Any]] = mapped_column(Json)
    ip: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(400))
    message_id: Mapped[str] = mapped_column(String(200))
    """Of the confirmation mail whose link was used."""


class Suppression(Base):
    """An address that must not be written to, as HMAC-SHA256 under SUPPRESSION_KEY: it outlives an erasure."""

    __tablename__ = "suppressions"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(String(24))
    """`not-asked`, `erased` or `operator`."""
    created_at: Mapped[datetime]


class Placement(Base):
    """A place where the paper is offered: a poster, a talk, a form on another site. Its sign-ups are counted."""

    __tablename__ = "placements"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    label: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]
    gone_asked: Mapped[int] = mapped_column(default=0)
    """How many asked through it of whom nothing is kept any more."""
    gone_confirmed: Mapped[int] = mapped_column(default=0)
