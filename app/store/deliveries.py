"""The ledger of an edition's deliveries: what waits, what is given up, what is owed again. `handovers` begins them.

Every statement is set-based: one per shard, not one per reader.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import exists, insert, select

from app.core.db import Session
from app.models import Delivery, DeliveryNote, Edition
from app.models.states import DeliveryStatus
from app.store import leases, progress
from app.store.leases import ShardLease
from app.store.progress import Changes, Place, Tally, place
from app.store.statements import Query, ask, ask_all, is_sqlite

_WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN)
LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)


class Moved(NamedTuple):
    """A delivery that a statement moved from one place to another."""

    subscriber_id: int
    attempt: int
    domain_group: str
    was: Place
    became: Place


def _moves(values: str, where: str) -> str:
    """A statement over one shard."""
    return (
        f"UPDATE deliveries SET {values} WHERE edition_id = :edition AND shard = :shard AND {where}"  # noqa: S608
        " RETURNING subscriber_id, attempt, domain_group, provider"
    )


_READER = "SELECT 1 FROM subscribers AS s WHERE s.id = deliveries.subscriber_id AND"
_EXPIRE = _moves("status = 'expired', code = 'expired'", "status = 'queued' AND expires_at <= :now")
_EXPIRE_UNKNOWN = _moves("status = 'expired', code = 'expired'", "status = 'unknown' AND expires_at <= :now")
_RESEND = _moves("status = 'queued'", "status = 'unknown' AND due_at <= :now")
_SKIP_EMPTY = _moves(
    "status = 'skipped', code = 'empty'", f"status = 'queued' AND EXISTS ({_READER} (s.sections & :present) = 0)"
)
_SKIP_GONE = _moves(
    "status = 'skipped', code = 'left'",
    f"status = 'queued' AND due_at <= :now AND NOT EXISTS ({_READER} s.status = 'active')",
)
_REQUEUE = _moves("status = 'queued', due_at = :now, code = 'unwritten'", "status = 'sending'")
_REQUEUE_SQLITE = _moves(
    "status = 'queued', due_at = :now, code = 'unwritten'",
    "status = 'sending' AND subscriber_id IN (SELECT value FROM json_each(:readers))",
)
_REQUEUE_POSTGRES = _moves(
    "status = 'queued', due_at = :now, code = 'unwritten'",
    "status = 'sending' AND subscriber_id = ANY (CAST(:readers AS bigint[]))",
)
_ABANDON = _moves("status = 'unknown', due_at = :due_at, code = 'lost', pinned = true", "status = 'sending'")
_IN_THE_AIR = """
SELECT subscriber_id, attempt FROM deliveries WHERE edition_id = :edition AND shard = :shard AND status = 'sending'
"""
_ANY_SENDING = """
SELECT 1 FROM deliveries WHERE edition_id = :edition AND shard = :shard AND status = 'sending' LIMIT 1
"""
_WHAT_WAITS = """
SELECT min(CASE WHEN expires_at <= :late_from THEN :again ELSE due_at END) AS due_at,
       CASE WHEN pinned THEN provider END AS pinned_to, domain_group
