"""The ledger of an edition's deliveries. Every statement is set-based: one per group, not one per reader."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import and_, case, exists, func, insert, select, update

from app.core.db import Session
from app.models import Delivery, DeliveryNote, Edition, Subscriber
from app.models.states import DeliveryStatus, Frequency, MailForm, SubscriberStatus
from app.store import progress
from app.store.progress import Changes, Place, place
from app.store.statements import is_sqlite, with_instants

_WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN)


class Begun(NamedTuple):
    """One delivery that was just moved to `sending`, with all that addressing it needs."""

    subscriber_id: int
    attempt: int
    expires_at: datetime
    shard: int
    group: str
    ref: str
    address: str
    zone: str
    minute: int | None
    confirmed_at: datetime | None
    sections: int
    frequency: Frequency
    form: MailForm


class Portion(NamedTuple):
    """What to begin of a shard where recipients' domain groups are told apart."""

    others: bool
    """Those that are in no group of `apart`, too?"""
    apart: Sequence[str]
    each: Mapping[str, int]
    """Of these groups at most so many, and before the others: there are tokens for them now."""


def _in_shard(edition_id: int, shard: int) -> Any:
    return and_(Delivery.edition_id == edition_id, Delivery.shard == shard)


# Standing is judged in the statement that begins a delivery: its reader is in, its edition goes out, there is time.
# As a scalar subquery, a reader's state is looked up by key whatever the statistics say; as a join, PostgreSQL may look
# through all readers. An array it works out once; a subquery with a LIMIT it may ask anew for each row of the edition.
_DUE = """
SELECT d.subscriber_id FROM deliveries AS d
WHERE d.edition_id = :edition AND d.shard = :shard AND d.status = 'queued' AND d.due_at <= :now
  AND d.expires_at > :now
  AND (SELECT s.status FROM subscribers AS s WHERE s.id = d.subscriber_id) = 'active'
  AND (SELECT e.status FROM editions AS e WHERE e.id = :edition) = 'sending'
  {free} {which}
ORDER BY d.due_at LIMIT :most{n}
"""
# Some of this group, some of that: each part stops at what there are tokens for.
_PART = "SELECT subscriber_id FROM ({due}) AS part{n}"
_APART_SQLITE = "AND d.domain_group NOT IN (SELECT value FROM json_each(:apart))"
_APART_POSTGRES = "AND d.domain_group <> ALL (CAST(:apart AS text[]))"
# What another provider may have passed on already is that provider's to try again.
_FREE_SQLITE = "AND NOT (d.pinned AND d.provider IN (SELECT value FROM json_each(:others)))"
_FREE_POSTGRES = "AND NOT (d.pinned AND d.provider = ANY (CAST(:others AS text[])))"
_BEGIN = """
UPDATE deliveries SET status = 'sending', attempt = attempt + 1, provider = :provider
WHERE edition_id = :edition AND subscriber_id {among} AND status = 'queued'
RETURNING expires_at, subscriber_id, attempt, domain_group
"""


@cache
def _statement(*, sqlite: bool, several: bool, groups: int | None, others: bool) -> str:
    """`groups`: of how many groups a number is asked for; None where no group is told apart."""
    free = (_FREE_SQLITE if sqlite else _FREE_POSTGRES) if several else ""
    if groups is None:
        due = _DUE.format(free=free, which="", n="")
    else:
        named = [(f"AND d.domain_group = :group{n}", str(n)) for n in range(groups)]
        rest = [(_APART_SQLITE if sqlite else _APART_POSTGRES, "")] if others else []
        parts = [_PART.format(due=_DUE.format(free=free, which=which, n=n), n=n) for which, n in (*named, *rest)]
        due = f"{' UNION ALL '.join(parts)} LIMIT :most"
    return _BEGIN.format(among=f"IN ({due})" if sqlite else f"= ANY (ARRAY({due}))")


_READERS = """
SELECT confirmed_at, id, ref, address, zone, minute, sections, frequency, form
FROM subscribers WHERE id {among}
"""
_READERS_SQLITE = _READERS.format(among="IN (SELECT value FROM json_each(:ids))")
_READERS_POSTGRES = _READERS.format(among="= ANY (CAST(:ids AS bigint[]))")
_FREQUENCIES = {one.value: one for one in Frequency}
_FORMS = {one.value: one for one in MailForm}


