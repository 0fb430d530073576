"""The ledger: who is owed what, and what became of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import BigId
from app.models.base import Base, enumerated
from app.models.states import DeliveryStatus

REDACTED = ""
"""In `Delivery.provider_id`: the reader was erased. No provider's number is ever written over it."""


class Shard(Base):
    """About a thousand deliveries that one worker hands over at a time, under a lease.

    `epoch` grows with every owner; a worker whose epoch is past begins no hand-over.
    """

    __tablename__ = "shards"

    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[int] = mapped_column(BigInteger)
    """Milliseconds since 1970 on the database's clock; 0 when free."""
    epoch: Mapped[int]
    next_at: Mapped[datetime | None]
    """When something in it is owed next; None when nothing is."""

    __table_args__ = (Index(None, "next_at"),)


class Delivery(Base):
    """One edition to one reader: the primary key is what makes a second one impossible."""

    __tablename__ = "deliveries"

    edition_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    shard: Mapped[int]
    domain_group: Mapped[str] = mapped_column(String(24))
    """The reader's when they were released: it stays, wherever they move, so that the counts stay true."""
    status: Mapped[DeliveryStatus] = mapped_column(enumerated(DeliveryStatus, "status"))
    attempt: Mapped[int]
    provider: Mapped[str | None] = mapped_column(String(40))
    provider_id: Mapped[str | None] = mapped_column(String(200))
    """The provider's own number of the mail it accepted last; `REDACTED` once the reader is erased."""
    code: Mapped[str | None] = mapped_column(String(24))
    """The last outcome's code: an SMTP enhanced status, a provider's error name, or a word of ours."""
    fault: Mapped[str | None] = mapped_column(String(12))
    """Of a rejection: `address`, `message` or `ours`."""
    due_at: Mapped[datetime]
    """When it is owed; moved forward by a deferral."""
    expires_at: Mapped[datetime]
    pinned: Mapped[bool] = mapped_column(default=False)
    """Nobody knows whether `provider` has passed it on: it is tried again there and by no other, for good."""

    __table_args__ = (
        ForeignKeyConstraint(["edition_id", "shard"], ["shards.edition_id", "shards.number"], ondelete="CASCADE"),
        Index(None, "edition_id", "shard", "status", "due_at"),
        Index(None, "subscriber_id"),
    )


class DeliveryCount(Base):
    """How many deliveries of an edition are where, kept in the transaction that moves them.

    A row counts changes, and may fall below zero; only the sum over an edition's shards means something. Shard 0 is
    where those of shards that nobody works on are added up. Without a foreign key: they outlive the deliveries, and a
    group must not wait for whoever holds the edition.
    """

    __tablename__ = "delivery_counts"

    edition_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    """Who was given it; empty while nobody was, or is not any more."""
    domain_group: Mapped[str] = mapped_column(String(24), primary_key=True)
    queued: Mapped[int]
    deferred: Mapped[int]
    sending: Mapped[int]
    accepted: Mapped[int]
    rejected_address: Mapped[int]
    rejected_message: Mapped[int]
    rejected_ours: Mapped[int]
    unknown: Mapped[int]
    skipped: Mapped[int]
    expired: Mapped[int]
    repeated: Mapped[int]
    """Mails known to have gone out twice; of the readers who are counted as accepted."""


class DeliveryPace(Base):
    """How many hand-overs were answered for good in a slice of `store.progress.SLICE` seconds."""

    __tablename__ = "delivery_pace"

    edition_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slice: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    settled: Mapped[int]


class DeliveryNote(Base):
    """Every outcome that was not an acceptance at the first try."""

    __tablename__ = "delivery_notes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    edition_id: Mapped[int]
    subscriber_id: Mapped[int]
    attempt: Mapped[int]
    at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(24))
    code: Mapped[str] = mapped_column(String(24))
    why: Mapped[str] = mapped_column(String(400))

    __table_args__ = (
        ForeignKeyConstraint(
            ["edition_id", "subscriber_id"], ["deliveries.edition_id", "deliveries.subscriber_id"], ondelete="CASCADE"
        ),
        Index(None, "edition_id", "subscriber_id"),
    )


class TransactionalEmail(Base):
    """Service mail that is owed: what kind, to whom, with which parameters; never a body or a token."""

    __tablename__ = "transactional_emails"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"), index=True)
    parameters: Mapped[dict[str, Any]]
    recipient: Mapped[str | None] = mapped_column(String(320))
    """The address it is for; None means whatever address the reader has when it is handed over."""
    ref: Mapped[str] = mapped_column(String(24), unique=True)
    """Random; its Message-ID."""
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

    __table_args__ = (Index(None, "status", "due_at"),)