FROM deliveries WHERE edition_id = :edition AND shard = :shard AND status IN ('queued', :unknown)
GROUP BY CASE WHEN pinned THEN provider END, domain_group
"""


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard of an edition."""

    edition_id: int
    number: int

    def moving(self, statement: str, was: DeliveryStatus, became: DeliveryStatus, **values: Any) -> Query[list[Moved]]:
        """A statement over the shard that moves deliveries from one state to another."""

        def read(rows: Sequence[Any]) -> list[Moved]:
            return [
                Moved(
                    reader,
                    attempt,
                    group,
                    place(was, attempt=attempt, provider=provider),
                    place(became, attempt=attempt, provider=provider),
                )
                for reader, attempt, group, provider in rows
            ]

        return Query(statement, {"edition": self.edition_id, "shard": self.number, **values}, read)

    def abandon(self, due_at: datetime) -> Query[list[Moved]]:
        """Marks what the last owner left in mid-air as unknown; to be looked at again at `due_at`."""
        return self.moving(_ABANDON, DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN, due_at=due_at)

    def owe_unwritten(self, readers: Sequence[int], now: datetime, *, sqlite: bool) -> Query[list[Moved]]:
        """Of what the last owner left in mid-air, the mails of these readers are owed at once: they never went out."""
        made = _REQUEUE_SQLITE if sqlite else _REQUEUE_POSTGRES
        values: Any = json.dumps(readers) if sqlite else list(readers)
        return self.moving(made, DeliveryStatus.SENDING, DeliveryStatus.QUEUED, now=now, readers=values)

    def skip_gone(self, now: datetime) -> Query[list[Moved]]:
        """Marks as skipped whoever left, or went to rest, between release and hand-over."""
        return self.moving(_SKIP_GONE, DeliveryStatus.QUEUED, DeliveryStatus.SKIPPED, now=now)

    def ripen(self, now: datetime, *, resend: bool, expire: bool) -> list[Query[list[Moved]]]:
        """What is too late is given up, if `expire`; where unknowns are resent, those that are due are owed again.

        Where they are held instead, an unknown stays what it is, for an operator to see.
        """
        unknown, expired = DeliveryStatus.UNKNOWN, DeliveryStatus.EXPIRED
        made = [self.moving(_EXPIRE, DeliveryStatus.QUEUED, expired, now=now)] if expire else []
        if expire and resend:
            made.append(self.moving(_EXPIRE_UNKNOWN, unknown, expired, now=now))
        if resend:
            made.append(self.moving(_RESEND, unknown, DeliveryStatus.QUEUED, now=now))
        return made

    async def tally(self, session: Session, moved: Sequence[Moved]) -> None:
        """Brings the counts in step with what was moved."""
        changes = Changes()
        for one in moved:
            changes.move(one.domain_group, one.was, one.became)
        await progress.add(session, self.edition_id, self.number, changes)


async def put_in_order(
    session: Session,
    taken: Sequence[ShardLease],
    now: datetime,
    *,
    present: int,
    unknown_until: Callable[[], datetime],
    resend: bool,
    expire: bool,
    written: Mapping[int, Collection[tuple[int, int]]] = MappingProxyType({}),
) -> dict[int, int]:
    """What an earlier owner, a pause or the night left behind in shards of an edition that were just leased.

    Where there was an owner before, what it left in mid-air is unknown until `unknown_until`, and who left since is
    skipped. So is whoever chose none of the sections that have anything today (`present`, as bits). Gives, for each
    shard whose lease is ours still, how many hand-overs have no answer.

    `written`, for shards whose last owner is dead and left notes: readers and attempts that may have gone out. What
    else it left in mid-air is owed at once.
    """
    if not taken:
        return {}
    owed = await _unwritten(session, [one for one in taken if one.shard in written], written)
    queries, numbers = list[Query[list[Moved]]](), list[int]()
    for lease in taken:
        at, again = Shard(lease.edition_id, lease.shard), lease.epoch > 1
        readers = owed.get(lease.shard)
        those = [at.owe_unwritten(readers, now, sqlite=is_sqlite(session))] if readers else []
        those += [at.abandon(unknown_until())] if again else []
        those += at.ripen(now, resend=resend and again, expire=expire)
        those += [at.skip_gone(now)] if again else []
        those.append(at.moving(_SKIP_EMPTY, DeliveryStatus.QUEUED, DeliveryStatus.SKIPPED, present=present))
        queries += those
        numbers += [lease.shard] * len(those)
    edition_id = taken[0].edition_id
    ours, *found = await ask_all(session, [leases.renewal(session, edition_id, taken), *queries])
    moved = [(number, one) for number, rows in zip(numbers, found, strict=True) for one in rows if number in ours]
    lost = Counter(number for number, one in moved if one.became.tally is Tally.UNKNOWN)
    for number in sorted({number for number, _ in moved}):
        at, of_shard = Shard(edition_id, number), [one for other, one in moved if other == number]
        await at.tally(session, of_shard)
        await _note_lost(session, at, [one for one in of_shard if one.became.tally is Tally.UNKNOWN], now)
    return {number: lost[number] for number in sorted(ours)}


async def _unwritten(
    session: Session, taken: Sequence[ShardLease], written: Mapping[int, Collection[tuple[int, int]]]
) -> dict[int, list[int]]:
    """By shard, the readers whose mails are in mid-air and not among those that may have gone out."""
    made = [Query(_IN_THE_AIR, {"edition": one.edition_id, "shard": one.shard}, list) for one in taken]
    found = await ask_all(session, made)
    return {
        one.shard: [reader for reader, attempt in rows if (reader, attempt) not in written[one.shard]]
        for one, rows in zip(taken, found, strict=True)
    }


