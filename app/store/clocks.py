"""What processes tell one another about time, in rows of `instance`; and what is due after a clock was set back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, literal_column, or_, select, update

from app.core.clock import Reading, steady
from app.core.db import Session, lease_clock
from app.models import (
    Delivery,
    Edition,
    Instance,
    JobRun,
    OperatorMail,
    ProviderState,
    Shard,
    SourceHealth,
    TransactionalEmail,
)
from app.models.states import DeliveryStatus, EditionStatus
from app.store.upsert import insert

SAMPLES = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEEN, _HOLD, _CONFIRMED = "clock seen", "clock hold", "clock confirmed"
_OFF = "clock off "
LONGEST_PROCESS = 30
"""Characters of a process's name, so that it fits into a row's."""
OFFSET_LASTS = timedelta(minutes=2)
"""A process that is off says so every 30 s; one that was killed is not believed for longer."""
_DEAD_AFTER_MS = 120_000
"""A lease that ends later than this was taken by a clock that was ahead: none is taken for more than a minute."""
LATEST_AGAIN = timedelta(minutes=20)
"""What was tried before the clock was set back is looked at again by then."""


async def read_database(session: Session, monotonic: Callable[[], float] = steady) -> Reading:
    """The database's clock, taken as read in the middle of the quickest of a few round trips."""
    question: Select[tuple[Any]] = select(literal_column(lease_clock(session)))
    best: tuple[float, Reading] | None = None
    for _ in range(SAMPLES):
        asked = monotonic()
        milliseconds = (await session.scalars(question)).one()
        took = monotonic() - asked
        if best is None or took < best[0]:
            best = took, Reading(_EPOCH + timedelta(milliseconds=int(milliseconds)), asked + took / 2)
    assert best is not None
    return best[1]


@dataclass(frozen=True, slots=True)
class Offset:
    """A process whose machine's clock is ahead of the one that decides by so many seconds; below zero: behind."""

    process: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Known:
    """What is written down about the clock that decides. None where nothing is."""

    seen: datetime | None
    """The last time that a worker wrote down."""
    hold: datetime | None
    """Nothing is expired before."""
    confirmed: datetime | None
    """When an operator last said that the clock is right, by that clock."""


async def known(session: Session) -> Known:
    rows = await session.execute(
        select(Instance.name, Instance.value).where(Instance.name.in_((_SEEN, _HOLD, _CONFIRMED)))
    )
    found = {name: datetime.fromisoformat(value) for name, value in rows}
    return Known(found.get(_SEEN), found.get(_HOLD), found.get(_CONFIRMED))


async def see(session: Session, now: datetime) -> None:
    """A worker goes by this time."""
    await _put(session, _SEEN, now.isoformat())


async def hold(session: Session, until: datetime) -> None:
    """No process expires anything before."""
    await _put(session, _HOLD, until.isoformat())


async def confirm(session: Session, now: datetime) -> None:
    """An operator says that the clock is right: processes that doubt it go on, and nothing is held back any more."""
    await _put(session, _CONFIRMED, now.isoformat())
    await see(session, now)
    await hold(session, now)


async def tell_offset(session: Session, process: str, seconds: float, now: datetime) -> None:
    """This process's machine is off by so much."""
    await _put(session, _OFF + process[:LONGEST_PROCESS], f"{now.isoformat()} {seconds:.3f}")


async def forget_offset(session: Session, process: str) -> None:
    """This process's machine is right, or the process ends."""
    await session.execute(delete(Instance).where(Instance.name == _OFF + process[:LONGEST_PROCESS]))


async def offsets(session: Session, now: datetime) -> list[Offset]:
    """The processes whose machines are off."""
    rows = await session.execute(
        select(Instance.name, Instance.value).where(Instance.name.startswith(_OFF)).order_by(Instance.name)
    )
    found = []
    for name, value in rows:
        at, _, seconds = value.partition(" ")
        if abs(now - datetime.fromisoformat(at)) <= OFFSET_LASTS:
            found.append(Offset(name.removeprefix(_OFF), float(seconds)))
    return found


