"""How far an edition is, counted as it moves: a change of the ledger and of its counts is one transaction.

Each shard has counts of its own, so that workers do not wait for each other; when its owner gives it back they are
added to those of shard 0. To read is therefore to add up a few hundred rows, whatever the number of readers.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import func, select, text

from app.core.db import Session, Statement
from app.models import DeliveryCount, DeliveryPace
from app.models.states import DeliveryStatus
from app.store.statements import cached, is_sqlite

SLICE = 5
"""Seconds of a slice of the pace."""
PACE_OVER = timedelta(minutes=1)
SETTLED = 0
"""The shard under which those of all shards at rest are added up."""


class Tally(StrEnum):
    """Where a delivery is; each is a column of `delivery_counts`."""

    QUEUED = "queued"
    """Never begun."""
    DEFERRED = "deferred"
    """Begun before, and waiting to be tried again."""
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED_ADDRESS = "rejected_address"
    REJECTED_MESSAGE = "rejected_message"
    REJECTED_OURS = "rejected_ours"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    REPEATED = "repeated"
    """Not a place: of those accepted, the mails known to have gone out twice."""


_HANDED = (DeliveryStatus.SENDING, DeliveryStatus.ACCEPTED, DeliveryStatus.REJECTED, DeliveryStatus.UNKNOWN)
_DONE = (Tally.ACCEPTED, Tally.REJECTED_ADDRESS, Tally.REJECTED_MESSAGE, Tally.REJECTED_OURS)


class Place(NamedTuple):
    """Under which provider and heading a delivery is counted. What waits, or never went, is no provider's."""

    provider: str
    tally: Tally


def place(status: DeliveryStatus, *, attempt: int, provider: str | None, fault: str | None = None) -> Place:
    """Where a row of the ledger is counted."""
    named = (provider or "") if status in _HANDED else ""
    match status:
        case DeliveryStatus.QUEUED:
            return Place(named, Tally.DEFERRED if attempt else Tally.QUEUED)
        case DeliveryStatus.REJECTED:
            return Place(named, Tally(f"rejected_{fault or 'ours'}"))
        case other:
            return Place(named, Tally(other.value))


@dataclass(slots=True)
class Changes:
    """What one deed changed, by provider and domain group."""

    by: dict[tuple[str, str], Counter[Tally]] = field(default_factory=dict)
    settled: int = 0
    """Hand-overs that were answered for good."""

    def count(self, group: str, at: Place, by: int = 1) -> None:
        self.by.setdefault((at.provider, group), Counter())[at.tally] += by

    def move(self, group: str, was: Place, became: Place, by: int = 1) -> None:
        self.count(group, was, -by)
        self.count(group, became, by)
        if became.tally in _DONE:
            self.settled += by


_COLUMNS = tuple(tally.value for tally in Tally)
_SUMS = ", ".join(f"{name} = delivery_counts.{name} + excluded.{name}" for name in _COLUMNS)
_KEYS = ("shard", "provider", "domain_group")
_HEAD = f"INSERT INTO delivery_counts (edition_id, {', '.join((*_KEYS, *_COLUMNS))}) "
_TAIL = f" ON CONFLICT (edition_id, shard, provider, domain_group) DO UPDATE SET {_SUMS}"
_ADD_SQLITE = text(
    f"{_HEAD}SELECT :edition, "  # noqa: S608  # names of ours
    + ", ".join(f"value->>{index}" for index in range(len(_KEYS) + len(_COLUMNS)))
    + f" FROM json_each(:rows) WHERE true{_TAIL}"
)
_ADD_POSTGRES = text(
    f"{_HEAD}SELECT CAST(:edition AS integer), CAST(value->>0 AS integer), value->>1, value->>2, "  # noqa: S608
    + ", ".join(f"CAST(value->>{len(_KEYS) + index} AS integer)" for index in range(len(_COLUMNS)))
    + f" FROM jsonb_array_elements(CAST(:rows AS jsonb)) AS each_row(value){_TAIL}"
)
COUNTED = (
    f"{_HEAD}SELECT CAST(:edition AS integer), shard, provider, domain_group, "  # noqa: S608  # names of ours
    + ", ".join(f"COALESCE(sum(by) FILTER (WHERE tally = '{name}'), 0)" for name in _COLUMNS)
    + " FROM moves GROUP BY shard, provider, domain_group ORDER BY shard, provider, domain_group"
    + _TAIL
)
"""The end of a PostgreSQL statement that moves deliveries: `moves` are rows of shard, provider, domain_group, tally and
by how many it changes."""
PACED = """
INSERT INTO delivery_pace (edition_id, shard, slice, settled)
SELECT CAST(:edition AS integer), shard, CAST(:slice AS bigint), count(*) FROM written
WHERE status IN ('accepted', 'rejected') GROUP BY shard ORDER BY shard
ON CONFLICT (edition_id, shard, slice) DO UPDATE SET settled = delivery_pace.settled + excluded.settled
"""
"""Likewise: `written` are rows of shard and status, answered in the slice `:slice`."""
_PACE = text(
    "INSERT INTO delivery_pace (edition_id, shard, slice, settled) VALUES (:edition, :shard, :slice, :settled)"
    " ON CONFLICT (edition_id, shard, slice) DO UPDATE SET settled = delivery_pace.settled + excluded.settled"
)


