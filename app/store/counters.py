"""Small rows that only grow, for what no table remembers: the times of groups, lost leases, sign-ups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.core.db import Session
from app.models import Counter
from app.store.upsert import insert

SIGN_UPS, CONFIRMATIONS, LEASES_LOST = "sign-ups", "confirmations", "leases lost"
GROUP_MICROSECONDS = "group microseconds"
BOUNDS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500)
"""Milliseconds within which a group was committed: the budget of a transaction is 50."""
_GROUPS = (*(f"group within {bound} ms" for bound in BOUNDS), "group later")


@dataclass(frozen=True, slots=True)
class Groups:
    """How long the transactions of groups took."""

    within: Sequence[int]
    """How many ended by each of `BOUNDS`, those of the shorter ones among them; last, how many there were."""
    seconds: float
    """Of all together."""


def group_name(milliseconds: float) -> str:
    """The counter of a group that took so long."""
    return next((name for name, bound in zip(_GROUPS, BOUNDS, strict=False) if milliseconds <= bound), _GROUPS[-1])


async def add(session: Session, changes: Mapping[str, int]) -> None:
    """Adds to counters, in one order, so that two such transactions never wait for each other in a ring.

    Stands last in a transaction: on PostgreSQL the next one that counts the same waits for its end.
    """
    rows = [{"name": name, "count": changes[name]} for name in sorted(changes) if changes[name]]
    if not rows:
        return
    made = insert(session, Counter).values(rows)
    await session.execute(
        made.on_conflict_do_update(index_elements=[Counter.name], set_={"count": Counter.count + made.excluded.count})
    )


async def read(session: Session) -> dict[str, int]:
    """All of them, by name."""
    rows = await session.execute(select(Counter.name, Counter.count))
    return {str(name): int(count) for name, count in rows}


def groups(found: Mapping[str, int]) -> Groups:
    """The times of groups, out of all counters."""
    within, sum_ = [], 0
    for name in _GROUPS:
        sum_ += found.get(name, 0)
        within.append(sum_)
    return Groups(within, found.get(GROUP_MICROSECONDS, 0) / 1_000_000)
