"""Readers, what they chose, and the states that they move through.

Whoever decides by a reader's state holds the reader first: with their mailbox (`mailbox_lock`), then the row.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Update, delete, exists, literal, or_, select, update

from app.core.db import Session
from app.core.errors import StorageContention
from app.models import Subscriber
from app.models.states import Frequency, MailForm, SubscriberStatus
from app.store import mail_domains, mailbox_lock, placements
from app.store.moves import move as _move
from app.store.upsert import insert_ignoring


async def find_key(session: Session, address_key: str) -> Subscriber | None:
    """The reader with this case-folded address."""
    return await session.scalar(select(Subscriber).where(Subscriber.address_key == address_key))


async def hold_key(session: Session, address_key: str) -> Subscriber | None:
    """The reader with this case-folded address, held with the mailbox until this transaction ends."""
    await mailbox_lock.take(session, [address_key])
    return await _lock_key(session, address_key)


async def _lock_key(session: Session, address_key: str) -> Subscriber | None:
    return next(iter(await _lock(session, Subscriber.address_key == address_key)), None)


async def find_ref(session: Session, ref: str) -> Subscriber | None:
    """The reader a link's reference names."""
    return await session.scalar(select(Subscriber).where(Subscriber.ref == ref))


async def hold_ref(session: Session, ref: str) -> Subscriber | None:
    """As `find_ref`, held with the mailbox: what a reader presses is carried out from the state they are in now.

    Raises StorageContention where their address was changed at that moment.
    """
    reader = await _hold(session, Subscriber.ref == ref)
    return reader if reader and reader.ref == ref else None  # an erasure gives the row another one


async def get(session: Session, subscriber_id: int) -> Subscriber | None:
    return await session.get(Subscriber, subscriber_id)


async def hold(session: Session, subscriber_id: int, *, beside: Collection[str] = ()) -> Subscriber | None:
    """As `get`, held with the mailbox, and with the mailboxes and readers of the address keys `beside`.

    Raises StorageContention where their address was changed at that moment.
    """
    return await _hold(session, Subscriber.id == subscriber_id, beside)


async def _hold(session: Session, who: ColumnElement[bool], beside: Collection[str] = ()) -> Subscriber | None:
    """The mailbox is known from the row alone, and comes before it: so the row is read, and read again once held."""
    found = (await session.execute(select(Subscriber.id, Subscriber.address_key).where(who))).one_or_none()
    if found is None:
        return None
    id_, key = found
    await mailbox_lock.take(session, [key, *beside])
    rows = await _lock(session, or_(Subscriber.id == id_, Subscriber.address_key.in_(beside)))
    reader = next((row for row in rows if row.id == id_), None)
    if reader and reader.address_key != key and reader.status is not SubscriberStatus.ERASED:
        # To lock another mailbox now would break the order. A new transaction finds them at their new address.
        raise StorageContention("the reader's address was changed at this moment")
    return reader


async def _lock(session: Session, who: ColumnElement[bool]) -> Sequence[Subscriber]:
    """The readers as they are now, locked in the order of their ids."""
    statement = select(Subscriber).where(who).order_by(Subscriber.id).with_for_update(key_share=True)
    return (await session.scalars(statement.execution_options(populate_existing=True))).all()


async def sign_up(session: Session, *, address: str, key: str, ref: str, zone: str, now: datetime) -> Subscriber:
    """The reader of an address, written down with `ref` and `zone` where there was none; held with the mailbox."""
    await mailbox_lock.take(session, [key])
    for _ in range(3):
        await add_pending(session, address=address, key=key, ref=ref, zone=zone, now=now)
        reader = await _lock_key(session, key)
        if reader is not None:
            return reader  # else the nightly job has just forgotten them: it holds rows, and no mailbox
    raise StorageContention("the reader was removed at this moment")


async def add_pending(
    session: Session,
    *,
    address: str,
    key: str,
    ref: str,
    zone: str,
    now: datetime,
    first_name: str = "",
    language: str = "",
) -> None:
    """Writes a new reader down; where two people type one address at once, the second changes nothing."""
    await session.execute(
        insert_ignoring(session, Subscriber).values(
            ref=ref,
            address=address,
            address_key=key,
            domain_group=await mail_domains.group(session, key),
            status=SubscriberStatus.PENDING,
            zone=zone,
            minute=None,
            first_name=first_name,
            language=language,
            paused_until=None,
            created_at=now,
            confirmed_at=None,
            left_at=None,
        )
    )


async def activate(session: Session, reader: Subscriber, now: datetime) -> bool:
    """Makes a reader active, in the group that their domain is of, as known by now; False where they have moved on."""
    return bool(
        await _move(
            session,
            Subscriber,
            [reader.id],
            reader.status,
            SubscriberStatus.ACTIVE,
            domain_group=await mail_domains.group(session, reader.address_key),
            confirmed_at=now,
            left_at=None,
            paused_until=None,
        )
    )


async def leave(session: Session, subscriber_id: int, from_: SubscriberStatus, now: datetime) -> bool:
    """Lets a reader go; False where they are no longer in `from_`."""
    to = SubscriberStatus.LEFT
    return bool(await _move(session, Subscriber, [subscriber_id], from_, to, left_at=now, paused_until=None))


