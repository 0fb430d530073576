"""Lays the paper out: which stories, charts and movers stand in it, its subject, preheader and minutes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.calendar import volume_of
from app.core.db import Session
from app.models import Edition
from app.models.content import Chart, EditionContent, EditionKind, Movers, Piece, Section
from app.models.edits import Edits
from app.stages.compose import prose, week, wording
from app.stages.compose.pick import ALSO, Wishes, left_over, pick, shortage, shortage_of_week
from app.stages.compose.pieces import desk
from app.stages.compose.trending import Trending, trending
from app.store import editions, listings

Pieces = dict[Section, tuple[Piece, ...]]


@dataclass(frozen=True, slots=True)
class Laid:
    """What is printed, if there is a lead; why it is too little, if it is; and what the edition remembers of charts."""

    content: EditionContent | None
    shortage: str
    listed: tuple[listings.Listed, ...] = ()


async def lay_out(session: Session, edition: Edition, edits: Edits, now: datetime) -> Laid:
    """The edition as the stored rows, and what operators asked of it, make it at `now`."""
    counted = await trending(session, now, edition.date)
    if edition.kind is EditionKind.WEEKLY:
        return await _lay_out_week(session, edition, edits, counted, now)
    table = await desk(session, edition.date, now, [one for ids in edits.pinned.values() for one in ids])
    chosen = pick(table.candidates, edition.date, Wishes(edits.pinned, edits.removed))
    short = shortage(chosen, [Section.TRENDING] if counted.charts else [])
    if not chosen[Section.LEAD]:
        return Laid(None, short, counted.listed)
    pieces = {
        section: tuple(table.piece(one.id, section, one.reason) for one in picks) for section, picks in chosen.items()
    }
    made = await paper(session, edition, pieces, counted.charts, counted.movers, edits)
    return Laid(made, short, counted.listed)


async def _lay_out_week(session: Session, edition: Edition, edits: Edits, counted: Trending, now: datetime) -> Laid:
    """The weekly of a Saturday: what its week printed, then what waits. What the charts were the daily remembers."""
    pinned = {one for ids in edits.pinned.values() for one in ids}
    table = await desk(session, edition.date, now, sorted(pinned))
    past = await week.week(session, edition.date)
    wishes = Wishes(edits.pinned, edits.removed)
    waiting = [one for one in table.candidates if one.id not in past.pieces and one.id not in past.before - pinned]
    candidates = [*past.candidates(pinned), *waiting]
    chosen = pick(candidates, edition.date, wishes)
    also = left_over(candidates, chosen, wishes, ALSO)
    short = shortage_of_week(chosen, also, past.pieces)
    if not chosen[Section.LEAD]:
        return Laid(None, short)
    pieces = {
        section: tuple((past if one.id in past.pieces else table).piece(one.id, section, one.reason) for one in picks)
        for section, picks in chosen.items()
    }
    charts = await week.led(session, counted.charts, edition.date)
    lines = tuple(past.line(one) for one in also)
    return Laid(await paper(session, edition, pieces, charts, counted.movers, edits, lines), short)


async def paper(
    session: Session,
    edition: Edition,
    pieces: Pieces,
    charts: tuple[Chart, ...],
    movers: Movers | None,
    edits: Edits,
    also: tuple[Piece, ...] = (),
) -> EditionContent:
    """The content of an edition with these pieces, whose first is its lead."""
    founded = await editions.first_day(session) or edition.date
    before = await editions.last_subject(session, edition.date, edition.kind)
    lead = pieces[Section.LEAD][0]
    total = minutes([*also, *(piece for several in pieces.values() for piece in several)], charts, movers)
    others = [piece.headline for piece in also] + [
        piece.headline
        for section in (Section.DEEP_DIVE, Section.OPINION, Section.WEEKEND, Section.TOOLS)
        for piece in pieces.get(section, ())
    ]
    subject = edits.subject or wording.subject(lead.headline, before, others)
    said = lead.standfirst or lead.body_text
    return EditionContent(
        kind=edition.kind,
        date=edition.date,
        volume=volume_of(edition.date, min(founded, edition.date)),
        number=edition.number,
        minutes=total,
        subject=subject,
        preheader=edits.preheader or wording.preheader(said, others, total, subject),
        lead=lead,
        deep_dive=next(iter(pieces.get(Section.DEEP_DIVE, ())), None),
        opinion=pieces.get(Section.OPINION, ()),
        tools=pieces.get(Section.TOOLS, ()),
        charts=charts,
        movers=movers,
        weekend=pieces.get(Section.WEEKEND, ()),
        also=also,
    )


def minutes(pieces: Sequence[Piece], charts: Sequence[Chart], movers: Movers | None) -> int:
    """How long the whole paper takes to read: its words, those of its charts and movers among them."""
    rows = [f"{row.name} {row.detail} {row.why}" for chart in charts for row in chart.rows]
    rows += [f"{row.name} {row.why}" for row in (*movers.rows, *movers.new)] if movers else []
    return prose.minutes(*(f"{one.headline} {one.standfirst} {one.body_text}" for one in pieces), *rows)
