"""A firm's domain whose mail Google or Microsoft takes counts with theirs: found out of DNS, a little every day."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import structlog

from app.core.db import Database
from app.core.mail.mailboxes import OTHER, group_of
from app.stages.send.exchangers import Exchangers
from app.store import mail_domains
from app.store.mail_domains import Reader, domain_of

ASKED_AGAIN_AFTER = timedelta(days=30)
MOST_A_DAY = 2_000
"""Domains that DNS is asked about; a list with more of them takes some days."""
PAGE = 500

log = structlog.get_logger(__name__)


async def regroup(db: Database, exchangers: Exchangers, now: datetime, most: int = MOST_A_DAY) -> str:
    """Goes through all active readers; asks about domains that are new or were last asked about long ago.

    What DNS does not answer stays as it is. Nothing that is sent waits for it: a paper goes by the group that its
    reader had when it was released.
    """
    last, asked, moved = 0, 0, 0
    while readers := await _page(db, last):
        last = readers[-1].id
        foreign = [one for one in readers if group_of(one.address_key) == OTHER]
        domains = {domain_of(one.address_key) for one in foreign}
        async with db.read() as session:
            groups = await mail_domains.known(session, domains, now - ASKED_AGAIN_AFTER)
        new = sorted(domains - groups.keys())[: most - asked]
        asked += len(new)
        found = await _look_up(exchangers, new)
        moved += await _write(db, foreign, groups | found, found, now)
    async with db.write() as session:
        await mail_domains.prune(session, now - 2 * ASKED_AGAIN_AFTER)
    if moved:
        log.info("readers are counted with whoever keeps their domain's mail", readers=moved, asked=asked)
    return f"asked about {asked} domains, moved {moved} readers"


async def _page(db: Database, after: int) -> list[Reader]:
    async with db.read() as session:
        return await mail_domains.page(session, after, PAGE)


async def _look_up(exchangers: Exchangers, domains: Sequence[str]) -> dict[str, str]:
    answers = await asyncio.gather(*(exchangers.group(domain) for domain in domains))
    return {domain: group for domain, group in zip(domains, answers, strict=True) if group is not None}


async def _write(
    db: Database, readers: Iterable[Reader], groups: dict[str, str], found: dict[str, str], now: datetime
) -> int:
    wrong = [one for one in readers if groups.get(domain_of(one.address_key), one.domain_group) != one.domain_group]
    if not (wrong or found):
        return 0
    wrong.sort(key=lambda one: groups[domain_of(one.address_key)])
    async with db.write() as session:
        await mail_domains.keep(session, found, now)
        for group, some in groupby(wrong, key=lambda one: groups[domain_of(one.address_key)]):
            await mail_domains.regroup(session, list(some), group)
    return len(wrong)
