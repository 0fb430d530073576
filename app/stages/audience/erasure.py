"""Being forgotten: the person goes from every table, and only a keyed hash keeps imports from bringing them back."""

from datetime import datetime
from typing import Literal

from app.core.db import Database, Session
from app.core.errors import InvalidToken, NotFound, StorageContention
from app.core.signing import Purpose, Signer, Suppressor, opaque_reference
from app.models import Subscriber
from app.stages.audience import address as addresses
from app.stages.audience import fresh
from app.store import consents, erasure, subscribers, suppressions
from app.store.consents import Act

ERASED = "erased"


async def erase(
    session: Session, suppressor: Suppressor, reader: Subscriber, method: Literal["link", "operator"], now: datetime
) -> None:
    """Erases a reader who is held, with their mailbox, and is not erased yet.

    The person may sign up again, as somebody new; an import or a call of the API brings nobody back.
    """
    hashed = suppressor.hash(reader.address_key)
    if not await erasure.erase(session, reader.id, reader.status, opaque_reference(), now):
        raise StorageContention("the reader was not held")
    await consents.record(session, reader.id, Act("erased", method), now)
    await suppressions.add(session, hashed, ERASED, now)


async def erase_by_link(
    session: Session, signer: Signer, suppressor: Suppressor, token: str, now: datetime
) -> str | None:
    """Erases the reader whom a fresh link names, and gives their language; None where nothing of them was left.

    Raises InvalidToken.
    """
    try:
        reader = (await fresh.hold_letter(session, signer, Purpose.ERASE, token, now)).reader
    except InvalidToken:
        if await fresh.erased_already(session, signer, token, now):
            return None
        raise
    language = reader.language
    await erase(session, suppressor, reader, "link", now)
    return language


async def erase_address(session: Session, suppressor: Suppressor, address: str, now: datetime) -> int:
    """Erases the reader of `address` for an operator; gives their id. Raises InvalidInput, NotFound."""
    reader = await subscribers.hold_key(session, addresses.parse(address).key)
    if reader is None:
        raise NotFound("No reader has that address.")
    await erase(session, suppressor, reader, "operator", now)
    return reader.id


async def truncate(db: Database) -> bool:
    """Empties the write-ahead log if something was erased since; False where it has to be tried again."""
    async with db.read() as session:
        owed = await erasure.truncation_owed(session)
    if owed is None:
        return True
    if not await db.truncate_log():
        return False
    async with db.write() as session:
        await erasure.truncated(session, owed)
    return True
