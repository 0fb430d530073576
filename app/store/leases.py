"""Leases: who may work on a shard, or on a slot of the timetable, until when on the database's own clock.

Every owner gets a new epoch. A worker proves at the head of each transaction that its epoch is still the
last one (the fence); without that proof it begins nothing.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, literal_column, or_, select, update

from app.core.db import Session, clock_of, lease_clock
from app.models import Edition, JobRun, Shard
from app.models.states import EditionStatus
from app.store.statements import Query, ask, ask_all, is_sqlite
from app.store.upsert import insert

FOR_MS = 10_000


@dataclass(frozen=True, slots=True)
class ShardLease:
    """The right to begin hand-overs of one shard, as long as `epoch` is its last."""

    edition_id: int
    shard: int
    epoch: int
    owner: str
    left_by: str | None = None
    """The owner of the epoch before, where that one never gave it back."""


def _clock(session: Session) -> ColumnElement[Any]:
    return literal_column(lease_clock(session))


_FREE = """
SELECT s.edition_id, s.number FROM shards AS s JOIN editions AS e ON e.id = s.edition_id
WHERE s.next_at <= :now AND s.lease_until < {clock} AND e.status = 'sending'
ORDER BY s.next_at, s.edition_id, s.number LIMIT :most
"""


def free_shards_query(now: datetime, most: int, *, sqlite: bool) -> Query[list[tuple[int, int]]]:
    """Edition and number of up to `most` shards that are due and that nobody holds, due the longest first."""
    statement = _FREE.format(clock=clock_of(sqlite=sqlite))
    return Query(statement, {"now": now, "most": most}, lambda rows: [(edition, number) for edition, number in rows])


async def free_shards(session: Session, now: datetime, most: int) -> list[tuple[int, int]]:
    """`free_shards_query` by itself."""
    return await ask(session, free_shards_query(now, most, sqlite=is_sqlite(session)))


async def is_due_elsewhere(session: Session, edition_id: int, now: datetime) -> bool:
    """Is a shard of another edition due that nobody holds?"""
    found = (
        select(Shard.number)
        .join(Edition, Edition.id == Shard.edition_id)
        .where(Shard.next_at <= now, Shard.lease_until < _clock(session), Shard.edition_id != edition_id)
        .where(Edition.status == EditionStatus.SENDING)
        .limit(1)
    )
    return await session.scalar(found) is not None


async def take_shard(
    session: Session,
    owner: str,
    now: datetime,
    *,
    edition_id: int | None = None,
    shard: int | None = None,
    left: bool = False,
    but: Collection[int] = (),
) -> ShardLease | None:
    """`take_shards` for one; `shard` narrows the choice to one of the edition."""
    only = [Shard.number == shard] if shard is not None else []
    taken = await take_shards(session, owner, now, *only, most=1, edition_id=edition_id, left=left, but=but)
    return taken[0] if taken else None


async def take_shards(
    session: Session,
    owner: str,
    now: datetime,
    *only: ColumnElement[bool],
    most: int,
    edition_id: int | None = None,
    left: bool = False,
    but: Collection[int] = (),
) -> list[ShardLease]:
    """Leases up to `most` free shards whose work is due the longest, of editions that are sending.

    `edition_id` narrows the choice to one edition, `left` to shards whose last owner never gave them back; `but` are
    shards of it that the caller has no use for.
    """
    clock, only = _clock(session), (*only, *_narrowed(edition_id, left=left))
    if but:
        only = (*only, Shard.number.not_in(but))
    found = (
        select(Shard.edition_id, Shard.number, Shard.owner)
        .join(Edition, Edition.id == Shard.edition_id)
        .where(Shard.next_at <= now, Shard.lease_until < clock, Edition.status == EditionStatus.SENDING, *only)
        .order_by(Shard.next_at, Shard.edition_id, Shard.number)
        .limit(most)
        .with_for_update(of=Shard, skip_locked=True)
    )
    free = found.cte("free")
    take = (
        update(Shard)
        .where(Shard.edition_id == free.c.edition_id, Shard.number == free.c.number)
        .values(owner=owner, epoch=Shard.epoch + 1, lease_until=clock + FOR_MS)
        .returning(Shard.edition_id, Shard.number, Shard.epoch)
        .execution_options(synchronize_session=False)
    )
    if not is_sqlite(session):
        rows = (await session.execute(take.returning(free.c.owner))).all()
        made = [ShardLease(edition, shard, epoch, owner, left_by) for edition, shard, epoch, left_by in rows]
        return sorted(made, key=lambda one: (one.edition_id, one.shard))
    # SQLite's RETURNING knows the new row only; its one writer sees the same rows in both statements.
    before = {(edition, shard): left_by for edition, shard, left_by in await session.execute(found)}
    rows = (await session.execute(take)).all() if before else []
    return [ShardLease(edition, shard, epoch, owner, before[edition, shard]) for edition, shard, epoch in sorted(rows)]


def _narrowed(edition_id: int | None, *, left: bool) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = [Shard.edition_id == edition_id] if edition_id is not None else []
    return [*made, Shard.lease_until > 0] if left else made


async def is_any_left(session: Session, edition_id: int) -> bool:
    """Is there a shard that its last owner never gave back?"""
    found = select(Shard.number).where(*_narrowed(edition_id, left=True), Shard.lease_until < _clock(session)).limit(1)
    return await session.scalar(found) is not None


async def take_unheld(session: Session, *only: ColumnElement[bool]) -> tuple[int, int] | None:
    """Edition and number of a shard that owes something and that no worker holds, to put it in order and not to send.

    It owes nothing from then on; its epoch grows, so that a sleeper begins nothing. `only` narrows the choice.
    """
    free = (
        await session.execute(
            select(Shard.edition_id, Shard.number)
            .join(Edition, Edition.id == Shard.edition_id)
            .where(Shard.next_at.is_not(None), Shard.lease_until < _clock(session), *only)
            .order_by(Shard.edition_id, Shard.number)
            .limit(1)
            .with_for_update(of=Shard, skip_locked=True)
        )
    ).one_or_none()
    if free is None:
        return None
    # The row is held since it was found, as in `take_shard`.
    await session.execute(
        update(Shard)
        .where(Shard.edition_id == free[0], Shard.number == free[1])
        .values(owner=None, epoch=Shard.epoch + 1, lease_until=0, next_at=None)
        .execution_options(synchronize_session=False)
    )
    return free[0], free[1]


# One statement for all shards that a worker holds, since it stands at the head of every group.
_RENEW = """
UPDATE shards SET lease_until = {clock} + :ms
FROM ({held}) AS held
WHERE shards.edition_id = :edition AND shards.number = held.number AND shards.epoch = held.epoch
  AND shards.owner = held.owner
