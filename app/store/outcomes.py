"""What became of hand-overs: one statement a group, and a note for all that was not accepted at the first try.

A reader may be erased while their mail is under way. The erasure puts `models.ledger.REDACTED` into their deliveries;
the statements here leave it there and tell whose rows have it: of these readers neither the provider's number nor its
words are kept. It is read from the row that is being changed, which on PostgreSQL is the row as it is once it is
locked. A subquery would see the readers as they were when the statement began.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, exists, insert, select, tuple_

from app.core.db import Session
from app.models import Delivery, DeliveryNote
from app.models.ledger import REDACTED
from app.models.states import DeliveryStatus
from app.store import progress
from app.store.leases import ShardLease
from app.store.progress import Changes, Place, Tally, place
from app.store.statements import Query, cached, is_sqlite

_MAY_HAVE_ARRIVED = (DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN, DeliveryStatus.ACCEPTED)


class Outcome(NamedTuple):
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
SET status = o.status, due_at = COALESCE(o.due_at, d.due_at), provider_id = {number}, code = o.code,
    fault = o.fault, pinned = {pinned}
FROM (
  SELECT json_extract(value, '$.s') AS subscriber_id, json_extract(value, '$.attempt') AS attempt,
         json_extract(value, '$.status') AS status, json_extract(value, '$.due') AS due_at,
         json_extract(value, '$.id') AS id, json_extract(value, '$.code') AS code,
         json_extract(value, '$.fault') AS fault
  FROM json_each(:rows) LIMIT -1
) AS o
WHERE d.edition_id = :edition AND d.subscriber_id = o.subscriber_id AND
"""
_RECORD_POSTGRES = """
UPDATE deliveries AS d
SET status = o.status, due_at = COALESCE(o.due, d.due_at), provider_id = {number}, code = o.code, fault = o.fault,
    pinned = {pinned}
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
  AS o(s bigint, attempt int, status text, due timestamptz, id text, code text, fault text)
WHERE d.edition_id = :edition AND d.subscriber_id = o.s AND
"""
# Of a first attempt nothing else can be in doubt: a late answer to it that is sure frees the row for every provider.
_PINNED = "o.status = 'unknown' OR (d.pinned AND NOT (d.attempt = 1 AND o.attempt = 1))"
_NUMBER = f"CASE WHEN d.provider_id = '{REDACTED}' THEN d.provider_id ELSE o.id END"
_RETURNING = f" RETURNING subscriber_id, domain_group, provider, COALESCE(provider_id = '{REDACTED}', false)"
_IN_HAND = "d.attempt = o.attempt AND d.status = 'sending'"
_LATE = """(
  (d.attempt = o.attempt AND d.status = 'unknown')
  OR (o.status = 'accepted' AND d.status IN ('unknown', 'queued', 'sending'))
)"""
_STATEMENTS = {
    (sqlite, which): head.format(pinned=_PINNED, number=_NUMBER) + which + _RETURNING
    for sqlite, head in ((True, _RECORD_SQLITE), (False, _RECORD_POSTGRES))
    for which in (_IN_HAND, _LATE)
}
# What nearly all outcomes are: accepted. Three values a row instead of seven.
_ACCEPT = """
UPDATE deliveries AS d SET status = 'accepted', provider_id = {number}, code = NULL, fault = NULL
FROM ({given}) AS o
WHERE d.edition_id = :edition AND d.subscriber_id = o.reader AND
"""
_ACCEPT_SQLITE = (
    _ACCEPT.format(
        number=_NUMBER,
        given="SELECT value->>0 AS reader, value->>1 AS attempt, value->>2 AS id FROM json_each(:rows) LIMIT -1",
    )
    + _IN_HAND
    + _RETURNING
)
_ACCEPT_POSTGRES = (
    _ACCEPT.format(
        number=_NUMBER,
        given="SELECT CAST(value->>0 AS bigint) AS reader, CAST(value->>1 AS integer) AS attempt, value->>2 AS id"
        " FROM jsonb_array_elements(CAST(:rows AS jsonb)) AS each_row(value)",
    )
    + _IN_HAND
    + _RETURNING
)