async def add(session: Session, edition_id: int, shard: int, changes: Changes) -> None:
    """Counts what a deed changed in one shard, in its own transaction.

    The caller holds the shard's lease, or the edition for shard 0: rows are locked in one order, and nobody waits
    for the other.
    """
    await add_all(session, edition_id, {shard: changes})


async def add_all(
    session: Session, edition_id: int, by_shard: Mapping[int, Changes], now: datetime | None = None
) -> None:
    """As `add`, in several shards. `now` where hand-overs were answered."""
    rows = [
        [shard, *key, *(tallies[tally] for tally in Tally)]
        for shard, changes in sorted(by_shard.items())
        for key, tallies in sorted(changes.by.items())
        if any(tallies.values())
    ]
    if rows:
        statement = _ADD_SQLITE if session.get_bind().dialect.name == "sqlite" else _ADD_POSTGRES
        await session.execute(statement, {"edition": edition_id, "rows": json.dumps(rows)})
    paced = {shard: changes.settled for shard, changes in sorted(by_shard.items()) if changes.settled}
    if paced and now is not None:
        await _pace(session, edition_id, [(shard, slice_of(now), settled) for shard, settled in paced.items()])


async def _pace(session: Session, edition_id: int, rows: Iterable[tuple[int, int, int]]) -> None:
    """Each a shard, a slice, and how many were settled in it."""
    of_rows = [{"edition": edition_id, "shard": row[0], "slice": row[1], "settled": row[2]} for row in rows]
    if of_rows:
        await session.execute(_PACE, of_rows)


def slice_of(at: datetime) -> int:
    """Which slice of the pace an instant is in."""
    return int(at.timestamp()) // SLICE


async def fold(session: Session, edition_id: int, shard: int, now: datetime) -> None:
    """Adds a shard's counts to those at rest. The last thing in the transaction that gives the shard back."""
    for statement, values in folding(edition_id, now, sqlite=is_sqlite(session), shard=shard):
        await session.execute(cached(statement), values)


_COUNTS_FOLDED = f"{_HEAD}SELECT CAST(:edition AS integer), 0, provider, domain_group, "  # names of ours
_COUNTS_FOLDED += ", ".join(f"sum({name})" for name in _COLUMNS)
_COUNTS_FOLDED += " FROM {gone} GROUP BY provider, domain_group ORDER BY provider, domain_group" + _TAIL
_PACE_FOLDED = """
INSERT INTO delivery_pace (edition_id, shard, slice, settled)
SELECT CAST(:edition AS integer), 0, slice, sum(settled) FROM {gone} GROUP BY slice ORDER BY slice
ON CONFLICT (edition_id, shard, slice) DO UPDATE SET settled = delivery_pace.settled + excluded.settled
"""
_FOLDED = (("delivery_counts", _COUNTS_FOLDED), ("delivery_pace", _PACE_FOLDED))
_FOLDED_SHARDS = """ WHERE {table}.edition_id = :edition AND {table}.shard > 0 AND EXISTS (
  SELECT 1 FROM shards AS s WHERE s.edition_id = :edition AND s.number = {table}.shard AND s.lease_until = 0
)"""
_FOLDED_SHARD = " WHERE {table}.edition_id = :edition AND {table}.shard = :shard"
_FORGET_PACE = "DELETE FROM delivery_pace WHERE edition_id = :edition AND shard = 0 AND slice < :past"