async def begin(
    session: Session,
    edition_id: int,
    shard: int,
    *,
    provider: str,
    others: Sequence[str] = (),
    most: int,
    now: datetime,
    portion: Portion | None = None,
) -> list[Begun]:
    """Moves up to `most` due deliveries of a shard to `sending`: who has left, or is too late, is not among them.

    So leaving, pausing and expiry take hold with the next group. What one of the `others` may have passed on already
    is left to it; `portion` is for groups of domains that may not simply be begun with all others. The caller has
    proved its lease.
    """
    sqlite = is_sqlite(session)
    values: dict[str, Any] = {"edition": edition_id, "shard": shard, "provider": provider, "most": most, "now": now}
    if others:
        values["others"] = json.dumps(others) if sqlite else list(others)
    if portion:
        if portion.others:
            values["apart"] = json.dumps(portion.apart) if sqlite else list(portion.apart)
        for n, (group, count) in enumerate(portion.each.items()):
            values |= {f"group{n}": group, f"most{n}": count}
    statement = _statement(
        sqlite=sqlite,
        several=bool(others),
        groups=len(portion.each) if portion else None,
        others=portion is None or portion.others,
    )
    moved = await session.execute(with_instants(statement, "expires_at"), values)
    moves: Counter[tuple[str, int]] = Counter()
    begun = {}
    for expires_at, reader, attempt, group in moved:
        begun[reader] = (reader, attempt, expires_at, shard, group)
        moves[group, attempt] += 1
    if not begun:
        return []
    changes = Changes()
    became = place(DeliveryStatus.SENDING, attempt=1, provider=provider)
    for (group, attempt), count in moves.items():
        changes.move(group, _waiting(attempt - 1), became, count)
    await progress.add(session, edition_id, shard, changes)
    readers = await session.execute(
        with_instants(_READERS_SQLITE if sqlite else _READERS_POSTGRES, "confirmed_at"),
        {"ids": json.dumps(list(begun)) if sqlite else list(begun)},
    )
    return [
        Begun(
            *begun[reader],
            ref,
            address,
            zone,
            minute,
            confirmed_at,
            sections,
            _FREQUENCIES[frequency],
            _FORMS[form],
        )
        for confirmed_at, reader, ref, address, zone, minute, sections, frequency, form in readers
    ]


async def skip_empty(session: Session, edition_id: int, shard: int, present: int) -> None:
    """Marks as skipped whoever chose none of the sections that have anything today."""
    moved = await session.execute(
        update(Delivery)
        .where(
            _in_shard(edition_id, shard),
            Delivery.status == DeliveryStatus.QUEUED,
            exists().where(Subscriber.id == Delivery.subscriber_id, Subscriber.sections.bitwise_and(present) == 0),
        )
        .values(status=DeliveryStatus.SKIPPED, code="empty")
        .returning(Delivery.domain_group, Delivery.attempt)
        .execution_options(synchronize_session=False)
    )
    await _no_longer_waiting(session, edition_id, shard, moved.all(), DeliveryStatus.SKIPPED)


async def skip_gone(session: Session, edition_id: int, shard: int, now: datetime) -> int:
    """Marks as skipped whoever left, or went to rest, between release and hand-over."""
    moved = await session.execute(
        update(Delivery)
        .where(
            _in_shard(edition_id, shard),
            Delivery.status == DeliveryStatus.QUEUED,
            Delivery.due_at <= now,
            ~exists().where(Subscriber.id == Delivery.subscriber_id, Subscriber.status == SubscriberStatus.ACTIVE),
        )
        .values(status=DeliveryStatus.SKIPPED, code="left")
        .returning(Delivery.domain_group, Delivery.attempt)
        .execution_options(synchronize_session=False)
    )
    return await _no_longer_waiting(session, edition_id, shard, moved.all(), DeliveryStatus.SKIPPED)


async def requeue_unwritten(session: Session, edition_id: int, shard: int, now: datetime) -> None:
    """Rows that their owner began but never gave to a provider: nothing of them was written, they are owed.

    Only for the owner of the lease, when every message it did give has been recorded.
    """
    moved = await session.execute(
        update(Delivery)
        .where(_in_shard(edition_id, shard), Delivery.status == DeliveryStatus.SENDING)
        .values(status=DeliveryStatus.QUEUED, due_at=now, code="unwritten")
        .returning(Delivery.domain_group, Delivery.provider)
        .execution_options(synchronize_session=False)
    )
    changes = Changes()
    for group, provider in moved:
        changes.move(group, place(DeliveryStatus.SENDING, attempt=1, provider=provider), _waiting(1))
    await progress.add(session, edition_id, shard, changes)


async def abandon(session: Session, edition_id: int, shard: int, due_at: datetime, now: datetime) -> int:
    """Marks what the shard's last owner left in mid-air as unknown; to be looked at again at `due_at`."""
    moved = await session.execute(
        update(Delivery)
        .where(_in_shard(edition_id, shard), Delivery.status == DeliveryStatus.SENDING)
        .values(status=DeliveryStatus.UNKNOWN, due_at=due_at, code="lost", pinned=True)
        .returning(Delivery.subscriber_id, Delivery.attempt, Delivery.domain_group, Delivery.provider)
        .execution_options(synchronize_session=False)
    )
    rows, changes = moved.all(), Changes()
    for _, attempt, group, provider in rows:
        was = place(DeliveryStatus.SENDING, attempt=attempt, provider=provider)
        changes.move(group, was, place(DeliveryStatus.UNKNOWN, attempt=attempt, provider=provider))
    await progress.add(session, edition_id, shard, changes)
    notes = [
        {
            "edition_id": edition_id,
            "subscriber_id": subscriber_id,
            "attempt": attempt,
            "at": now,
            "outcome": DeliveryStatus.UNKNOWN.value,
            "code": "lost",
            "why": "the worker stopped between hand-over and answer",
        }
        for subscriber_id, attempt, _, _ in rows
    ]
    if notes:
        await session.execute(insert(DeliveryNote), notes)
    return len(notes)


