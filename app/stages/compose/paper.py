"""Lays the paper out: which stories, charts and movers stand in it, its subject, preheader and minutes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

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
_NAMED = (Section.DEEP_DIVE, Section.OPINION, Section.WEEKEND, Section.TOOLS)
"""Whose headlines the preheader names, in this order."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that an edition is printed from. `pieces` has a lead, `also` the other leads of a weekly."""

    kind: EditionKind
    day: date
    number: int | None
    founded: date
    """The date of the paper's first edition."""
    before: str | None
    """The subject of the edition before this one."""
    edits: Edits
    pieces: Pieces
    also: tuple[Piece, ...]
    charts: tuple[Chart, ...]
    movers: Movers | None

    @property
    def lengths(self) -> dict[Section, int]:
        """How many stories may be taken from each section; the lead itself is none of them."""
        return {section: len(several) for section, several in self.pieces.items()} | {Section.LEAD: len(self.also)}

    def without_last(self, section: Section) -> tuple["Sheet", Piece]:
        """The same without the last story of a section, and that story; of the lead's, the last of the other leads."""
        if section is Section.LEAD:
            return replace(self, also=self.also[:-1]), self.also[-1]
        several = self.pieces[section]
        return replace(self, pieces={**self.pieces, section: several[:-1]}), several[-1]

    def content(self) -> EditionContent:
        """The edition, with the subject, preheader and minutes that these pieces give it."""
        pieces, edits, lead = self.pieces, self.edits, self.pieces[Section.LEAD][0]
        total = minutes(
            [*self.also, *(one for several in pieces.values() for one in several)], self.charts, self.movers
        )
        others = [
            piece.headline
            for several in (self.also, *(pieces.get(section, ()) for section in _NAMED))
            for piece in several
        ]
        subject = edits.subject or wording.subject(lead.headline, self.before, others)
        said = lead.standfirst or lead.body_text
        return EditionContent(
            kind=self.kind,
            date=self.day,
            volume=volume_of(self.day, min(self.founded, self.day)),
            number=self.number,
            minutes=total,
            subject=subject,
            preheader=edits.preheader or wording.preheader(said, others, total, subject),
            lead=lead,
            deep_dive=next(iter(pieces.get(Section.DEEP_DIVE, ())), None),
            opinion=pieces.get(Section.OPINION, ()),
            tools=pieces.get(Section.TOOLS, ()),
            charts=self.charts,
            movers=self.movers,
            weekend=pieces.get(Section.WEEKEND, ()),
            also=self.also,
        )


@dataclass(frozen=True, slots=True)
class Laid:
    """What is printed, if there is a lead; why it is too little, if it is; and what the edition remembers of charts.

    `sheet` is what the content was made of, `note` what an operator is to know of it although it can be printed.
    """

    content: EditionContent | None
    shortage: str
    listed: tuple[listings.Listed, ...] = ()
    sheet: Sheet | None = None
    note: str = ""


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
    made = await _sheet(session, edition, edits, pieces, counted.charts, counted.movers)
    return Laid(made.content(), short, counted.listed, made)


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
    made = await _sheet(session, edition, edits, pieces, charts, counted.movers, tuple(past.line(one) for one in also))
    return Laid(made.content(), short, sheet=made)


async def _sheet(
    session: Session,
    edition: Edition,
    edits: Edits,
    pieces: Pieces,
    charts: tuple[Chart, ...],
    movers: Movers | None,
    also: tuple[Piece, ...] = (),
) -> Sheet:
    return Sheet(
        kind=edition.kind,
        day=edition.date,
        number=edition.number,
        founded=await editions.first_day(session) or edition.date,
        before=await editions.last_subject(session, edition.date, edition.kind),
        edits=edits,
        pieces=pieces,
        also=also,
        charts=charts,
        movers=movers,
    )


def minutes(pieces: Sequence[Piece], charts: Sequence[Chart], movers: Movers | None) -> int:
    """How long the whole paper takes to read: its words, those of its charts and movers among them."""
    rows = [f"{row.name} {row.detail} {row.why}" for chart in charts for row in chart.rows]
    rows += [f"{row.name} {row.why}" for row in (*movers.rows, *movers.new)] if movers else []
    return prose.minutes(*(f"{one.headline} {one.standfirst} {one.body_text}" for one in pieces), *rows)
