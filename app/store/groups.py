"""One group of an edition's hand-overs: the fence, what was answered, and what is begun next.

On PostgreSQL all of it is one message, and so one round trip however far away the database is; on SQLite, which is in
this process, one statement after the other.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.core.db import Session
from app.store import deliveries, editions, handovers, leases, outcomes
from app.store.handovers import Begun, Wanted
from app.store.leases import ShardLease
from app.store.outcomes import Outcome
from app.store.statements import Query, ask_all, is_sqlite


class Moved(NamedTuple):
    """What became of a group."""

    ours: set[int]
    """The shards whose leases were proved and renewed."""
    sending: bool
    """Nobody has paused, cancelled or ended the edition."""
    begun: list[list[Begun]]
    """Of each that was wanted."""
    at_rest: set[int]
    """Of the shards that were asked about, those of which nothing is in the air."""
    unwritten: dict[int, list[Outcome]]
    """By shard, the outcomes that `outcomes.record` is still to be called for: the lease is lost, or the row is not as
    it was left."""


async def move(
    session: Session,
    edition_id: int,
    held: Collection[ShardLease],
    answered: Mapping[int, Sequence[Outcome]],
    wanted: Sequence[Wanted],
    now: datetime,
    idle: Sequence[int] = (),
) -> Moved:
    """Proves the leases `held`, writes down what was `answered` in their shards, and begins what is `wanted`.

    `idle` are shards that may be at rest, once that is written down.
    """
    if is_sqlite(session):
        ours = await leases.renew_shards(session, edition_id, held)
        sending = await editions.is_sending(session, edition_id)
        unwritten = {shard: list(of_shard) for shard, of_shard in answered.items() if shard not in ours}
        written = {shard: of_shard for shard, of_shard in answered.items() if shard in ours}
        await outcomes.record(session, edition_id, written, now)
        resting = set(await deliveries.at_rest(session, edition_id, idle))
        begun = [await handovers.begin(session, one, now) if one.lease.shard in ours else [] for one in wanted]
        return Moved(ours, sending, begun, resting, unwritten)
    settled = outcomes.settling(edition_id, held, answered, now)
    queries: list[Query[Any]] = [
        leases.renewal(session, edition_id, held),
        editions.sending(edition_id),
        *settled,
        *(deliveries.any_sending(edition_id, shard) for shard in idle),
        *(handovers.beginning(one, now) for one in wanted),
    ]
    ours, sending, *rest = await ask_all(session, queries)
    busy, begun = rest[len(settled) : len(rest) - len(wanted)], rest[len(rest) - len(wanted) :]
    done: set[int] = set().union(*rest[: len(settled)])
    resting = {shard for shard, is_busy in zip(idle, busy, strict=True) if not is_busy}
    left = {shard: [one for one in of_shard if one.subscriber_id not in done] for shard, of_shard in answered.items()}
    return Moved(ours, sending, begun, resting, {shard: of_shard for shard, of_shard in left.items() if of_shard})
