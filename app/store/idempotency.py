"""Answers once given, for requests that come again."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, update

from app.core.db import Session
from app.models import IdempotencyKey
from app.store.upsert import insert

IN_HAND = 0
"""The status of a request that is being carried out."""


async def find(session: Session, api_key_id: int, key: str) -> IdempotencyKey | None:
    return await session.get(IdempotencyKey, (api_key_id, key), populate_existing=True)


async def reserve(
    session: Session, api_key_id: int, key: str, request_hash: str, now: datetime, abandoned_before: datetime
) -> bool:
    """Takes a key in hand; False where it has an answer, or somebody took it in hand after `abandoned_before`."""
    made = insert(session, IdempotencyKey).values(
        api_key_id=api_key_id, key=key, request_hash=request_hash, status=IN_HAND, answer={}, created_at=now
    )
    taken = await session.scalar(
        made.on_conflict_do_update(
            index_elements=[IdempotencyKey.api_key_id, IdempotencyKey.key],
            set_={"created_at": now},
            where=and_(
                IdempotencyKey.status == IN_HAND,
                IdempotencyKey.request_hash == request_hash,
                IdempotencyKey.created_at < abandoned_before,
            ),
        ).returning(IdempotencyKey.api_key_id)
    )
    return taken is not None


async def answer(session: Session, api_key_id: int, key: str, status: int, body: dict[str, Any]) -> None:
    """Keeps the answer of a request that was carried out."""
    await session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.api_key_id == api_key_id, IdempotencyKey.key == key)
        .values(status=status, answer=body)
        .execution_options(synchronize_session=False)
    )


async def let_go(session: Session, api_key_id: int, key: str) -> None:
    """Forgets a request that was refused: the same key may try again."""
    await session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.api_key_id == api_key_id, IdempotencyKey.key == key, IdempotencyKey.status == IN_HAND
        )
    )


async def prune(session: Session, before: datetime) -> None:
    """Forgets answers given before `before`."""
    await session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < before))
