"""Hand-overs begun in the ledger: one statement moves a group of deliveries, one reads whom they are addressed to."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, NamedTuple

from app.core.db import Session
from app.models.ledger import REDACTED
from app.models.states import DeliveryStatus, Frequency, MailForm
from app.store import progress
from app.store.leases import ShardLease
from app.store.progress import Changes, place
from app.store.statements import Query, ask, ask_all, is_sqlite, with_instants


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


# Standing is judged in the statement that begins a delivery: its reader is in, its edition goes out, there is time.
# As a scalar subquery, a reader's state is looked up by key whatever the statistics say; as a join, PostgreSQL may look
# through all readers. An array it works out once; a subquery with a LIMIT it may ask anew for each row of the edition.
_DUE = """
SELECT d.subscriber_id FROM deliveries AS d
WHERE d.edition_id = :edition AND d.shard = :shard AND d.status = 'queued' AND d.due_at <= :now
  AND d.expires_at > :now
  AND (SELECT s.status FROM subscribers AS s WHERE s.id = d.subscriber_id) = 'active'
  AND (SELECT e.status FROM editions AS e WHERE e.id = :edition) = 'sending'
  {fence} {free} {which}
ORDER BY d.due_at LIMIT :most{n}
"""
# Some of this group, some of that: each part stops at what there are tokens for.
_PART = "SELECT subscriber_id FROM ({due}) AS part{n}"
_APART_SQLITE = "AND d.domain_group NOT IN (SELECT value FROM json_each(:apart))"
_APART_POSTGRES = "AND d.domain_group <> ALL (CAST(:apart AS text[]))"
# What another provider may have passed on already is that provider's to try again.
_FREE_SQLITE = "AND NOT (d.pinned AND d.provider IN (SELECT value FROM json_each(:others)))"
_FREE_POSTGRES = "AND NOT (d.pinned AND d.provider = ANY (CAST(:others AS text[])))"
# An erasure that is committed while this statement waits for the row marks it: nobody is there to be addressed.
_BEGIN = """
UPDATE deliveries SET status = 'sending', attempt = attempt + 1, provider = :provider
WHERE edition_id = :edition AND subscriber_id {among} AND status = 'queued'
  AND COALESCE(provider_id <> '{redacted}', true)
RETURNING expires_at, subscriber_id, attempt, domain_group
"""


# In one message with the fence nobody has seen yet what it found.
_FENCE = (
    "AND (SELECT h.epoch FROM shards AS h"
    " WHERE h.edition_id = :edition AND h.number = :shard AND h.owner = :owner) = :epoch"
)
# On PostgreSQL beginning, counting and reading addresses is one statement, and so one round trip. The readers are
# looked up by key, as above; a scalar subquery could give but one of their columns.
_BEGIN_AT_ONCE = """
WITH begun AS ({begin}), moves AS (
  SELECT CAST(:shard AS integer) AS shard, '' AS provider, domain_group,
         CASE WHEN attempt = 1 THEN 'queued' ELSE 'deferred' END AS tally, -1 AS by FROM begun
  UNION ALL SELECT CAST(:shard AS integer), :provider, domain_group, 'sending', 1 FROM begun
), counted AS ({counted})
SELECT b.subscriber_id, b.attempt, b.expires_at, b.domain_group, s.ref, s.address, s.zone, s.minute, s.confirmed_at,
       s.sections, s.frequency, s.form
