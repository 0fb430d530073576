"""What is too late is given up also where nobody comes by to hand it over: the counts say so, and an edition ends."""

import random
from datetime import datetime

from app.core.db import Database
from app.core.settings import Settings
from app.models.states import EditionStatus
from app.stages.send import policy, release
from app.store import editions, lapsed

_chance = random.random


async def lapse(db: Database, settings: Settings, now: datetime) -> int:
    """Of editions that are over, while every provider rests or they are paused; gives how many shards that were.

    Where mail is handed over, whoever takes a shard does it. Safe to repeat, and in two places.
    """
    async with db.read() as session:
        going = await editions.in_state(session, (EditionStatus.SENDING, EditionStatus.PAUSED))
    shards = 0
    for edition in going:
        over = (await release.hours_of(db, edition, settings)).is_over(edition.date, now)
        while over and await _shard(db, edition.id, settings, now):
            shards += 1
    return shards


async def _shard(db: Database, edition_id: int, settings: Settings, now: datetime) -> bool:
    async with db.write() as session:
        until = policy.unknown_until(now, _chance())
        return await lapsed.lapse_shard(session, edition_id, until, now, resend=settings.on_unknown == "resend")