async def undo_leaving(session: Session, subscriber_id: int) -> bool:
    """Brings a reader back as if they had never left; False where they are no longer gone."""
    from_, to = SubscriberStatus.LEFT, SubscriberStatus.ACTIVE
    return bool(await _move(session, Subscriber, [subscriber_id], from_, to, left_at=None))


async def pause(session: Session, subscriber_id: int, until: date) -> bool:
    """Lets an active reader rest until `until`; False where they are not active."""
    from_, to = SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED
    return bool(await _move(session, Subscriber, [subscriber_id], from_, to, paused_until=until))


async def prolong(session: Session, subscriber_id: int, until: date) -> bool:
    """Moves the end of a rest; False where the reader is not resting."""
    return await _set(session, subscriber_id, (SubscriberStatus.PAUSED,), paused_until=until)


async def resume(session: Session, subscriber_id: int) -> bool:
    """Ends a rest; False where the reader is not resting."""
    from_, to = SubscriberStatus.PAUSED, SubscriberStatus.ACTIVE
    return bool(await _move(session, Subscriber, [subscriber_id], from_, to, paused_until=None))


async def choose(
    session: Session,
    subscriber_id: int,
    *,
    sections: int,
    frequency: Frequency,
    minute: int | None,
    zone: str,
    form: MailForm,
    first_name: str,
    language: str,
) -> bool:
    """Keeps what a reader chose; False where they neither read nor rest."""
    return await _set(
        session,
        subscriber_id,
        (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED),
        sections=sections,
        frequency=frequency,
        minute=minute,
        zone=zone,
        form=form,
        first_name=first_name,
        language=language,
    )


async def choose_early(session: Session, subscriber_id: int, chosen: Mapping[str, Any]) -> None:
    """Keeps columns that were chosen with a sign-up, unless the reader has confirmed.

    Anybody may type anybody's address: what a reader has chosen behind their own link is not touched.
    """
    await session.execute(_setting(subscriber_id, (SubscriberStatus.PENDING,), **chosen))


async def any_weekly(session: Session) -> bool:
    """Does anybody read the paper once a week, or will after a rest?"""
    return bool(
        await session.scalar(
            select(
                exists().where(
                    # As a literal: an index of weekly readers serves no bound value.
                    Subscriber.frequency == literal(Frequency.WEEKLY, Subscriber.frequency.type, literal_execute=True),
                    Subscriber.status.in_((SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)),
                )
            )
        )
    )


async def choose_frequency(session: Session, subscriber_id: int, frequency: Frequency) -> bool:
    """Keeps how often the paper comes; False where the reader neither reads nor rests."""
    reading = (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)
    return await _set(session, subscriber_id, reading, frequency=frequency)


async def speak(session: Session, subscriber_id: int, language: str) -> None:
    """Keeps the language of a sign-up; whoever reads or rests chooses theirs behind their own link."""
    among = (SubscriberStatus.PENDING, SubscriberStatus.LEFT)
    await session.execute(_setting(subscriber_id, among, language=language))


async def readdress(session: Session, subscriber_id: int, from_key: str, address: str, key: str) -> bool:
    """Gives a reader another address, with all they have; False where theirs is no longer `from_key`."""
    changed = await session.scalar(
        update(Subscriber)
        .where(Subscriber.id == subscriber_id, Subscriber.address_key == from_key)
        .values(address=address, address_key=key, domain_group=await mail_domains.group(session, key))
        .returning(Subscriber.id)
        .execution_options(synchronize_session=False)
    )
    return changed is not None


async def _set(session: Session, subscriber_id: int, among: tuple[SubscriberStatus, ...], **values: Any) -> bool:
    changed = await session.scalar(_setting(subscriber_id, among, **values).returning(Subscriber.id))
    return changed is not None


def _setting(subscriber_id: int, among: tuple[SubscriberStatus, ...], **values: Any) -> Update:
    return (
        update(Subscriber)
        .where(Subscriber.id == subscriber_id, Subscriber.status.in_(among))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def forget(session: Session, subscriber_ids: Sequence[int]) -> None:
    """Removes readers with all that hangs on them: consents, mails owed, deliveries. Numbers of placements stay."""
    await placements.keep_numbers(session, subscriber_ids)
    await session.execute(delete(Subscriber).where(Subscriber.id.in_(subscriber_ids)))


async def wake(session: Session, day: date) -> int:
    """Whoever rests until `day` or earlier is active again; gives how many. `day` is an edition's date."""
    resting = (Subscriber.status == SubscriberStatus.PAUSED, Subscriber.paused_until <= day)
    in_order = select(Subscriber.id).where(*resting).order_by(Subscriber.id).with_for_update(key_share=True)
    woken = await session.scalars(
        update(Subscriber)
        .where(Subscriber.id.in_(in_order), *resting)
        .values(status=SubscriberStatus.ACTIVE, paused_until=None)
        .returning(Subscriber.id)
        .execution_options(synchronize_session=False)
    )
    return len(woken.all())