RETURNING shards.number
"""
_HELD_SQLITE = """SELECT json_extract(value, '$[0]') AS number, json_extract(value, '$[1]') AS epoch,
  json_extract(value, '$[2]') AS owner FROM json_each(:held) LIMIT -1"""
_HELD_POSTGRES = """SELECT CAST(value->>0 AS integer) AS number, CAST(value->>1 AS integer) AS epoch,
  value->>2 AS owner FROM jsonb_array_elements(CAST(:held AS jsonb)) AS value"""


def renewal(session: Session, edition_id: int, held: Collection[ShardLease]) -> Query[set[int]]:
    """The fence: proves and renews leases of one edition; gives the numbers of the shards that are still ours."""
    source = _HELD_SQLITE if is_sqlite(session) else _HELD_POSTGRES
    values = {
        "ms": FOR_MS,
        "edition": edition_id,
        "held": json.dumps([[one.shard, one.epoch, one.owner] for one in held]),
    }
    statement = _RENEW.format(clock=lease_clock(session), held=source)
    return Query(statement, values, lambda rows: {number for (number,) in rows})


async def renew_shards(session: Session, edition_id: int, held: Collection[ShardLease]) -> set[int]:
    """`renewal` by itself."""
    return await ask(session, renewal(session, edition_id, held)) if held else set()


async def renew_shard(session: Session, lease: ShardLease) -> bool:
    """The fence of one shard: False where another worker owns it now."""
    return bool(await renew_shards(session, lease.edition_id, [lease]))


async def follow_shard(session: Session, edition_id: int, shard: int) -> None:
    """Waits for the shard's present owner, so that what is written down late comes after their group, not across it."""
    await session.execute(
        select(Shard.epoch).where(Shard.edition_id == edition_id, Shard.number == shard).with_for_update()
    )