async def prune_offsets(session: Session, now: datetime) -> None:
    """Forgets processes that were killed while they were off."""
    gone = (await session.scalars(select(Instance.name).where(Instance.name.startswith(_OFF)))).all()
    told = {_OFF + one.process for one in await offsets(session, now)}
    if stale := [name for name in gone if name not in told]:
        await session.execute(delete(Instance).where(Instance.name.in_(stale)))


# -- after the clock was set back ------------------------------------------------------------------------


async def bring_forward(session: Session, now: datetime) -> list[tuple[int, int]]:
    """What a clock that was ahead has put off is due now: service mail, letters, leases, whoever rests after failures.

    Gives edition and number of the shards that are to be looked through in the same way (`bring_shard_forward`).
    """
    for mails in (TransactionalEmail, OperatorMail):
        await session.execute(
            update(mails)
            .where(mails.status == DeliveryStatus.QUEUED, mails.due_at > now)
            .values(due_at=now)
            .execution_options(synchronize_session=False)
        )
        await session.execute(
            update(mails)
            .where(mails.status == DeliveryStatus.UNKNOWN, mails.due_at > now + LATEST_AGAIN)
            .values(due_at=now + LATEST_AGAIN)
            .execution_options(synchronize_session=False)
        )
    for table in (ProviderState, SourceHealth):
        await session.execute(
            update(table)
            .where(table.open_until > now)
            .values(open_until=now)
            .execution_options(synchronize_session=False)
        )
    await session.execute(
        update(JobRun)
        .where(JobRun.finished_at.is_(None), JobRun.lease_until > _latest_lease(session))
        .values(lease_until=0)
        .execution_options(synchronize_session=False)
    )
    open_ = (EditionStatus.FROZEN, EditionStatus.SENDING, EditionStatus.PAUSED)
    shards = await session.execute(
        select(Shard.edition_id, Shard.number)
        .join(Edition, Edition.id == Shard.edition_id)
        .where(Edition.status.in_(open_), or_(Shard.next_at.is_not(None), Shard.lease_until > 0))
        .order_by(Shard.edition_id, Shard.number)
    )
    return [(edition_id, number) for edition_id, number in shards]


async def reopen_slots(session: Session, now: datetime) -> None:
    """Slots of the timetable that were finished in what is the future now are owed again when their time comes."""
    await session.execute(delete(JobRun).where(JobRun.finished_at > now))


async def bring_shard_forward(session: Session, edition_id: int, shard: int, now: datetime) -> None:
    """A shard is due now, unless somebody holds it; its deliveries that were tried are due within twenty minutes.

    Those that were not tried keep their time: it is their reader's morning.
    """
    await session.execute(
        update(Shard)
        .where(Shard.edition_id == edition_id, Shard.number == shard, Shard.lease_until > _latest_lease(session))
        .values(lease_until=0)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(Shard)
        .where(Shard.edition_id == edition_id, Shard.number == shard, Shard.next_at > now)
        .values(next_at=now)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(Delivery)
        .where(
            Delivery.edition_id == edition_id,
            Delivery.shard == shard,
            Delivery.status.in_((DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN)),
            Delivery.attempt > 0,
            Delivery.due_at > now + LATEST_AGAIN,
        )
        .values(due_at=now + LATEST_AGAIN)
        .execution_options(synchronize_session=False)
    )


def _latest_lease(session: Session) -> ColumnElement[Any]:
    return literal_column(f"{lease_clock(session)} + {_DEAD_AFTER_MS}")


async def _put(session: Session, name: str, value: str) -> None:
    made = insert(session, Instance).values(name=name, value=value)
    await session.execute(made.on_conflict_do_update(index_elements=[Instance.name], set_={"value": value}))
