"""Tokens that all workers share: read, and exchanged for what was made of them if nobody was quicker."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import literal_column, select

from app.core.db import Database, Session, clock_of, lease_clock
from app.core.mail.tokens import Level
from app.models import Bucket
from app.store.statements import Query, ask_alone

WHOLE = ""
"""The domain group that stands for a provider as a whole."""


async def instant(session: Session) -> int:
    """Microseconds since 1970 on the database's clock: workers on several machines share it."""
    return int((await session.scalars(select(literal_column(lease_clock(session))))).one()) * 1000


class Held(NamedTuple):
    """A bucket as it was read; `level` is None for one that nobody has used yet."""

    level: Level | None
    barred_until: int = 0


_AMONG_SQLITE = "IN (SELECT value FROM json_each(:groups))"
_AMONG_POSTGRES = "= ANY (CAST(:groups AS text[]))"
_LOOK = (
    "SELECT domain_group, full_at, day, used, barred_until FROM buckets WHERE provider = :provider AND domain_group "
)
_MAKE = """
INSERT INTO buckets (provider, domain_group, full_at, day, used, barred_until, bars)
VALUES (:provider, :domain_group, :full_at, :day, :used, 0, 0) ON CONFLICT DO NOTHING RETURNING domain_group
"""
_EXCHANGE = """
UPDATE buckets SET full_at = :full_at, day = :day, used = :used
WHERE provider = :provider AND domain_group = :domain_group
  AND full_at = :full_at_before AND day = :day_before AND used = :used_before
RETURNING domain_group
"""


async def look(db: Database, provider: str, groups: Collection[str]) -> tuple[int, dict[str, Held]]:
    """The instant, as `instant` gives it, and the buckets of these groups, which nobody keeps locked: a round trip."""

    def read(rows: Sequence[Any]) -> dict[str, Held]:
        return {
            group: Held(Level(full_at, date.fromisoformat(str(day)), used), barred_until)
            for group, full_at, day, used, barred_until in rows
        }

    sqlite, names = db.is_sqlite, sorted(groups)
    among: Any = json.dumps(names) if sqlite else names
    of = Query(_LOOK + (_AMONG_SQLITE if sqlite else _AMONG_POSTGRES), {"provider": provider, "groups": among}, read)
    clock = Query(f"SELECT {clock_of(sqlite=sqlite)}", {}, lambda rows: int(rows[0][0]) * 1000)
    now, found = await ask_alone(db, [clock, of])
    return now, {group: found.get(group, Held(None)) for group in names}


async def exchange(db: Database, provider: str, changes: Mapping[str, tuple[Held, Level]]) -> set[str]:
    """Sets buckets to new levels where they are as they were read; gives the groups of those. A round trip.

    So no bucket, which all workers share, is locked while a message is under way.
    """
    statements: list[tuple[str, dict[str, Any]]] = []
    for group, (held, level) in sorted(changes.items()):  # in one order: two workers never wait for each other
        values = {"provider": provider, "domain_group": group, **_values(level)}
        before = {} if held.level is None else {f"{name}_before": one for name, one in _values(held.level).items()}
        statements.append((_EXCHANGE if before else _MAKE, {**values, **before}))
    return {str(group) for rows in await db.alone(statements) for (group,) in rows}


def _values(level: Level) -> dict[str, Any]:
    return {"full_at": level.full_at, "day": level.day.isoformat(), "used": level.used}


async def levels(session: Session) -> dict[str, Level]:
    """What is used of each provider, by its name."""
    rows = await session.execute(
        select(Bucket.provider, Bucket.full_at, Bucket.day, Bucket.used).where(Bucket.domain_group == WHOLE)
    )
    return {name: Level(full_at, day, used) for name, full_at, day, used in rows}