# The same for PostgreSQL in one statement with its counts and notes, for shards whose lease is proved in the same
# message. Of an outcome whose shard is lost, or whose row is not as it was left, nothing is done.
_ACCEPTED_GIVEN = """
SELECT CAST(value->>0 AS integer) AS shard, CAST(value->>1 AS bigint) AS s, CAST(value->>2 AS integer) AS attempt,
       'accepted' AS status, CAST(NULL AS timestamptz) AS due, value->>3 AS id, CAST(NULL AS text) AS code,
       CAST(NULL AS text) AS fault, '' AS why
FROM jsonb_array_elements(CAST(:rows AS jsonb)) AS each_row(value)
"""
_OTHERS_GIVEN = """
SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
  AS o(shard int, s bigint, attempt int, status text, due timestamptz, id text, code text, fault text, why text)
"""
_NOTED = """, noted AS (
  INSERT INTO delivery_notes (edition_id, subscriber_id, attempt, at, outcome, code, why)
  SELECT CAST(:edition AS integer), subscriber_id, attempt, :now, status, COALESCE(code, ''),
         CASE WHEN erased THEN '' ELSE why END
  FROM written WHERE status <> 'accepted' OR attempt > 1
)"""
_SETTLE = """
WITH given AS ({given}), ours AS (
  SELECT s.number FROM shards AS s JOIN jsonb_array_elements(CAST(:held AS jsonb)) AS h(value)
  ON s.number = CAST(h.value->>0 AS integer) AND s.epoch = CAST(h.value->>1 AS integer)
  WHERE s.edition_id = :edition
), written AS (
  UPDATE deliveries AS d
  SET status = o.status, due_at = COALESCE(o.due, d.due_at), provider_id = {number}, code = o.code, fault = o.fault,
      pinned = CASE WHEN o.status = 'accepted' THEN d.pinned ELSE {pinned} END
  FROM given AS o
  WHERE d.edition_id = :edition AND d.subscriber_id = o.s AND {in_hand}
    AND o.shard = ANY (ARRAY(SELECT number FROM ours))
  RETURNING d.subscriber_id, o.shard, d.attempt, d.domain_group, d.provider, d.status, d.code, d.fault, o.why,
            COALESCE(d.provider_id = '{redacted}', false) AS erased
), moves AS (
  SELECT shard, COALESCE(provider, '') AS provider, domain_group, 'sending' AS tally, -1 AS by FROM written
  UNION ALL
  SELECT shard, CASE WHEN status IN ('accepted', 'rejected', 'unknown') THEN COALESCE(provider, '') ELSE '' END,
         domain_group,
         CASE status WHEN 'queued' THEN 'deferred' WHEN 'rejected' THEN 'rejected_' || COALESCE(fault, 'ours')
                     ELSE status END,
         1
  FROM written
), counted AS ({counted}), paced AS ({paced}){noted}
SELECT subscriber_id FROM written
"""


def settling(
    edition_id: int, held: Iterable[ShardLease], by_shard: Mapping[int, Sequence[Outcome]], now: datetime
) -> list[Query[set[int]]]:
    """`record` for PostgreSQL and the ordinary case, to be sent behind the fence: the readers that were written down.

    For all others `record` is called afterwards.
    """
    leases = json.dumps([[one.shard, one.epoch] for one in held])
    accepted, others = list[Any](), list[Any]()
    again = False
    for shard, outcomes in by_shard.items():
        for one in outcomes:
            if one.status is DeliveryStatus.ACCEPTED:
                accepted.append((shard, one.subscriber_id, one.attempt, one.provider_id[:200] or None))
                again = again or one.attempt > 1
            else:
                others.append({"shard": shard, **_as_record(one), "why": one.why[:400]})
    asked = ((accepted, _ACCEPTED_GIVEN, again), (others, _OTHERS_GIVEN, True))
    values = {"edition": edition_id, "held": leases, "slice": progress.slice_of(now), "now": now}
    return [
        Query(
            _SETTLE.format(
                given=given,
                number=_NUMBER,
                pinned=_PINNED,
                in_hand=_IN_HAND,
                redacted=REDACTED,
                counted=progress.COUNTED,
                paced=progress.PACED,
                noted=_NOTED if noted else "",
            ),
            {**values, "rows": json.dumps(rows)},
            lambda found: {reader for (reader,) in found},
        )
        for rows, given, noted in asked
        if rows
    ]


