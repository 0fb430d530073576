"""What became of hand-overs: one statement a group, and a note for all that was not accepted at the first try."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, insert, select, text

from app.core.db import Session
from app.models import Delivery, DeliveryNote, Subscriber
from app.models.states import DeliveryStatus, SubscriberStatus


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to write down for one attempt."""

    subscriber_id: int
    attempt: int
    status: DeliveryStatus
    due_at: datetime | None = None
    provider_id: str = ""
    code: str = ""
    why: str = ""
    fault: str | None = None


# LIMIT -1 limits nothing; it keeps SQLite from merging the subquery and then looking through the whole edition for each
# outcome. As it is, the outcomes are read once and each finds its row by the primary key.
_RECORD_SQLITE = """
UPDATE deliveries AS d
SET status = o.status, due_at = COALESCE(o.due_at, d.due_at), provider_id = o.provider_id, code = o.code,
    fault = o.fault
FROM (
  SELECT json_extract(value, '$.s') AS subscriber_id, json_extract(value, '$.a') AS attempt,
         json_extract(value, '$.to') AS status, json_extract(value, '$.due') AS due_at,
         json_extract(value, '$.id') AS provider_id, json_extract(value, '$.code') AS code,
         json_extract(value, '$.fault') AS fault
  FROM json_each(:rows) LIMIT -1
) AS o
WHERE d.edition_id = :edition AND d.subscriber_id = o.subscriber_id AND (
  (d.attempt = o.attempt AND d.status IN ('sending', 'unknown'))
  OR (o.status = 'accepted' AND d.status IN ('unknown', 'queued'))
)
RETURNING subscriber_id
"""

_RECORD_POSTGRES = """
UPDATE deliveries AS d
SET status = o.status, due_at = COALESCE(o.due, d.due_at), provider_id = o.id, code = o.code, fault = o.fault
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
  AS o(s bigint, a int, status text, due timestamptz, id text, code text, fault text)
WHERE d.edition_id = :edition AND d.subscriber_id = o.s AND (
  (d.attempt = o.a AND d.status IN ('sending', 'unknown'))
  OR (o.status = 'accepted' AND d.status IN ('unknown', 'queued'))
)
RETURNING subscriber_id
"""


def _stored(instant: datetime | None) -> str | None:
    # The form in which UtcDateTime keeps an instant in SQLite; PostgreSQL reads it with the zone behind it.
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") if instant else None


async def record(session: Session, edition_id: int, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Writes outcomes down, each for its own attempt, whoever owns the shard by now.

    An acceptance wins over a resend that waits, and cancels it; where a later attempt was already handed
    over, the mail went out twice, and a note `repeated` counts it.
    """
    if not outcomes:
        return
    sqlite = session.get_bind().dialect.name == "sqlite"
    rows = [
        {
            "s": one.subscriber_id,
            "a": one.attempt,
            "to" if sqlite else "status": one.status.value,
            "due": _stored(one.due_at) if sqlite or one.due_at is None else f"{_stored(one.due_at)}+00",
            "id": one.provider_id[:200] or None,
            "code": one.code[:24] or None,
            "fault": one.fault,
        }
        for one in outcomes
    ]
    statement = text(_RECORD_SQLITE if sqlite else _RECORD_POSTGRES)
    written = set((await session.scalars(statement, {"rows": json.dumps(rows), "edition": edition_id})).all())
    late = [one for one in outcomes if one.status is DeliveryStatus.ACCEPTED and one.subscriber_id not in written]
    repeated = await _handed_over_since(session, edition_id, late)
    await _note(session, edition_id, [one for one in outcomes if one.subscriber_id in written], now)
    await _note(session, edition_id, repeated, now, outcome="repeated")


async def _handed_over_since(session: Session, edition_id: int, late: Sequence[Outcome]) -> list[Outcome]:
    """Those acceptances whose row has a later attempt that was begun."""
    if not late:
        return []
    rows = await session.execute(
        select(Delivery.subscriber_id, Delivery.attempt).where(
            Delivery.edition_id == edition_id,
            Delivery.subscriber_id.in_([one.subscriber_id for one in late]),
            Delivery.status != DeliveryStatus.QUEUED,
        )
    )
    attempts = dict(rows.all())
    return [one for one in late if attempts.get(one.subscriber_id, 0) > one.attempt]


async def _note(
    session: Session, edition_id: int, outcomes: Sequence[Outcome], now: datetime, outcome: str | None = None
) -> None:
    noted = [one for one in outcomes if outcome or one.status is not DeliveryStatus.ACCEPTED or one.attempt > 1]
    erased = await _erased(session, noted)
    notes = [
        {
            "edition_id": edition_id,
            "subscriber_id": one.subscriber_id,
            "attempt": one.attempt,
            "at": now,
            "outcome": outcome or one.status.value,
            "code": one.code[:24],
            "why": "" if one.subscriber_id in erased else one.why[:400],
        }
        for one in noted
    ]
    if notes:
        await session.execute(insert(DeliveryNote), notes)


async def _erased(session: Session, outcomes: Sequence[Outcome]) -> set[int]:
    """Whose reasons are not kept: servers like to repeat the address, and its owner was erased in mid-send."""
    if not outcomes:
        return set()
    found = await session.scalars(
        select(Subscriber.id).where(
            Subscriber.id.in_([one.subscriber_id for one in outcomes]), Subscriber.status == SubscriberStatus.ERASED
        )
    )
    return set(found.all())


async def repeats(session: Session, edition_id: int) -> int:
    """How many mails are known to have gone out twice."""
    found = await session.scalar(
        select(func.count()).where(DeliveryNote.edition_id == edition_id, DeliveryNote.outcome == "repeated")
    )
    return found or 0
