"""Numbers of editions: those of the papers that went out, without a gap, and after them those of near drafts by date.

The number of an edition that was never frozen is provisional. It is dealt anew whenever an edition is composed or
deleted, so that a draft that never goes out costs none; a stray one, whose date is far away, has none.
"""

from datetime import date, timedelta

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import aliased

from app.core.db import Session
from app.models import Edition
from app.models.content import EditionKind
from app.store.statements import cached, is_sqlite

NEAR = timedelta(days=14)
"""How far from today the date of an edition that is meant to go out may be."""
_DEALING = 0x6E756D62657273
"""The number of an advisory lock, of no meaning but its own."""


async def lock(session: Session) -> None:
    """Nobody else deals numbers before this transaction ends. Comes before every row lock of a transaction."""
    if not is_sqlite(session):
        await session.execute(cached("SELECT pg_advisory_xact_lock(:number)"), {"number": _DEALING})


async def deal(session: Session, today: date, *, next_is: int | None = None) -> None:
    """Gives the drafts within `NEAR` of `today` the numbers after the last frozen edition's, and the others none.

    Those of today and later come first, by date, the daily before the weekly; a past date's may never go out. `next_is`
    is the id of a draft that has the next number whatever its date. A correction has its edition's number, and keeps
    it. The caller holds no row of an edition that others may want.
    """
    await lock(session)
    found = await session.execute(
        select(Edition.id, Edition.date, Edition.kind, Edition.number)
        .where(Edition.frozen_at.is_(None), Edition.revision == 1)
        .order_by(Edition.id)
        .with_for_update()  # a number is part of a key
    )
    drafts = [(id_, day, kind, number) for id_, day, kind, number in found]
    # Read when they are locked: what was frozen until then is none of them, and counts.
    last = await session.scalar(select(func.max(Edition.number)).where(Edition.frozen_at.is_not(None))) or 0
    near = [one for one in drafts if abs(one[1] - today) <= NEAR or one[0] == next_is]
    near.sort(key=lambda one: (one[0] != next_is, one[1] < today, one[1], one[2] is not EditionKind.DAILY, one[0]))
    dealt = {one[0]: last + place for place, one in enumerate(near, 1)}
    changed = [id_ for id_, _, _, number in drafts if number != dealt.get(id_)]
    if not changed:
        return
    # In two steps, for no two may have one number even for a moment.
    await _set(session, changed, None)
    for id_ in changed:
        if id_ in dealt:
            await _set(session, [id_], dealt[id_])


async def take_next(session: Session, edition_id: int, today: date) -> None:
    """Puts a draft that is about to be frozen before those that have lower numbers; one without a number gets one.

    Theirs would be missing if they never went out. A correction keeps its number. The caller holds no edition's row.
    """
    await lock(session)
    lower = aliased(Edition)
    ahead = exists().where(lower.frozen_at.is_(None), lower.revision == 1, lower.number < Edition.number)
    behind = Edition.number.is_(None) | ahead
    wanted = select(Edition.id).where(
        Edition.id == edition_id, Edition.frozen_at.is_(None), Edition.revision == 1, behind
    )
    if await session.scalar(wanted) is not None:
        await deal(session, today, next_is=edition_id)


async def _set(session: Session, ids: list[int], number: int | None) -> None:
    await session.execute(
        update(Edition)
        .where(Edition.id.in_(ids), Edition.frozen_at.is_(None))
        .values(number=number)
        .execution_options(synchronize_session=False)
    )