async def owe_shard(session: Session, edition_id: int, shard: int, at: datetime) -> None:
    """Something of a shard is owed at `at`, says one who does not hold it: it is looked at then, if not before."""
    await session.execute(
        update(Shard)
        .where(
            Shard.edition_id == edition_id,
            Shard.number == shard,
            or_(Shard.next_at.is_(None), Shard.next_at > at),
        )
        .values(next_at=at)
        .execution_options(synchronize_session=False)
    )


_GIVE_BACK = """
UPDATE shards SET owner = NULL, lease_until = 0, next_at = :due_at
WHERE edition_id = :edition AND number = :shard AND epoch = :epoch AND owner = :owner RETURNING number
"""


async def give_back_shards(session: Session, given: Sequence[tuple[ShardLease, datetime | None]]) -> None:
    """Ends leases and says when each shard is owed something next."""
    await ask_all(
        session,
        [
            Query(
                _GIVE_BACK,
                {
                    "edition": one.edition_id,
                    "shard": one.shard,
                    "epoch": one.epoch,
                    "owner": one.owner,
                    "due_at": due_at,
                },
                lambda _: None,
            )
            for one, due_at in given
        ],
    )


async def give_back_shard(session: Session, lease: ShardLease, next_at: datetime | None) -> None:
    """`give_back_shards` for one."""
    await give_back_shards(session, [(lease, next_at)])


async def take_slot(
    session: Session, job: str, slot: str, owner: str, now: datetime, for_ms: int = FOR_MS
) -> int | None:
    """Leases a slot that nobody finished or works on; gives the epoch, None where it is not to be had."""
    clock = _clock(session)
    made = insert(session, JobRun).values(
        job=job,
        slot=slot,
        owner=owner,
        epoch=1,
        lease_until=clock + for_ms,
        started_at=now,
        finished_at=None,
        result="",
    )
    epoch: int | None = await session.scalar(
        made.on_conflict_do_update(
            index_elements=[JobRun.job, JobRun.slot],
            set_={"owner": owner, "epoch": JobRun.epoch + 1, "lease_until": clock + for_ms, "started_at": now},
            where=and_(JobRun.finished_at.is_(None), JobRun.lease_until < clock),
        )
        .returning(JobRun.epoch)
        .execution_options(synchronize_session=False)
    )
    return epoch


async def slot_owner(session: Session, job: str, slot: str) -> tuple[str, int] | None:
    """The last owner of a slot and the epoch, whether it was given back or not."""
    found = await session.execute(select(JobRun.owner, JobRun.epoch).where(JobRun.job == job, JobRun.slot == slot))
    row = found.one_or_none()
    return row and (row[0], row[1])


def _is_slot(job: str, slot: str, epoch: int) -> ColumnElement[bool]:
    return and_(JobRun.job == job, JobRun.slot == slot, JobRun.epoch == epoch)


async def renew_slot(session: Session, job: str, slot: str, epoch: int, for_ms: int = FOR_MS) -> bool:
    """The fence of a slot: False where another worker owns it now."""
    renewed = await session.scalar(
        update(JobRun)
        .where(_is_slot(job, slot, epoch))
        .values(lease_until=_clock(session) + for_ms)
        .returning(JobRun.epoch)
        .execution_options(synchronize_session=False)
    )
    return renewed is not None


async def give_back_slot(session: Session, job: str, slot: str, epoch: int) -> None:
    """Frees a slot without finishing it: somebody may take it at once."""
    await session.execute(
        update(JobRun)
        .where(_is_slot(job, slot, epoch))
        .values(lease_until=0)
        .execution_options(synchronize_session=False)
    )


async def finish_slot(session: Session, job: str, slot: str, epoch: int, result: str, now: datetime) -> None:
    """Marks a slot as done: it is never taken again."""
    await session.execute(
        update(JobRun)
        .where(_is_slot(job, slot, epoch))
        .values(finished_at=now, lease_until=0, result=result[:400])
        .execution_options(synchronize_session=False)
    )


async def prune_slots(session: Session, before: datetime) -> None:
    """Forgets slots that were finished before `before`."""
    await session.execute(delete(JobRun).where(JobRun.finished_at < before))


async def is_finished(session: Session, job: str, slot: str) -> bool:
    """Was this slot's work done?"""
    run = await session.get(JobRun, (job, slot), populate_existing=True)
    return run is not None and run.finished_at is not None