FROM begun AS b CROSS JOIN LATERAL (
  SELECT ref, address, zone, minute, confirmed_at, sections, frequency, form
  FROM subscribers WHERE id = b.subscriber_id OFFSET 0
) AS s
"""


class Wanted(NamedTuple):
    """What to begin: up to `most` due deliveries of a shard, by one provider.

    What one of the `others` may have passed on already is left to it; `portion` is for groups of domains that may not
    simply be begun with all others.
    """

    lease: ShardLease
    provider: str
    most: int
    others: Sequence[str] = ()
    portion: Portion | None = None


@cache
def _statement(*, sqlite: bool, several: bool, groups: int | None, others: bool) -> str:
    """`groups`: of how many groups a number is asked for; None where no group is told apart."""
    fence = "" if sqlite else _FENCE
    free = (_FREE_SQLITE if sqlite else _FREE_POSTGRES) if several else ""
    if groups is None:
        due = _DUE.format(fence=fence, free=free, which="", n="")
    else:
        named = [(f"AND d.domain_group = :group{n}", str(n)) for n in range(groups)]
        rest = [(_APART_SQLITE if sqlite else _APART_POSTGRES, "")] if others else []
        parts = [
            _PART.format(due=_DUE.format(fence=fence, free=free, which=which, n=n), n=n) for which, n in (*named, *rest)
        ]
        due = f"{' UNION ALL '.join(parts)} LIMIT :most"
    made = _BEGIN.format(among=f"IN ({due})" if sqlite else f"= ANY (ARRAY({due}))", redacted=REDACTED)
    return made if sqlite else _BEGIN_AT_ONCE.format(begin=made, counted=progress.COUNTED)


_READERS = """
SELECT confirmed_at, id, ref, address, zone, minute, sections, frequency, form
FROM subscribers WHERE id IN (SELECT value FROM json_each(:ids))
"""
_FREQUENCIES = {one.value: one for one in Frequency}
_FORMS = {one.value: one for one in MailForm}


async def begin(session: Session, wanted: Wanted, now: datetime) -> list[Begun]:
    """Moves due deliveries to `sending`: who has left, or is too late, is not among them.

    So leaving, pausing and expiry take hold with the next group. The caller has proved the lease.
    """
    if is_sqlite(session):
        return await _begin_step_by_step(session, wanted, now)
    return await ask(session, beginning(wanted, now))


async def begin_each(session: Session, wanted: Sequence[Wanted], now: datetime) -> list[list[Begun]]:
    """`begin` for several; on PostgreSQL it is one round trip."""
    if is_sqlite(session):
        return [await _begin_step_by_step(session, one, now) for one in wanted]
    return await ask_all(session, [beginning(one, now) for one in wanted])


def beginning(wanted: Wanted, now: datetime) -> Query[list[Begun]]:
    """`begin` for PostgreSQL, as one statement, which gives nothing where the lease is another's."""
    statement, values = _asked(wanted, now, sqlite=False)
    return Query(statement, values, partial(_read, wanted.lease.shard))


def _read(shard: int, rows: Sequence[Any]) -> list[Begun]:
    return [
        Begun(
            reader,
            attempt,
            expires_at.astimezone(UTC),
            shard,
            group,
            ref,
            address,
            zone,
            minute,
            confirmed_at and confirmed_at.astimezone(UTC),
            sections,
            _FREQUENCIES[frequency],
            _FORMS[form],
        )
        for (
            reader, attempt, expires_at, group, ref, address, zone, minute, confirmed_at, sections, frequency, form
        ) in rows
    ]  # fmt: skip


def _asked(wanted: Wanted, now: datetime, *, sqlite: bool) -> tuple[str, dict[str, Any]]:
    lease, portion, others = wanted.lease, wanted.portion, wanted.others
    values: dict[str, Any] = {
        "edition": lease.edition_id,
        "shard": lease.shard,
        "provider": wanted.provider,
        "most": wanted.most,
        "now": now,
    }
    if not sqlite:
        values |= {"epoch": lease.epoch, "owner": lease.owner}
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
    return statement, values


async def _begin_step_by_step(session: Session, wanted: Wanted, now: datetime) -> list[Begun]:
    edition_id, shard = wanted.lease.edition_id, wanted.lease.shard
    statement, values = _asked(wanted, now, sqlite=True)
    moved = await session.execute(with_instants(statement, "expires_at"), values)
    moves: Counter[tuple[str, int]] = Counter()
    begun = {}
    for expires_at, reader, attempt, group in moved:
        begun[reader] = (reader, attempt, expires_at, shard, group)
        moves[group, attempt] += 1
    if not begun:
        return []
    changes = Changes()
    became = place(DeliveryStatus.SENDING, attempt=1, provider=wanted.provider)
    for (group, attempt), count in moves.items():
        changes.move(group, place(DeliveryStatus.QUEUED, attempt=attempt - 1, provider=None), became, count)
    await progress.add(session, edition_id, shard, changes)
    readers = await session.execute(with_instants(_READERS, "confirmed_at"), {"ids": json.dumps(list(begun))})
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
