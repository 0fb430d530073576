"""A mail that a link came with and its reader, held: what is decided by them stays so until the transaction ends."""

from collections.abc import Collection
from dataclasses import dataclass

from app.core.db import Session
from app.models import Subscriber, TransactionalEmail
from app.models.states import SubscriberStatus
from app.store import subscribers, transactional


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link finds: the mail it came with and that mail's reader."""

    letter: TransactionalEmail
    reader: Subscriber


async def find(session: Session, ref: str) -> Opened | None:
    """By the mail's reference; changes and holds nothing. None where the reader is erased."""
    letter = await transactional.find_ref(session, ref)
    reader = await subscribers.get(session, letter.subscriber_id) if letter else None
    return _opened(letter, reader)


async def hold(session: Session, ref: str, *, beside: Collection[str] = ()) -> Opened | None:
    """As `find`, with the reader's mailbox and those of the address keys `beside` held, and their readers.

    Raises StorageContention where the reader's address was changed at that moment.
    """
    letter = await transactional.find_ref(session, ref)
    reader = await subscribers.hold(session, letter.subscriber_id, beside=beside) if letter else None
    # Whoever held them before may have removed the mail.
    return _opened(await transactional.find_ref(session, ref) if reader else None, reader)


def _opened(letter: TransactionalEmail | None, reader: Subscriber | None) -> Opened | None:
    if letter is None or reader is None or reader.status is SubscriberStatus.ERASED:
        return None
    return Opened(letter, reader)
