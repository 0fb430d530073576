"""Letting readers go at their due instants: each (zone, minute) of an edition once, in chunks with a cursor."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, literal, not_, or_, select, update
from sqlalchemy.orm import load_only

from app.core.db import Session
from app.models import Delivery, Edition, Release, Shard, Subscriber
from app.models.states import DeliveryStatus, EditionStatus, Frequency, SubscriberStatus
from app.store import progress
from app.store.statements import is_sqlite, walk_in_order
from app.store.upsert import insert as insert_upserting
from app.store.upsert import insert_ignoring

DEFAULT_MINUTE = -1
SHARD = 1000
_TOLD = (Edition.id, Edition.kind, Edition.date, Edition.status, Edition.composed_at, Edition.approved_at)
OPEN = (EditionStatus.FROZEN, EditionStatus.SENDING, EditionStatus.SENT, EditionStatus.PARTIALLY_SENT)


@dataclass(frozen=True, slots=True)
class Pair:
    """The readers who share a morning. An empty zone and minute -1 stand for the paper's own."""

    zone: str
    minute: int


EVERYBODY = Pair("*", DEFAULT_MINUTE)
"""Every reader at once, whatever their morning: what `send` plans, beside the pairs of the calendar."""


async def pairs(session: Session) -> list[Pair]:
    """Every (zone, minute) that an active reader has."""
    rows = await session.execute(
        select(Subscriber.zone, func.coalesce(Subscriber.minute, DEFAULT_MINUTE))
        .where(Subscriber.status == SubscriberStatus.ACTIVE)
        .distinct()
    )
    return [Pair(*row) for row in rows]


async def plan(session: Session, edition_id: int, due: Sequence[tuple[Pair, datetime]]) -> None:
    """Writes down when each pair is due; what is written already stays."""
    for pair, at in due:
        await session.execute(
            insert_ignoring(session, Release).values(
                edition_id=edition_id, zone=pair.zone, minute=pair.minute, due_at=at, cursor=0, done_at=None
            )
        )


async def due(session: Session, edition_id: int, now: datetime) -> Sequence[Release]:
    """The pairs that are due and not yet released to the end."""
    return (
        await session.scalars(
            select(Release)
            .where(Release.edition_id == edition_id, Release.done_at.is_(None), Release.due_at <= now)
            .order_by(Release.due_at, Release.zone, Release.minute)
        )
    ).all()


async def planned(session: Session, edition_id: int) -> Sequence[Release]:
    """Every pair of an edition."""
    return (
        await session.scalars(
            select(Release).where(Release.edition_id == edition_id).order_by(Release.due_at, Release.zone)
        )
    ).all()


async def all_done(session: Session, edition_id: int) -> bool:
    """Was every pair of this edition released to the end? False also while none is planned."""
    of_edition = exists().where(Release.edition_id == edition_id)
    return bool(await session.scalar(select(and_(of_edition, ~of_edition.where(Release.done_at.is_(None))))))


async def plan_everybody(session: Session, edition_id: int, at: datetime) -> None:
    """Everybody is due at `at`: begun anew where that was done before. The caller holds the date (`lock_date`)."""
    row = insert_upserting(session, Release).values(
        edition_id=edition_id, zone=EVERYBODY.zone, minute=EVERYBODY.minute, due_at=at, cursor=0, done_at=None
    )
    await session.execute(
        row.on_conflict_do_update(
            index_elements=[Release.edition_id, Release.zone, Release.minute],
            set_={"due_at": at, "cursor": 0, "done_at": None},
            where=Release.done_at.is_not(None),
        )
    )


async def undone(session: Session, edition_id: int, pair: Pair) -> Release | None:
    """How far a pair is, None once it is released to the end. The caller holds the date (`lock_date`)."""
    return await session.scalar(
        select(Release)
        .where(_is(edition_id, pair), Release.done_at.is_(None))
        .execution_options(populate_existing=True)
    )


