"""Until when mail of an edition waits: deferred and held-back mail for its next try, unknown mail for its decision.

Counts say how much waits (`progress`); only the ledger says until when. Each shard costs a few looks into the index of
(edition, shard, status, due), however many deliveries it has.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from app.core.db import Session
from app.models import Delivery, Shard
from app.models.states import DeliveryStatus


@dataclass(frozen=True, slots=True)
class Span:
    """When the first, and when the last of them are looked at."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Waits:
    """What of an edition is looked at later than now."""

    ready: bool = False
    """Is anything due now, for a worker to take?"""
    retries: Span | None = None
    """Queued mail that is due later: deferred, or held back until a provider takes mail again."""
    decisions: Span | None = None
    """Unknown mail, which is owed again then (or given up); an instant that has passed is due now."""


async def of_edition(session: Session, edition_id: int, now: datetime, *, undecided: bool) -> Waits:
    """What waits of an edition that goes out; `undecided`: also unknown mail, because it is resent.

    A shard is not taken before its `next_at`, so nothing in it is tried earlier, whenever its rows are due.
    """
    queued, unknown = DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN
    each = (
        select(
            _not_before_shard(_due(func.min, queued)).label("soonest"),
            _not_before_shard(_due(func.min, queued, Delivery.due_at > now)).label("later"),
            _not_before_shard(_due(func.max, queued)).label("last"),
            _not_before_shard(_due(func.min, unknown)).label("first_decision"),
            _not_before_shard(_due(func.max, unknown)).label("last_decision"),
        )
        .where(Shard.edition_id == edition_id)
        .subquery()
    )
    found = each.c
    first_retry = case((found.soonest > now, found.soonest), else_=found.later)
    soonest, retry, last, decision, last_decision = (
        await session.execute(
            select(
                func.min(found.soonest),
                func.min(first_retry),
                func.max(found.last),
                func.min(found.first_decision),
                func.max(found.last_decision),
            )
        )
    ).one()
    decisions = Span(decision, last_decision) if undecided and decision is not None else None
    return Waits(
        ready=(soonest is not None and soonest <= now) or (decisions is not None and decisions.first <= now),
        retries=Span(retry, last) if retry is not None else None,
        decisions=decisions,
    )


def _due(which: Any, status: DeliveryStatus, *more: ColumnElement[bool]) -> Any:
    """The first or last due instant among the rows of a shard that are in `status`."""
    rows = (Delivery.edition_id == Shard.edition_id, Delivery.shard == Shard.number, Delivery.status == status)
    return select(which(Delivery.due_at)).where(*rows, *more).correlate(Shard).scalar_subquery()


def _not_before_shard(due: Any) -> Any:
    return case((and_(Shard.next_at.is_not(None), Shard.next_at > due), Shard.next_at), else_=due)
