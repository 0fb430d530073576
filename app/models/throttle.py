"""What all workers share of a way out: whether it works, and how much of its rate and of its day is used."""

from datetime import date, datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Bucket(Base):
    """The tokens of one provider, or of one group of recipients' domains at it."""

    __tablename__ = "buckets"

    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    domain_group: Mapped[str] = mapped_column(String(40), primary_key=True)
    """Empty: the provider as a whole."""
    full_at: Mapped[int] = mapped_column(BigInteger)
    """When the next message may leave, in microseconds since 1970 on the database's clock."""
    day: Mapped[date]
    """Of the paper's own zone."""
    used: Mapped[int]
    """Messages of `day`."""
    barred_until: Mapped[int] = mapped_column(BigInteger, default=0)
    """Until when the mailbox provider wants nothing of us; on the same clock as `full_at`."""
    bars: Mapped[int] = mapped_column(default=0)
    """How often in a row it has said so."""


class ProviderState(Base):
    """A provider that failed, now or once; without a row it never did."""

    __tablename__ = "provider_states"

    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    failures: Mapped[int]
    """In a row; 0 since it took a message again."""
    open_until: Mapped[datetime | None]
    """Until when it is left alone."""
    ours: Mapped[bool]
    """Its last refusal was for a fault of ours: it holds until an operator mends it."""
    code: Mapped[str] = mapped_column(String(24))
    why: Mapped[str] = mapped_column(String(400))
    failed_at: Mapped[datetime]
