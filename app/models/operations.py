"""What operators and the timetable leave behind."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import BigId
from app.models.base import Base, Json


class JobRun(Base):
    """One slot of one job: unique, so that replicas do not repeat it and downtime does not lose it.

    The slot `stream` of the job `transactional` is a lease that never finishes.
    """

    __tablename__ = "job_runs"

    job: Mapped[str] = mapped_column(String(40), primary_key=True)
    slot: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))
    epoch: Mapped[int]
    lease_until: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    result: Mapped[str] = mapped_column(String(400))


class ApiKey(Base):
    """An operator's key: only its SHA-256 is kept."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """The answer once given to a request, for the repeat of it."""

    __tablename__ = "idempotency_keys"

    api_key_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(index=True)


class SpentProof(Base):
    """A proof of work that let a sign-up in: unique, so that each does so once."""

    __tablename__ = "spent_proofs"

    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Of its challenge, in hexadecimal digits."""
    until: Mapped[datetime] = mapped_column(index=True)
    """When the challenge runs out."""


class AuditEntry(Base):
    """Who did what to which row. Ids, never addresses."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(60))
    noun: Mapped[str] = mapped_column(String(40))
    noun_id: Mapped[int | None] = mapped_column(BigInteger)
    detail: Mapped[dict[str, Any]]


class SharedSettings(Base):
    """One version of the settings that every process of this installation must have. Rows are only ever added."""

    __tablename__ = "shared_settings"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 1."""
    applied_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    settings: Mapped[dict[str, Any]]
    """By the setting's name in lower case; of secrets only fingerprints (`operations.shared_settings`)."""


class Instance(Base):
    """What is true of this installation as a whole, such as which SUPPRESSION_KEY it was begun with."""

    __tablename__ = "instance"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))
