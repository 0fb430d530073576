"""Service mail that is owed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, insert, literal, select, update

from app.core.db import Session
from app.models import Subscriber, TransactionalEmail
from app.models.states import DeliveryStatus, Frequency, SubscriberStatus
from app.store.statements import among, walk_in_order

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_OWED = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)


async def owe(
    session: Session,
    *,
    kind: str,
    subscriber_id: int,
    ref: str,
    parameters: dict[str, Any],
    now: datetime,
    until: datetime,
    recipient: str | None = None,
) -> None:
    """Writes down that a mail is owed from now, and not after `until`."""
    await session.execute(
        insert(TransactionalEmail).values(
            kind=kind,
            subscriber_id=subscriber_id,
            parameters=parameters,
            recipient=recipient,
            ref=ref,
            status=DeliveryStatus.QUEUED,
            attempt=0,
            epoch=0,
            why="",
            created_at=now,
            due_at=now,
            expires_at=until,
        )
    )


async def owe_if(
    session: Session,
    owed: bool,
    *,
    kind: str,
    subscriber_id: int,
    ref: str,
    now: datetime,
    until: datetime,
) -> None:
    """Writes down that a mail is owed, if `owed`: one statement either way, so that its time tells nothing."""
    row = {
        "kind": kind,
        "subscriber_id": subscriber_id,
        "parameters": {},
        "ref": ref,
        "status": DeliveryStatus.QUEUED,
        "attempt": 0,
        "epoch": 0,
        "why": "",
        "created_at": now,
        "due_at": now,
        "expires_at": until,
    }
    columns = TransactionalEmail.__table__.c
    values = [literal(value, columns[name].type).label(name) for name, value in row.items()]
    source = select(*values).where(literal(owed))
    await session.execute(insert(TransactionalEmail).from_select(list(row), source))


@dataclass(frozen=True, slots=True)
class History:
    """What a reader was sent of one kind: how many mails, when the last was written down, how many are on their way."""

    count: int
    last: datetime | None
    owed: int


async def history(session: Session, kind: str, subscriber_id: int, since: datetime | None, now: datetime) -> History:
    """The mails of a kind written down after `since`, or ever. Those that were withdrawn do not count."""
    counted = [
        TransactionalEmail.subscriber_id == subscriber_id,
        TransactionalEmail.kind == kind,
        TransactionalEmail.status != DeliveryStatus.SKIPPED,
        TransactionalEmail.created_at > (since or _LONG_AGO),
    ]
    on_their_way = func.count().filter(TransactionalEmail.status.in_(_OWED), TransactionalEmail.expires_at > now)
    row = await session.execute(
        select(func.count(), func.max(TransactionalEmail.created_at), on_their_way).where(*counted)
    )
    return History(*row.one())


async def last_asked(session: Session, subscriber_id: int, kinds: Collection[str]) -> datetime | None:
    """When the last mail of these kinds was written down for a reader; None where none was."""
    return await session.scalar(
        select(func.max(TransactionalEmail.created_at)).where(
            TransactionalEmail.subscriber_id == subscriber_id, TransactionalEmail.kind.in_(kinds)
        )
    )


async def newest(session: Session, kind: str, subscriber_id: int) -> int | None:
    """The id of the last mail of a kind that was written down for a reader."""
    return await session.scalar(
        select(func.max(TransactionalEmail.id)).where(
            TransactionalEmail.subscriber_id == subscriber_id, TransactionalEmail.kind == kind
        )
    )


async def remove_after(session: Session, mail_id: int, subscriber_id: int, kinds: Collection[str]) -> None:
    """Takes back a reader's mails of some kinds that were written down after `mail_id`: their links open nothing."""
    await session.execute(
        delete(TransactionalEmail).where(
            TransactionalEmail.subscriber_id == subscriber_id,
            TransactionalEmail.id > mail_id,
            TransactionalEmail.kind.in_(kinds),
        )
    )