def _as_record(one: Outcome) -> dict[str, Any]:
    return {
        "s": one.subscriber_id,
        "attempt": one.attempt,
        "status": one.status.value,
        "due": f"{_stored(one.due_at)}+00" if one.due_at else None,
        "id": one.provider_id[:200] or None,
        "code": one.code[:24] or None,
        "fault": one.fault,
    }


def _stored(instant: datetime | None) -> str | None:
    # The form in which UtcDateTime keeps an instant in SQLite; PostgreSQL reads it with the zone behind it.
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") if instant else None


async def record(session: Session, edition_id: int, by_shard: Mapping[int, Sequence[Outcome]], now: datetime) -> None:
    """Writes outcomes down by the shard of their reader, each for its own attempt, whoever owns the shard by now.

    An acceptance wins over an attempt that waits or is in the air, and cancels it; where a later attempt was already
    begun, the mail went out twice as far as anybody knows, and a note `repeated` counts it until that attempt is known
    not to have arrived.
    """
    outcomes = [one for of_shard in by_shard.values() for one in of_shard]
    if not outcomes:
        return
    changes = _Changes({one.subscriber_id: shard for shard, of_shard in by_shard.items() for one in of_shard})
    written, erased = await _in_hand(session, edition_id, outcomes, changes)
    rest = [one for one in outcomes if one.subscriber_id not in written]
    mended, repeated, late_erased = await _late(session, edition_id, rest, changes)
    written |= mended
    erased |= late_erased
    for one, group in repeated:
        changes.of(one.subscriber_id).count(group, Place("", Tally.REPEATED))
    await _only_once(session, edition_id, [one for one in rest if one.subscriber_id not in mended], changes)
    await progress.add_all(session, edition_id, changes.by_shard, now)
    await _note(session, edition_id, [one for one in outcomes if one.subscriber_id in written], erased, now)
    await _note(session, edition_id, [one for one, _ in repeated], erased, now, outcome="repeated")


class _Changes:
    """What outcomes changed in each shard; `shards` says which is whose."""

    def __init__(self, shards: Mapping[int, int]) -> None:
        self.shards = shards
        self.by_shard = defaultdict[int, Changes](Changes)

    def of(self, reader: int) -> Changes:
        return self.by_shard[self.shards[reader]]


async def _write(session: Session, edition_id: int, outcomes: Sequence[Outcome], which: str) -> Sequence[Any]:
    sqlite = is_sqlite(session)
    rows: list[Any] = [_as_record(one) for one in outcomes]
    if sqlite:
        rows = [{**row, "due": _stored(one.due_at)} for row, one in zip(rows, outcomes, strict=True)]
    statement = cached(_STATEMENTS[sqlite, which])
    written = await session.execute(statement, {"rows": json.dumps(rows), "edition": edition_id})
    return written.all()


async def _accept(session: Session, edition_id: int, accepted: Sequence[Outcome]) -> Sequence[Any]:
    rows = [(one.subscriber_id, one.attempt, one.provider_id[:200] or None) for one in accepted]
    statement = cached(_ACCEPT_SQLITE if is_sqlite(session) else _ACCEPT_POSTGRES)
    return (await session.execute(statement, {"rows": json.dumps(rows), "edition": edition_id})).all()


def _became(outcome: Outcome, provider: str | None) -> Place:
    return place(outcome.status, attempt=outcome.attempt, provider=provider, fault=outcome.fault)