async def ripen(session: Session, edition_id: int, shard: int, now: datetime, *, resend: bool) -> None:
    """What is too late is given up; where unknowns are resent, those that are due are owed again.

    Where they are held instead, an unknown stays what it is, for an operator to see.
    """
    late = await session.execute(
        update(Delivery)
        .where(_in_shard(edition_id, shard), Delivery.status == DeliveryStatus.QUEUED, Delivery.expires_at <= now)
        .values(status=DeliveryStatus.EXPIRED, code="expired")
        .returning(Delivery.domain_group, Delivery.attempt)
        .execution_options(synchronize_session=False)
    )
    await _no_longer_waiting(session, edition_id, shard, late.all(), DeliveryStatus.EXPIRED)
    if resend:
        await _no_longer_unknown(
            session, edition_id, shard, DeliveryStatus.EXPIRED, Delivery.expires_at <= now, code="expired"
        )
        await _no_longer_unknown(session, edition_id, shard, DeliveryStatus.QUEUED, Delivery.due_at <= now)


async def _no_longer_unknown(
    session: Session, edition_id: int, shard: int, to: DeliveryStatus, when: Any, **values: Any
) -> None:
    moved = await session.execute(
        update(Delivery)
        .where(_in_shard(edition_id, shard), Delivery.status == DeliveryStatus.UNKNOWN, when)
        .values(status=to, **values)
        .returning(Delivery.domain_group, Delivery.attempt, Delivery.provider)
        .execution_options(synchronize_session=False)
    )
    changes = Changes()
    for group, attempt, provider in moved:
        was = place(DeliveryStatus.UNKNOWN, attempt=attempt, provider=provider)
        changes.move(group, was, place(to, attempt=attempt, provider=None))
    await progress.add(session, edition_id, shard, changes)


def _waiting(attempt: int) -> Place:
    return place(DeliveryStatus.QUEUED, attempt=attempt, provider=None)


async def _no_longer_waiting(
    session: Session, edition_id: int, shard: int, rows: Sequence[Any], to: DeliveryStatus
) -> int:
    """Counts rows of (domain group, attempt) that were queued; gives how many there were."""
    changes = Changes()
    for group, attempt in rows:
        changes.move(group, _waiting(attempt), place(to, attempt=attempt, provider=None))
    await progress.add(session, edition_id, shard, changes)
    return len(rows)


async def any_sending(session: Session, edition_id: int, shard: int) -> bool:
    """Is anything of a shard in the air?"""
    found = exists().where(_in_shard(edition_id, shard), Delivery.status == DeliveryStatus.SENDING)
    return bool(await session.scalar(select(found)))


class Waiting(NamedTuple):
    """Deliveries of a shard that wait for the same."""

    pinned_to: str | None
    """The provider that alone may carry them."""
    group: str
    """Of their readers' domains."""
    due_at: datetime
    """Of the first of them."""


async def waiting(session: Session, edition_id: int, shard: int, *, resend: bool) -> list[Waiting]:
    """What the shard is owed next, and when; nothing where nothing waits in it."""
    pinned_to = case((Delivery.pinned, Delivery.provider))
    rows = await session.execute(
        select(pinned_to, Delivery.domain_group, func.min(Delivery.due_at))
        .where(_in_shard(edition_id, shard), Delivery.status.in_(_WAITING if resend else (DeliveryStatus.QUEUED,)))
        .group_by(pinned_to, Delivery.domain_group)
    )
    return [Waiting(*row) for row in rows]


async def is_released(session: Session, day: date, subscriber_id: int) -> bool:
    """Has this reader been given a place in the edition of `day`, whatever became of it?"""
    found = exists().where(
        Delivery.subscriber_id == subscriber_id, Delivery.edition_id == Edition.id, Edition.date == day
    )
    return bool(await session.scalar(select(found)))


@dataclass(frozen=True, slots=True)
class Owed:
    """What stands between an edition and its end."""

    open: int
    """Rows that are queued or being handed over, or unknown and to be resent."""
    failed: int
    """Rows that expired, are unknown for good, or were rejected through no fault of the address."""


async def owed(session: Session, edition_id: int, *, resend: bool) -> Owed:
    """What the counts say about the end of an edition."""
    counts = await progress.total(session, edition_id)
    failed = counts.expired + counts.rejected_message + counts.rejected_ours
    if resend:
        return Owed(counts.open + counts.unknown, failed)
    return Owed(counts.open, failed + counts.unknown)
