"""What came of looking a link up, kept for a day."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, enumerated


class LinkVerdict(StrEnum):
    """SILENT: nobody answered, or not so that a program may conclude anything, such as 403 or 503."""

    WORKS = "works"
    GONE = "gone"
    PRIVATE = "private"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Looked:
    """A verdict, and a clause that says why."""

    verdict: LinkVerdict
    detail: str = ""


class LinkCheck(Base):
    """The last look at one address."""

    __tablename__ = "link_checks"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the address, in hexadecimal digits."""
    verdict: Mapped[LinkVerdict] = mapped_column(enumerated(LinkVerdict, "verdict"))
    detail: Mapped[str] = mapped_column(String(200))
    checked_at: Mapped[datetime] = mapped_column(index=True)