async def _in_hand(
    session: Session, edition_id: int, outcomes: Sequence[Outcome], changes: _Changes
) -> tuple[set[int], set[int]]:
    """The ordinary case: the row is `sending`, at this very attempt. Gives whose rows it changed, and who is erased."""
    by_reader = {one.subscriber_id: one for one in outcomes}
    accepted = [one for one in outcomes if one.status is DeliveryStatus.ACCEPTED]
    others = [one for one in outcomes if one.status is not DeliveryStatus.ACCEPTED]
    written = [
        *(await _accept(session, edition_id, accepted) if accepted else ()),
        *(await _write(session, edition_id, others, _IN_HAND) if others else ()),
    ]
    # Most of a group became the same thing: it is looked up once.
    moves = Counter(
        (changes.shards[one.subscriber_id], group, provider, one.status, one.attempt, one.fault)
        for one, group, provider in ((by_reader[reader], group, provider) for reader, group, provider, _ in written)
    )
    for (shard, group, provider, status, attempt, fault), count in moves.items():
        was = place(DeliveryStatus.SENDING, attempt=attempt, provider=provider)
        became = place(status, attempt=attempt, provider=provider, fault=fault)
        changes.by_shard[shard].move(group, was, became, count)
    return {reader for reader, _, _, _ in written}, {reader for reader, _, _, erased in written if erased}


async def _late(
    session: Session, edition_id: int, outcomes: Sequence[Outcome], changes: _Changes
) -> tuple[set[int], list[tuple[Outcome, str]], set[int]]:
    """Answers to what was given up already. The rows are held first, so as to know what they were.

    Gives whose rows they changed, which mails went out twice, with their domain group, and who is erased.
    """
    if not outcomes:
        return set(), [], set()
    by_reader = {one.subscriber_id: one for one in outcomes}
    held = await session.execute(
        select(Delivery.subscriber_id, Delivery.status, Delivery.attempt, Delivery.domain_group, Delivery.provider_id)
        .where(Delivery.edition_id == edition_id, Delivery.subscriber_id.in_(by_reader))
        .with_for_update()
    )
    rows = held.all()
    were = {reader: (status, attempt, group) for reader, status, attempt, group, _ in rows}
    erased = {reader for reader, *_, number in rows if number == REDACTED}
    written = await _write(session, edition_id, outcomes, _LATE)
    for reader, group, provider, _ in written:
        status, attempt, _ = were[reader]
        was = place(status, attempt=attempt, provider=provider)
        changes.of(reader).move(group, was, _became(by_reader[reader], provider))
    repeated = [
        (by_reader[reader], group)
        for reader, (status, attempt, group) in were.items()
        if by_reader[reader].status is DeliveryStatus.ACCEPTED
        and attempt > by_reader[reader].attempt
        and status in _MAY_HAVE_ARRIVED
    ]
    return {reader for reader, _, _, _ in written}, repeated, erased


async def _only_once(session: Session, edition_id: int, outcomes: Sequence[Outcome], changes: _Changes) -> None:
    """Counted as repeated while it was in the air, a later attempt turned out not to have arrived."""
    failed = [one for one in outcomes if one.attempt > 1 and one.status not in _MAY_HAVE_ARRIVED]
    if not failed:
        return
    has_it = exists().where(
        Delivery.edition_id == DeliveryNote.edition_id,
        Delivery.subscriber_id == DeliveryNote.subscriber_id,
        Delivery.status == DeliveryStatus.ACCEPTED,
        tuple_(Delivery.subscriber_id, Delivery.attempt).in_([(one.subscriber_id, one.attempt) for one in failed]),
    )
    removed = await session.scalars(
        delete(DeliveryNote)
        .where(DeliveryNote.edition_id == edition_id, DeliveryNote.outcome == "repeated", has_it)
        .returning(DeliveryNote.subscriber_id)
        .execution_options(synchronize_session=False)
    )
    groups = await session.execute(
        select(Delivery.subscriber_id, Delivery.domain_group).where(
            Delivery.edition_id == edition_id, Delivery.subscriber_id.in_(removed.all())
        )
    )
    for reader, group in groups:
        changes.of(reader).count(group, Place("", Tally.REPEATED), -1)


async def _note(
    session: Session,
    edition_id: int,
    outcomes: Sequence[Outcome],
    erased: Container[int],
    now: datetime,
    outcome: str | None = None,
) -> None:
    """Notes what was not accepted at the first try. Servers like to repeat the address: not of those `erased`."""
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
        for one in outcomes
        if outcome or one.status is not DeliveryStatus.ACCEPTED or one.attempt > 1
    ]
    if notes:
        await session.execute(insert(DeliveryNote), notes)
