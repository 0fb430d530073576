"""A request that comes twice is carried out once: the second gets the first one's answer.

Follows draft-ietf-httpapi-idempotency-key-header section 2.6: a key used again for another request is refused
(422), one whose request is still being carried out is told so (409).
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.core.clock import Clock
from app.core.db import Database
from app.core.errors import Conflict, InvalidInput, Refused
from app.core.text import is_clean
from app.store import idempotency

LONGEST = 200
ABANDONED_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Request:
    """What makes two requests the same: the caller's key id, their Idempotency-Key, and a digest of the rest."""

    api_key_id: int
    key: str
    digest: str


def describe(api_key_id: int, key: str, method: str, path: str, body: bytes) -> Request:
    """Raises InvalidInput for a key that is empty, too long or not printable."""
    if not 1 <= len(key) <= LONGEST or not is_clean(key):
        raise InvalidInput(f"Idempotency-Key is 1 to {LONGEST} printable characters.", "Idempotency-Key")
    digest = hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()
    return Request(api_key_id, key, digest)


async def once(
    db: Database, clock: Clock, request: Request | None, work: Callable[[], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """Does `work` and gives its answer, or the answer it gave before. A refusal is not kept: it may be tried again.

    `request` None means that the caller sent no key. Raises InvalidInput, Conflict.
    """
    if request is None:
        return await work()
    async with db.write() as session:
        now = clock.now()
        if not await idempotency.reserve(
            session, request.api_key_id, request.key, request.digest, now, now - ABANDONED_AFTER
        ):
            found = await idempotency.find(session, request.api_key_id, request.key)
            if found is None or found.request_hash != request.digest:
                raise InvalidInput("This Idempotency-Key was used for another request.", "Idempotency-Key")
            if found.status == idempotency.IN_HAND:
                raise Conflict("This request is being carried out; ask again in a moment.")
            return found.answer
    try:
        answer = await work()
    except Refused:
        async with db.write() as session:
            await idempotency.let_go(session, request.api_key_id, request.key)
        raise
    async with db.write() as session:
        await idempotency.answer(session, request.api_key_id, request.key, 200, answer)
    return answer