async def set_cursor(session: Session, edition_id: int, pair: Pair, cursor: int, done_at: datetime | None) -> None:
    """Remembers how far a pair was released, in the transaction that released it.

    Once everybody was, nobody is left whose pair could still come.
    """
    whole = pair == EVERYBODY and done_at is not None
    await session.execute(
        update(Release)
        .where(Release.edition_id == edition_id if whole else _is(edition_id, pair), Release.done_at.is_(None))
        .values(cursor=cursor, done_at=done_at)
        .execution_options(synchronize_session=False)
    )


def _is(edition_id: int, pair: Pair) -> ColumnElement[bool]:
    return and_(Release.edition_id == edition_id, Release.zone == pair.zone, Release.minute == pair.minute)


async def of_date(session: Session, day: date) -> Sequence[Edition]:
    """Every edition of a date, also those that were cancelled."""
    return (
        await session.scalars(
            select(Edition)
            .where(Edition.date == day)
            .order_by(Edition.id)
            .options(load_only(*_TOLD))
            .execution_options(populate_existing=True)
        )
    ).all()


async def lock_date(session: Session, day: date) -> Sequence[Edition]:
    """Every edition of a date as it is now, held until the transaction ends, always in the order of their ids.

    Release, `late`, `retry` and the end of an edition hold them: one at a time hands out shard numbers, looks at who
    has another edition of the date, and decides whether anything is still owed. FOR NO KEY UPDATE on PostgreSQL, which
    keeps nobody from writing rows that refer to an edition. Shards are locked after this, never before.
    """
    return (
        await session.scalars(
            select(Edition)
            .where(Edition.date == day)
            .order_by(Edition.id)
            .with_for_update(key_share=True)
            .options(load_only(*_TOLD))
            .execution_options(populate_existing=True)
        )
    ).all()


@dataclass(frozen=True, slots=True)
class Chunk:
    """How many readers a chunk released, and the id of the last one looked at."""

    count: int
    last: int