async def abandon(session: Session, edition_id: int, shard: int, due_at: datetime, now: datetime) -> int:
    """`Shard.abandon` by itself; gives how many there were."""
    at = Shard(edition_id, shard)
    lost = await ask(session, at.abandon(due_at))
    await at.tally(session, lost)
    await _note_lost(session, at, lost, now)
    return len(lost)


async def ripen(
    session: Session, edition_id: int, shard: int, now: datetime, *, resend: bool, expire: bool = True
) -> None:
    """`Shard.ripen` by itself."""
    at = Shard(edition_id, shard)
    found = await ask_all(session, at.ripen(now, resend=resend, expire=expire))
    await at.tally(session, [one for moved in found for one in moved])


async def _note_lost(session: Session, at: Shard, lost: Sequence[Moved], now: datetime) -> None:
    notes = [
        {
            "edition_id": at.edition_id,
            "subscriber_id": one.subscriber_id,
            "attempt": one.attempt,
            "at": now,
            "outcome": DeliveryStatus.UNKNOWN.value,
            "code": "lost",
            "why": "the worker stopped between hand-over and answer",
        }
        for one in lost
    ]
    if notes:
        await session.execute(insert(DeliveryNote), notes)


def any_sending(edition_id: int, shard: int) -> Query[bool]:
    """Is anything of the shard in the air?"""
    return Query(_ANY_SENDING, {"edition": edition_id, "shard": shard}, bool)


async def at_rest(session: Session, edition_id: int, shards: Sequence[int]) -> list[int]:
    """Those of `shards` of which nothing is in the air."""
    found = await ask_all(session, [any_sending(edition_id, shard) for shard in shards])
    return [shard for shard, is_sending in zip(shards, found, strict=True) if not is_sending]


class Waiting(NamedTuple):
    """Deliveries of a shard that wait for the same."""

    pinned_to: str | None
    """The provider that alone may carry them."""
    group: str
    """Of their readers' domains."""
    due_at: datetime
    """Of the first of them."""


def waiting_states(*, resend: bool) -> tuple[DeliveryStatus, ...]:
    """What is owed to a reader still: what was never answered only where that is sent again."""
    return _WAITING if resend else (DeliveryStatus.QUEUED,)


LATE_AGAIN = timedelta(minutes=1)


def what_waits(at: Shard, *, resend: bool, late_from: datetime | None = None) -> Query[list[Waiting]]:
    """What the shard is owed next, and when; nothing where nothing waits in it.

    `late_from` is now, where nothing may be expired: what is too late to be begun is looked at a minute on.
    """
    values = {
        "edition": at.edition_id,
        "shard": at.number,
        "late_from": late_from or LONG_AGO,
        "again": late_from + LATE_AGAIN if late_from else LONG_AGO,
        "unknown": DeliveryStatus.UNKNOWN.value if resend else DeliveryStatus.QUEUED.value,
    }
    return Query(
        _WHAT_WAITS,
        values,
        lambda rows: [Waiting(pinned_to, group, due_at.astimezone(UTC)) for due_at, pinned_to, group in rows],
        ("due_at",),
    )


async def waiting(session: Session, edition_id: int, shard: int, *, resend: bool) -> list[Waiting]:
    """`what_waits` by itself."""
    return await ask(session, what_waits(Shard(edition_id, shard), resend=resend))


async def clear(
    session: Session, edition_id: int, shards: Sequence[int], now: datetime, *, resend: bool, late_from: datetime | None
) -> list[list[Waiting]]:
    """Before shards are given back: what waits in each.

    Rows that their owner began but never gave to a provider are owed again: nothing of them was written. Only for the
    owner of the leases, when every message it did give has been recorded.
    """
    queries: list[Query[Any]] = []
    for number in shards:
        at = Shard(edition_id, number)
        queries += [
            at.moving(_REQUEUE, DeliveryStatus.SENDING, DeliveryStatus.QUEUED, now=now),
            at.skip_gone(now),
            what_waits(at, resend=resend, late_from=late_from),
        ]
    found = await ask_all(session, queries)
    for index, number in enumerate(shards):
        requeued, gone, _ = found[3 * index : 3 * index + 3]
        await Shard(edition_id, number).tally(session, [*requeued, *gone])
    return found[2::3]


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
