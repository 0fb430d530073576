"""Operators' keys and the audit log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, insert, select, update

from app.core.db import Session
from app.models import ApiKey, AuditEntry


async def add_key(session: Session, *, name: str, digest: str, scopes: list[str], now: datetime) -> int:
    made = await session.scalar(
        insert(ApiKey)
        .values(name=name, hash=digest, scopes=scopes, created_at=now, revoked_at=None)
        .returning(ApiKey.id)
    )
    assert made is not None
    return int(made)


async def find_digest(session: Session, digest: str) -> ApiKey | None:
    """The key with this hash that was not revoked."""
    return await session.scalar(select(ApiKey).where(ApiKey.hash == digest, ApiKey.revoked_at.is_(None)))


async def find_name(session: Session, name: str) -> ApiKey | None:
    return await session.scalar(select(ApiKey).where(ApiKey.name == name))


async def list_keys(session: Session) -> Sequence[ApiKey]:
    """Every key ever made, the oldest first."""
    return (await session.scalars(select(ApiKey).order_by(ApiKey.id))).all()


async def revoke(session: Session, name: str, now: datetime) -> bool:
    """Ends a key; False where no such key is in force."""
    ended = await session.scalar(
        update(ApiKey)
        .where(ApiKey.name == name, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiKey.id)
        .execution_options(synchronize_session=False)
    )
    return ended is not None


async def is_in_force(session: Session, key_id: int) -> bool:
    """Is this key neither revoked nor gone?"""
    found = exists().where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
    return bool(await session.scalar(select(found)))


async def audit(
    session: Session, *, actor: str, action: str, noun: str, noun_id: int | None, detail: dict[str, Any], now: datetime
) -> None:
    """Adds a line to the audit log: ids, never addresses."""
    await session.execute(
        insert(AuditEntry).values(at=now, actor=actor, action=action, noun=noun, noun_id=noun_id, detail=detail)
    )


async def trail(session: Session, limit: int) -> Sequence[AuditEntry]:
    """The newest lines of the audit log."""
    return (await session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit))).all()
