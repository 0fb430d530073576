"""The paper's memory of trends: what stood on the charts of its editions, and what of it was printed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import delete, insert, select

from app.core.db import Session
from app.models import Edition, Listing
from app.models.content import EditionKind

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """A thing on a chart of one edition."""

    ref: str
    rank: int | None
    printed: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier editions say of a thing: on how many of their charts it stood, and on which first; how many

    printed it, which first, and under which name the last one did.
    """

    charted: int = 0
    charted_since: date | None = None
    printed: int = 0
    printed_since: date | None = None
    name: str = ""


async def replace_all(session: Session, edition_id: int, rows: Sequence[Listed]) -> None:
    """Lets `rows` be all that the edition lists."""
    await session.execute(delete(Listing).where(Listing.edition_id == edition_id))
    if rows:
        await session.execute(
            insert(Listing),
            [
                {"edition_id": edition_id, "ref": row.ref, "rank": row.rank, "printed": row.printed, "name": row.name}
                for row in rows
            ],
        )


async def memory(session: Session, refs: Collection[str], before: date) -> Mapping[str, Memory]:
    """What the editions that readers could see, dated before `before`, say of each of `refs`."""
    days: dict[tuple[str, date], tuple[bool, bool, str]] = {}
    ordered = sorted(refs)
    for first in range(0, len(ordered), _CHUNK):
        answer = await session.execute(
            select(Listing.ref, Edition.date, Listing.rank, Listing.printed, Listing.name)
            .join(Edition, Edition.id == Listing.edition_id)
            .where(
                Listing.ref.in_(ordered[first : first + _CHUNK]), Edition.frozen_at.is_not(None), Edition.date < before
            )
            .order_by(Edition.date, Edition.revision)
        )
        # A corrected edition stands in the place of the first print of its day.
        days |= {(ref, day): (rank is not None, printed, name) for ref, day, rank, printed, name in answer}
    found: dict[str, Memory] = {}
    for (ref, day), (charted, printed, name) in sorted(days.items()):
        found[ref] = _grown(found.get(ref, Memory()), day, charted=charted, printed=printed, name=name)
    return found


async def firsts(session: Session, since: date, before: date) -> list[tuple[date, str, str]]:
    """(day, ref, name) of whatever stood first on a chart of a daily from `since` until the day before `before`."""
    rows = await session.execute(
        select(Edition.date, Listing.ref, Listing.name)
        .join(Edition, Edition.id == Listing.edition_id)
        .where(
            Listing.rank == 1,
            Edition.kind == EditionKind.DAILY,
            Edition.frozen_at.is_not(None),
            Edition.date >= since,
            Edition.date < before,
        )
        .order_by(Edition.date, Edition.revision, Listing.ref)
    )
    return [(day, ref, name) for day, ref, name in rows]


def _grown(known: Memory, day: date, *, charted: bool, printed: bool, name: str) -> Memory:
    if charted:
        known = replace(known, charted=known.charted + 1, charted_since=known.charted_since or day)
    if printed:
        known = replace(known, printed=known.printed + 1, printed_since=known.printed_since or day, name=name)
    return known
