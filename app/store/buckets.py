"""Tokens that all workers share. Each deed is a tiny transaction of its own, which holds one row."""

from datetime import date

from sqlalchemy import literal_column, select, update

from app.core.db import Session, lease_clock
from app.core.mail.tokens import Grant, Level, Limits, give_back, take
from app.models import Bucket
from app.store.upsert import insert_ignoring

WHOLE = ""
"""The domain group that stands for a provider as a whole."""


async def instant(session: Session) -> int:
    """Microseconds since 1970 on the database's clock: workers on several machines share it."""
    return int((await session.scalars(select(literal_column(lease_clock(session))))).one()) * 1000


async def reserve(
    session: Session,
    provider: str,
    limits: Limits,
    *,
    most: int,
    unused: int,
    now: int,
    today: date,
    service: bool,
    domain_group: str = WHOLE,
) -> Grant:
    """Gives back `unused` tokens that the caller has left over, and takes up to `most`."""
    level = give_back(await _locked(session, provider, domain_group, now, today), limits, unused)
    grant = Grant(0)
    if most > 0:
        level, grant = take(level, limits, most, now, today, service=service)
    await session.execute(
        update(Bucket)
        .where(Bucket.provider == provider, Bucket.domain_group == domain_group)
        .values(full_at=level.full_at, day=level.day, used=level.used)
        .execution_options(synchronize_session=False)
    )
    return grant


async def _locked(session: Session, provider: str, domain_group: str, now: int, today: date) -> Level:
    """The bucket, held until the transaction ends; a new one is full."""
    asked = (
        select(Bucket.full_at, Bucket.day, Bucket.used)
        .where(Bucket.provider == provider, Bucket.domain_group == domain_group)
        .with_for_update()
    )
    found = (await session.execute(asked)).one_or_none()
    if found is None:
        await session.execute(
            insert_ignoring(session, Bucket).values(
                provider=provider, domain_group=domain_group, full_at=now, day=today, used=0
            )
        )
        found = (await session.execute(asked)).one()
    return Level(*found)


async def levels(session: Session) -> dict[str, Level]:
    """What is used of each provider, by its name."""
    rows = await session.execute(
        select(Bucket.provider, Bucket.full_at, Bucket.day, Bucket.used).where(Bucket.domain_group == WHOLE)
    )
    return {name: Level(full_at, day, used) for name, full_at, day, used in rows}
