"""Who did what: one line for every change an operator makes, in the transaction that makes it."""

from datetime import datetime
from typing import Any

from app.core.db import Session
from app.store import access


async def record(
    session: Session, actor: str, action: str, noun: str, noun_id: int | None, now: datetime, **detail: Any
) -> None:
    """`detail` holds ids and words of ours, never a reader's address."""
    await access.audit(session, actor=actor, action=action, noun=noun, noun_id=noun_id, detail=detail, now=now)
