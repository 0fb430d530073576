"""What all workers share of a way out: how much of its rate and of its day is used."""

from datetime import date

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
