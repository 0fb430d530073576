"""What only a process knows while it lives, put where monitoring can look it up."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Counter(Base):
    """How often something happened, since the tables were made. It only grows."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class LivingWorker(Base):
    """A worker's sign of life."""

    __tablename__ = "workers"

    owner: Mapped[str] = mapped_column(String(80), primary_key=True)
    seen_at: Mapped[int] = mapped_column(BigInteger, index=True)
    """In milliseconds since 1970 on the database's clock, as leases are."""
    in_hand: Mapped[int]
    """Mails begun and not answered, the window in use."""