async def release_chunk(
    session: Session,
    edition_id: int,
    siblings: Sequence[Edition],
    *,
    pair: Pair,
    frequencies: Collection[Frequency],
    confirmed_before: datetime,
    after: int,
    most: int,
    due_at: datetime,
    lasts: timedelta,
) -> Chunk:
    """Writes deliveries for up to `most` eligible readers of `pair` with ids past `after`.

    Eligible: active, of one of `frequencies`, confirmed before their due instant, without a row of this edition or a
    live one of its `siblings`, the others of its date. The caller holds them all (`lock_date`).
    """
    await walk_in_order(session)
    eligible = (
        select(Subscriber.id, Subscriber.domain_group)
        .where(
            _active(session, pair),
            Subscriber.id > after,
            Subscriber.confirmed_at < confirmed_before,
            Subscriber.frequency.in_(frequencies),
            *_of_pair(pair),
            ~_has_row(edition_id, after),
            *_without_live_row_of(siblings, after),
        )
        .order_by(Subscriber.id)
        .limit(most)
        .subquery()
    )
    first = await _add_shards(session, edition_id, -(-most // SHARD), due_at)
    await session.execute(_insert_deliveries(edition_id, eligible, first, due_at, due_at + lasts))
    groups = (await session.execute(_in_shards(edition_id, first))).all()
    count = sum(of_group for _, of_group, _ in groups)
    if count < most:
        await _drop_shards(session, edition_id, first + -(-count // SHARD))
    if not count:
        return Chunk(0, after)
    released = progress.Changes()
    for group, of_group, _ in groups:
        released.count(group, progress.Place("", progress.Tally.QUEUED), of_group)
    await progress.add(session, edition_id, progress.SETTLED, released)
    return Chunk(count, max(last for _, _, last in groups))


def _active(session: Session, pair: Pair) -> Any:
    # An expression keeps SQLite, while it has no statistics, from the index by status: for everybody, it would sort all
    # active readers again for each chunk, instead of going on from the cursor.
    status: Any = Subscriber.status
    if pair == EVERYBODY and is_sqlite(session):
        status = func.coalesce(status, SubscriberStatus.PENDING)
    return status == SubscriberStatus.ACTIVE


def _has_row(edition_id: int, after: int) -> Any:
    # Without the second condition PostgreSQL may gather every row of the edition before it looks at a chunk's readers.
    return exists().where(
        Delivery.edition_id == edition_id, Delivery.subscriber_id > after, Delivery.subscriber_id == Subscriber.id
    )


def _without_live_row_of(siblings: Sequence[Edition], after: int) -> list[Any]:
    """Who has a place in a sibling has that paper, unless they were skipped, or it expired before it was begun."""
    return [
        ~exists().where(Delivery.subscriber_id > after, Delivery.subscriber_id == Subscriber.id, live)
        for live in live_rows_of(siblings)
    ]


def live_rows_of(siblings: Sequence[Edition], of: Any = Delivery) -> list[Any]:
    """What says that a delivery (`of`) is a live one: of editions that go on, and of those that were cancelled.

    Of a cancelled one only what was handed over counts, or may have been: its successor goes to everybody else.
    """
    going = [one.id for one in siblings if one.status is not EditionStatus.CANCELLED]
    cancelled = [one.id for one in siblings if one.status is EditionStatus.CANCELLED]
    dead = or_(
        of.status == DeliveryStatus.SKIPPED,
        and_(of.status == DeliveryStatus.EXPIRED, of.attempt == 0),
    )
    handed = (DeliveryStatus.ACCEPTED, DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN)
    return [
        *([and_(of.edition_id.in_(going), not_(dead))] if going else []),
        *([and_(of.edition_id.in_(cancelled), or_(of.status.in_(handed), of.pinned))] if cancelled else []),
    ]


def _of_pair(pair: Pair) -> list[Any]:
    if pair == EVERYBODY:
        return []
    minute = Subscriber.minute.is_(None) if pair.minute == DEFAULT_MINUTE else Subscriber.minute == pair.minute
    return [and_(Subscriber.zone == pair.zone, minute)]


async def _add_shards(session: Session, edition_id: int, count: int, next_at: datetime) -> int:
    first = (
        await session.scalar(select(func.coalesce(func.max(Shard.number), 0) + 1).where(Shard.edition_id == edition_id))
    ) or 1
    await session.execute(
        insert(Shard),
        [
            {
                "edition_id": edition_id,
                "number": first + index,
                "owner": None,
                "lease_until": 0,
                "epoch": 0,
                "next_at": next_at,
            }
            for index in range(count)
        ],
    )
    return first


async def _drop_shards(session: Session, edition_id: int, first: int) -> None:
    """Those from `first` on: fewer readers were found than there is room for."""
    await session.execute(
        delete(Shard)
        .where(Shard.edition_id == edition_id, Shard.number >= first)
        .execution_options(synchronize_session=False)
    )


def _in_shards(edition_id: int, first: int) -> Any:
    """What was written just now, by domain group: to read the rows costs less than to look for their readers twice."""
    return (
        select(Delivery.domain_group, func.count(), func.max(Delivery.subscriber_id))
        .where(Delivery.edition_id == edition_id, Delivery.shard >= first)
        .group_by(Delivery.domain_group)
    )


def _insert_deliveries(edition_id: int, eligible: Any, first: int, due_at: datetime, expires_at: datetime) -> Any:
    position = func.row_number().over(order_by=eligible.c.id) - 1
    names = ["edition_id", "subscriber_id", "shard", "domain_group", "status", "attempt", "due_at", "expires_at"]
    rows = select(
        literal(edition_id),
        eligible.c.id,
        first + position // SHARD,
        eligible.c.domain_group,
        literal(DeliveryStatus.QUEUED, Delivery.status.type),
        literal(0),
        literal(due_at, Delivery.due_at.type),
        literal(expires_at, Delivery.expires_at.type),
    )
    return insert(Delivery).from_select(names, rows)


async def has_begun(session: Session, edition_id: int) -> bool:
    """Has its morning begun: is anybody released, was a pair's instant come, or was it sent to everybody at once?"""
    begun = or_(
        exists().where(Shard.edition_id == edition_id),
        exists().where(
            Release.edition_id == edition_id, or_(Release.done_at.is_not(None), Release.zone == EVERYBODY.zone)
        ),
    )
    return bool(await session.scalar(select(begun)))
