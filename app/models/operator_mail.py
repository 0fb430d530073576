"""Letters to the operators themselves: owed rows, as every mail of ours."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import BigId
from app.models.base import Base, enumerated
from app.models.states import DeliveryStatus


class OperatorMail(Base):
    """One letter to one operator: what it is about, never its text."""

    __tablename__ = "operator_mails"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    topic: Mapped[str] = mapped_column(String(64))
    """What happened, once: `held:7:1` is the first hold of edition 7."""
    address: Mapped[str] = mapped_column(String(254))
    parameters: Mapped[dict[str, Any]]
    ref: Mapped[str] = mapped_column(String(24), unique=True)
    """Random; its Message-ID, the same on every attempt."""
    status: Mapped[DeliveryStatus] = mapped_column(enumerated(DeliveryStatus, "status"))
    attempt: Mapped[int]
    epoch: Mapped[int]
    """Of the lease under which it was begun."""
    provider: Mapped[str | None] = mapped_column(String(40))
    provider_id: Mapped[str | None] = mapped_column(String(200))
    code: Mapped[str | None] = mapped_column(String(24))
    why: Mapped[str] = mapped_column(String(400))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("topic", "address"), Index(None, "status", "due_at"))
