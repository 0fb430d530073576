"""The settings that all processes share, version by version, and the hours that an edition of a date has by them.

A version applies from the next window on that begins after it was applied, so that what readers were promised stands.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.core.calendar import Hours, minute_of
from app.core.db import Session
from app.models import SharedSettings
from app.store.upsert import insert_ignoring

LOOKED_BACK = 50
"""Versions that are looked through, the newest: an edition of a date before all of them has the oldest one's hours."""


async def newest(session: Session) -> SharedSettings | None:
    """The version that processes must have; None where none is written down yet."""
    return await session.scalar(select(SharedSettings).order_by(SharedSettings.version.desc()).limit(1))


async def add(session: Session, version: int, settings: Mapping[str, Any], actor: str, now: datetime) -> bool:
    """Writes a version down; False where somebody else wrote one with that number first."""
    row = insert_ignoring(session, SharedSettings).values(
        version=version, applied_at=now, actor=actor, settings=dict(settings)
    )
    return await session.scalar(row.returning(SharedSettings.version)) is not None


async def hours_of(session: Session, day: date, otherwise: Hours) -> Hours:
    """The hours of the edition of `day`; `otherwise` where no settings are written down."""
    return next(
        (hours for applied_at, hours in await _versions(session) if applied_at <= hours.window(day).start), otherwise
    )


async def hours_at(session: Session, now: datetime, otherwise: Hours) -> Hours:
    """The hours by which the timetable goes at `now`: those of the edition whose date it is in their zone."""
    return next(
        (hours for applied_at, hours in await _versions(session) if applied_at <= hours.window(hours.today(now)).start),
        otherwise,
    )


async def _versions(session: Session) -> Sequence[tuple[datetime, Hours]]:
    """When each was applied, and its hours; the newest first. The oldest applies from the beginning."""
    rows = (
        await session.scalars(select(SharedSettings).order_by(SharedSettings.version.desc()).limit(LOOKED_BACK))
    ).all()
    found = [(row.applied_at, _hours(row.settings)) for row in rows]
    if found:
        found[-1] = (datetime.min.replace(tzinfo=rows[-1].applied_at.tzinfo), found[-1][1])
    return found


def _hours(settings: Mapping[str, Any]) -> Hours:
    return Hours(
        zone=ZoneInfo(settings["timezone"]),
        compose_at=time.fromisoformat(settings["compose_at"]),
        freeze_at=time.fromisoformat(settings["freeze_at"]),
        deliver_minute=minute_of(time.fromisoformat(settings["deliver_at"])),
        max_late=timedelta(seconds=settings["max_late"]),
    )
