"""Whose servers take the mail of a domain."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class MailDomain(Base):
    """A domain that readers have, and the group that its MX records put it into."""

    __tablename__ = "mail_domains"

    domain: Mapped[str] = mapped_column(String(255), primary_key=True)
    domain_group: Mapped[str] = mapped_column(String(24))
    asked_at: Mapped[datetime]
