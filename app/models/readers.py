"""Who reads the paper, and what they agreed to."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import BigId
from app.models.base import Base, enumerated
from app.models.states import SubscriberStatus


class Subscriber(Base):
    """A person. `ref` is the opaque id in links; `address_key` is the case-folded address, unique."""

    __tablename__ = "subscribers"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(24), unique=True)
    address: Mapped[str] = mapped_column(String(320))
    address_key: Mapped[str] = mapped_column(String(320), unique=True)
    status: Mapped[SubscriberStatus] = mapped_column(enumerated(SubscriberStatus, "status"))
    zone: Mapped[str] = mapped_column(String(64))
    """An IANA name; empty means the paper's own TIMEZONE."""
    minute: Mapped[int | None]
    """The delivery time as a minute of the local day; None means DELIVER_AT."""
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "status", "zone", "minute", "id"),)


class Consent(Base):
    """One act of asking or agreeing. Rows are only ever added."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"), index=True)
    act: Mapped[str] = mapped_column(String(24))
    """`asked`, `confirmed` or `left`."""
    at: Mapped[datetime]
    method: Mapped[str] = mapped_column(String(24))
    """`form`, `api`, `link` or `one-click`."""
    wording: Mapped[str] = mapped_column(String(64))
    """Which text was agreed to: its version and SHA-256."""
    source: Mapped[str] = mapped_column(String(120))
    ip: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(400))
    message_id: Mapped[str] = mapped_column(String(200))
    """Of the confirmation mail whose link was used."""
