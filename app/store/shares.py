"""Tokens and bars of groups of recipients' domains at a provider. All workers share them; several groups at once."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from sqlalchemy import bindparam, func, select, update

from app.core.db import Session
from app.core.mail.bars import BACK_AFTER, Bar, bar, pace
from app.core.mail.tokens import SECOND, Level, Limits, charge
from app.models import Bucket, DeliveryCount
from app.store.buckets import WHOLE
from app.store.upsert import insert_ignoring


async def count_in(
    session: Session, provider: str, rates: Mapping[str, float], sent: Mapping[str, int], *, now: int, today: date
) -> None:
    """Takes so many tokens of each group of `sent`, all at once, whether there are any or not; `rates` has them all."""
    levels = {}
    for group, (level, barred_until) in (await _locked(session, provider, sent, now, today)).items():
        limits = Limits(rate=pace(rates[group], now - barred_until))
        levels[group] = charge(level, limits, sent[group], now, today)
    await _write(session, provider, levels)


async def _write(session: Session, provider: str, levels: Mapping[str, Level]) -> None:
    rows = [
        {"group": group, "level": level.full_at, "of_day": level.day, "count": level.used}
        for group, level in levels.items()
    ]
    connection = await session.connection()
    await connection.execute(
        update(Bucket)
        .where(Bucket.provider == provider, Bucket.domain_group == bindparam("group"))
        .values(full_at=bindparam("level"), day=bindparam("of_day"), used=bindparam("count")),
        rows,
    )


async def _locked(
    session: Session, provider: str, groups: Collection[str], now: int, today: date
) -> dict[str, tuple[Level, int]]:
    """The groups' buckets and until when each is, or was, barred; in one order, held until the transaction ends.

    New ones are full.
    """
    asked = (
        select(Bucket.domain_group, Bucket.barred_until, Bucket.full_at, Bucket.day, Bucket.used)
        .where(Bucket.provider == provider, Bucket.domain_group.in_(sorted(groups)))
        .order_by(Bucket.domain_group)
        .with_for_update()
    )
    found = {row[0]: (Level(*row[2:]), row[1]) for row in await session.execute(asked)}
    if len(found) == len(groups):
        return found
    for group in sorted(set(groups) - found.keys()):
        await _make(session, provider, group, now, today)
    return {row[0]: (Level(*row[2:]), row[1]) for row in await session.execute(asked)}


async def _make(session: Session, provider: str, group: str, now: int, today: date) -> None:
    values = {"provider": provider, "domain_group": group, "full_at": now, "day": today, "used": 0}
    await session.execute(insert_ignoring(session, Bucket).values(**values))


async def bar_group(
    session: Session, provider: str, group: str, after: timedelta | None, *, now: int, today: date
) -> Bar:
    """A mailbox provider has told us to slow down: nothing is begun for it for `after`, or longer each time."""
    await _make(session, provider, group, now, today)
    here = (Bucket.provider == provider, Bucket.domain_group == group)
    row = (await session.execute(select(Bucket.barred_until, Bucket.bars).where(*here).with_for_update())).one()
    made = bar(Bar(*row), after, now)
    await session.execute(
        update(Bucket)
        .where(*here)
        .values(barred_until=made.until, bars=made.times)
        .execution_options(synchronize_session=False)
    )
    return made


async def slowed(session: Session, provider: str, now: int) -> dict[str, int]:
    """Until when each group is barred at a provider, or was, of those that have not come back to their rate."""
    return not_back(await ever_barred(session, provider), now)


async def ever_barred(session: Session, provider: str) -> dict[str, int]:
    """Until when each group was barred at a provider, of those that ever were."""
    rows = await session.execute(
        select(Bucket.domain_group, Bucket.barred_until).where(
            Bucket.provider == provider, Bucket.domain_group != WHOLE, Bucket.barred_until > 0
        )
    )
    return {str(group): int(until) for group, until in rows}


def not_back(barred: Mapping[str, int], now: int) -> dict[str, int]:
    """Those of them that have not come back to their rate."""
    return {group: until for group, until in barred.items() if until > now - BACK_AFTER}


async def all_barred(session: Session, now: int) -> list[tuple[str, str, float]]:
    """Provider, group and for how many seconds more it is barred."""
    rows = await session.execute(
        select(Bucket.provider, Bucket.domain_group, Bucket.barred_until)
        .where(Bucket.barred_until > now)
        .order_by(Bucket.provider, Bucket.domain_group)
    )
    return [(provider, group, (until - now) / SECOND) for provider, group, until in rows]


async def owed(session: Session, edition_id: int, groups: Collection[str]) -> dict[str, int]:
    """How many papers of an edition wait for each of `groups`, of those that any waits for."""
    waiting = func.sum(DeliveryCount.queued + DeliveryCount.deferred + DeliveryCount.unknown)
    rows = await session.execute(
        select(DeliveryCount.domain_group, waiting)
        .where(DeliveryCount.edition_id == edition_id, DeliveryCount.domain_group.in_(sorted(groups)))
        .group_by(DeliveryCount.domain_group)
    )
    return {group: int(count) for group, count in rows if count > 0}
