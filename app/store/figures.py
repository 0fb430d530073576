"""What the monitoring of an operator asks of the database, each time it asks: a few sums, no row looked at twice."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal_column, select

from app.core.db import Session, lease_clock
from app.models import DeliveryCount, DeliveryPace, Edition, Shard, SourceHealth, Subscriber, TransactionalEmail
from app.models.states import DeliveryStatus, EditionStatus
from app.store import counters, provider_states, workers
from app.store.buckets import instant
from app.store.progress import PACE_OVER, SLICE, Tally
from app.store.shares import all_barred


@dataclass(frozen=True, slots=True)
class Source:
    """How one source does."""

    name: str
    failures: int
    succeeded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at the whole service."""

    deliveries: dict[tuple[str, str], int]
    """By provider and heading, over all editions."""
    open: int
    """Rows of editions that are going out and are not through with."""
    pace: float
    """Hand-overs answered for good per second, over the last minute, all editions."""
    papers_due_since: datetime | None
    service_mail: dict[tuple[str, str], int]
    """By kind and state; of the last thirty days."""
    service_mail_due_since: datetime | None
    provider_failures: dict[str, int]
    barred: list[tuple[str, str, float]]
    """Provider and domain group that is left alone, and for how many seconds more."""
    leased: int
    """Shards that a worker holds."""
    editions: dict[str, int]
    readers: dict[str, int]
    sources: list[Source]
    workers: int
    """Those that gave a sign of life lately."""
    in_hand: int
    """Mails that they have begun and have no answer for."""
    counted: dict[str, int]


async def look(session: Session, now: datetime) -> Figures:
    """Everything at once, on the caller's one snapshot."""
    sending = select(Edition.id).where(Edition.status == EditionStatus.SENDING)
    deliveries = await _deliveries(session)
    living, in_hand = await workers.living(session)
    waiting = DeliveryCount.queued + DeliveryCount.deferred + DeliveryCount.sending
    settled = await session.scalar(
        select(func.sum(DeliveryPace.settled)).where(DeliveryPace.slice > int((now - PACE_OVER).timestamp()) // SLICE)
    )
    clock: Any = literal_column(lease_clock(session))
    sources = await session.execute(select(SourceHealth.name, SourceHealth.failures, SourceHealth.succeeded_at))
    return Figures(
        deliveries=deliveries,
        open=int(await session.scalar(select(func.sum(waiting)).where(DeliveryCount.edition_id.in_(sending))) or 0),
        pace=float(settled or 0) / PACE_OVER.total_seconds(),
        papers_due_since=await session.scalar(
            select(func.min(Shard.next_at)).where(Shard.edition_id.in_(sending), Shard.next_at <= now)
        ),
        service_mail=await _pairs(session, TransactionalEmail.kind, TransactionalEmail.status),
        service_mail_due_since=await session.scalar(
            select(func.min(TransactionalEmail.due_at)).where(
                TransactionalEmail.status == DeliveryStatus.QUEUED, TransactionalEmail.due_at <= now
            )
        ),
        provider_failures={name: state.failures for name, state in (await provider_states.every(session)).items()},
        barred=await all_barred(session, await instant(session)),
        leased=int(await session.scalar(select(func.count()).where(Shard.lease_until > clock)) or 0),
        editions=await _by(session, Edition.status),
        readers=await _by(session, Subscriber.status),
        sources=[Source(*row) for row in sources],
        workers=living,
        in_hand=in_hand,
        counted=await counters.read(session),
    )


async def _deliveries(session: Session) -> dict[tuple[str, str], int]:
    columns = [getattr(DeliveryCount, tally.value) for tally in Tally]
    rows = await session.execute(
        select(DeliveryCount.provider, *(func.sum(one) for one in columns)).group_by(DeliveryCount.provider)
    )
    return {
        (row[0], tally.value): int(count) for row in rows for tally, count in zip(Tally, row[1:], strict=True) if count
    }


async def _by(session: Session, column: Any) -> dict[str, int]:
    rows = await session.execute(select(column, func.count()).group_by(column))
    return {str(value): count for value, count in rows}


async def _pairs(session: Session, first: Any, second: Any) -> dict[tuple[str, str], int]:
    rows = await session.execute(select(first, second, func.count()).group_by(first, second))
    return {(str(one), str(two)): count for one, two, count in rows}
