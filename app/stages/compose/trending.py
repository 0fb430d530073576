"""Reads the stored trends that an edition prints, and what the paper remembers of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from app.core.db import Session
from app.models.content import Chart, Movers
from app.models.counts import TrendKind, TrendSource
from app.stages.compose.standing import Past
from app.stages.compose.trends import OLDEST, Stored, charts, listings, movers, refs
from app.stages.compose.why import RECENT, Reason, Talk, reason
from app.store import counts, sightings, trends
from app.store import listings as memories
from app.store.listings import Listed
from app.store.sightings import Seen

_REPOSITORY = "https://github.com/"
"""Before a repository's name in lower case: the address that whatever is found about it is kept under."""


@dataclass(frozen=True, slots=True)
class Trending:
    """What is printed, and what the edition remembers of today's charts."""

    charts: tuple[Chart, ...]
    movers: Movers | None
    listed: tuple[Listed, ...]


async def trending(session: Session, now: datetime, day: date) -> Trending:
    """Charts and movers of the edition of `day` as they can be printed at `now`; what is missing or too old is out."""
    stored = await trends.latest(session, now - OLDEST)
    past = await past_of(session, stored, now, day)
    found, moved = charts(stored, now, past), movers(stored, now, past)
    printed = [row for chart in found for row in chart.rows]
    printed_movers = [*moved.rows, *moved.new] if moved else []
    return Trending(found, moved, listings(stored, [*printed, *printed_movers], now))


async def past_of(session: Session, stored: Stored, now: datetime, day: date) -> Past:
    """What the editions before `day` say of everything in `stored`, and why it moves as far as is known at `now`."""
    return Past(day, await memories.memory(session, refs(stored).keys(), day), await _reasons(session, stored, now))


async def _reasons(session: Session, stored: Stored, now: datetime) -> Mapping[str, Reason]:
    """Why repositories move, by ref."""
    source, kind = TrendSource.GITHUB, TrendKind.REPOSITORY
    rows = {ref: row for ref, (whose, what, row) in refs(stored).items() if (whose, what) == (source, kind)}
    papers = await counts.papers_about(session, {row.name.lower() for row in rows.values()}, (now - RECENT).date())
    notes = await counts.notes(session, source, kind, {row.external_id for row in rows.values()}, now - RECENT)
    talks = await sightings.discussions(
        session, {_REPOSITORY + row.name.lower() for row in rows.values()}, now - RECENT
    )
    found = {
        ref: reason(
            papers.get(row.name.lower()),
            notes.get(row.external_id, ()),
            now,
            _talk(talks.get(_REPOSITORY + row.name.lower())),
        )
        for ref, row in rows.items()
    }
    return {ref: one for ref, one in found.items() if one is not None}


def _talk(seen: Seen | None) -> Talk | None:
    if seen is None:
        return None
    return Talk(seen.source.name, seen.row.points or 0, seen.row.comments or 0, seen.row.discussion)