async def withdraw(session: Session, subscriber_id: int, kinds: Collection[str], code: str) -> None:
    """What is still owed to a reader, of these kinds, is not sent; `code` says why: they left, or have confirmed."""
    await session.execute(
        update(TransactionalEmail)
        .where(
            TransactionalEmail.subscriber_id == subscriber_id,
            TransactionalEmail.status == DeliveryStatus.QUEUED,
            TransactionalEmail.kind.in_(kinds),
        )
        .values(status=DeliveryStatus.SKIPPED, code=code)
        .execution_options(synchronize_session=False)
    )


async def find_ref(session: Session, ref: str) -> TransactionalEmail | None:
    """The mail whose link carries this reference, as it is now."""
    statement = select(TransactionalEmail).where(TransactionalEmail.ref == ref)
    return await session.scalar(statement.execution_options(populate_existing=True))


async def recipient_of(session: Session, ref: str) -> str | None:
    """The address that the mail with this reference is for, where it has one of its own."""
    return await session.scalar(select(TransactionalEmail.recipient).where(TransactionalEmail.ref == ref))


@dataclass(frozen=True, slots=True)
class Begun:
    """One mail that was just moved to `sending`, with all that addressing it needs."""

    id: int
    attempt: int
    kind: str
    ref: str
    parameters: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    subscriber_id: int
    address: str
    reader_ref: str
    zone: str
    minute: int | None
    frequency: Frequency
    language: str


async def begin(session: Session, *, provider: str, epoch: int, most: int, now: datetime) -> list[Begun]:
    """Moves up to `most` due mails to `sending`, the oldest first. The caller holds the stream's lease."""
    due = (
        select(TransactionalEmail.id)
        .where(
            TransactionalEmail.status == DeliveryStatus.QUEUED,
            TransactionalEmail.due_at <= now,
            TransactionalEmail.expires_at > now,
            # By key, whatever is known of how many readers there are.
            select(Subscriber.status).where(Subscriber.id == TransactionalEmail.subscriber_id).scalar_subquery()
            != SubscriberStatus.ERASED,
        )
        .order_by(TransactionalEmail.due_at)  # by the index: in an order of its own all that wait would be sorted
        .limit(most)
    )
    await walk_in_order(session)
    moved = await session.scalars(
        update(TransactionalEmail)
        .where(among(session, TransactionalEmail.id, due), TransactionalEmail.status == DeliveryStatus.QUEUED)
        .values(status=DeliveryStatus.SENDING, attempt=TransactionalEmail.attempt + 1, epoch=epoch, provider=provider)
        .returning(TransactionalEmail.id)
        .execution_options(synchronize_session=False)
    )
    rows = await session.execute(
        select(
            TransactionalEmail.id,
            TransactionalEmail.attempt,
            TransactionalEmail.kind,
            TransactionalEmail.ref,
            TransactionalEmail.parameters,
            TransactionalEmail.created_at,
            TransactionalEmail.expires_at,
            TransactionalEmail.subscriber_id,
            func.coalesce(TransactionalEmail.recipient, Subscriber.address),
            Subscriber.ref,
            Subscriber.zone,
            Subscriber.minute,
            Subscriber.frequency,
            Subscriber.language,
        )
        .join(Subscriber, Subscriber.id == TransactionalEmail.subscriber_id)
        .where(TransactionalEmail.id.in_(moved.all()))
        .order_by(TransactionalEmail.id)
    )
    return [Begun(*row) for row in rows]


async def prune(session: Session, ended_before: timedelta, now: datetime, *, kept: str) -> int:
    """Removes mails that ended long ago, but for those of kind `kept` that a reader was sent since they last confirmed:
    they are the count of how often somebody was asked in vain.
    """
    ended = (
        DeliveryStatus.ACCEPTED,
        DeliveryStatus.REJECTED,
        DeliveryStatus.EXPIRED,
        DeliveryStatus.SKIPPED,
    )
    confirmed_since = exists().where(
        Subscriber.id == TransactionalEmail.subscriber_id, Subscriber.confirmed_at >= TransactionalEmail.created_at
    )
    removed = await session.scalars(
        delete(TransactionalEmail)
        .where(
            TransactionalEmail.status.in_(ended),
            TransactionalEmail.created_at < now - ended_before,
            (TransactionalEmail.kind != kept) | confirmed_since,
        )
        .returning(TransactionalEmail.id)
    )
    return len(removed.all())
