"""Hand-overs begun in the ledger: one statement moves a group of deliveries, one reads whom they are addressed to."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from app.core.db import Session
from app.models.ledger import REDACTED
from app.models.states import DeliveryStatus, Frequency, MailForm
from app.store import progress
from app.store.progress import Changes, place
from app.store.statements import is_sqlite, with_instants


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
# An erasure that is committed while this statement waits for the row marks it: nobody is there to be addressed.
_BEGIN = """
UPDATE deliveries SET status = 'sending', attempt = attempt + 1, provider = :provider
WHERE edition_id = :edition AND subscriber_id {among} AND status = 'queued'
  AND COALESCE(provider_id <> '{redacted}', true)
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
    return _BEGIN.format(among=f"IN ({due})" if sqlite else f"= ANY (ARRAY({due}))", redacted=REDACTED)


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
        changes.move(group, place(DeliveryStatus.QUEUED, attempt=attempt - 1, provider=None), became, count)
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