def folding(edition_id: int, now: datetime, *, sqlite: bool, shard: int | None = None) -> list[Statement]:
    """Statements that add the counts of all shards that nobody holds, or of `shard`, to those at rest.

    Until then the sums are the same. All workers' counts meet there, so that these statements are best alone in their
    transaction.
    """
    values = {"edition": edition_id, "shard": shard or 0}
    made: list[Statement] = []
    for table, folded in _FOLDED:
        those = (_FOLDED_SHARDS if shard is None else _FOLDED_SHARD).format(table=table)
        if sqlite:  # has one writer: nothing comes between
            made += [(folded.format(gone=table + those), values), (f"DELETE FROM {table}{those}", values)]  # noqa: S608
        else:
            gone = f"WITH gone AS (DELETE FROM {table}{those} RETURNING *) "  # noqa: S608  # names of ours
            made.append((gone + folded.format(gone="gone"), values))
    past = slice_of(now - 2 * PACE_OVER)
    return [*made, (_FORGET_PACE, {"edition": edition_id, "past": past})]


def _columns() -> list[Any]:
    return [getattr(DeliveryCount, name) for name in _COLUMNS]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many deliveries are where."""

    queued: int = 0
    deferred: int = 0
    sending: int = 0
    accepted: int = 0
    rejected_address: int = 0
    rejected_message: int = 0
    rejected_ours: int = 0
    unknown: int = 0
    skipped: int = 0
    expired: int = 0
    repeated: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def rejected(self) -> int:
        return self.rejected_address + self.rejected_message + self.rejected_ours

    @property
    def released(self) -> int:
        """Everybody who was given a place in the edition."""
        return self.open + self.accepted + self.rejected + self.unknown + self.skipped + self.expired

    @property
    def open(self) -> int:
        """Still to be handed over, or in mid-air."""
        return self.queued + self.deferred + self.sending


@dataclass(frozen=True, slots=True)
class Tallied:
    """The counts of one provider's mail to one domain group."""

    provider: str
    domain_group: str
    counts: Counts


async def of_edition(session: Session, edition_id: int) -> list[Tallied]:
    """Every provider and domain group that anything is counted under."""
    rows = await session.execute(
        select(DeliveryCount.provider, DeliveryCount.domain_group, *(func.sum(one) for one in _columns()))
        .where(DeliveryCount.edition_id == edition_id)
        .group_by(DeliveryCount.provider, DeliveryCount.domain_group)
        .order_by(DeliveryCount.provider, DeliveryCount.domain_group)
    )
    made = [Tallied(row[0], row[1], Counts(*(int(one) for one in row[2:]))) for row in rows]
    return [one for one in made if one.counts != Counts()]


def together(tallied: list[Tallied]) -> Counts:
    """All of them added up."""
    return sum((one.counts for one in tallied), Counts())


async def total(session: Session, edition_id: int) -> Counts:
    """The counts of a whole edition."""
    return together(await of_edition(session, edition_id))


async def rate(session: Session, edition_id: int, now: datetime) -> float:
    """Hand-overs answered for good per second, over the last minute or as long as it has been going."""
    since = slice_of(now - PACE_OVER)
    row = await session.execute(
        select(func.sum(DeliveryPace.settled), func.min(DeliveryPace.slice)).where(
            DeliveryPace.edition_id == edition_id, DeliveryPace.slice > since
        )
    )
    settled, first = row.one()
    if not settled:
        return 0.0
    return float(settled) / max(now.timestamp() - first * SLICE, SLICE)
