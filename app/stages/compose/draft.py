"""Puts an edition together from what is stored: stories, charts, movers. Runs again until the freeze."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import date, datetime

from app.core.calendar import volume_of
from app.core.db import Database, Session
from app.core.errors import Conflict, NotFound
from app.models import Edition, Story
from app.models.content import Chart, EditionContent, Movers, Piece, Section
from app.models.states import EditionStatus
from app.stages.compose import prose, trending, wording
from app.stages.compose.pick import Candidate, pick, shortage
from app.store import editions, listings, stories

COMPOSABLE = (EditionStatus.DRAFT, EditionStatus.READY, EditionStatus.HELD)


@dataclass(frozen=True, slots=True)
class Composed:
    """What came of it. `reason` says why an edition is held."""

    edition_id: int
    status: EditionStatus
    reason: str


async def compose(db: Database, day: date, now: datetime) -> Composed:
    """Composes the edition of `day`: `ready` where there is enough for a paper, else `held`.

    Composing again replaces the content, and takes back an approval. Raises Conflict once it is frozen.
    """
    async with db.write() as session:
        edition = await _draft(session, day, now)
    async with db.read() as session:
        content, reason, listed = await _content(session, edition, now)
    async with db.write() as session:
        if not await editions.fill(session, edition.id, content, content_hash(content), now):
            raise Conflict(f"The edition of {day} was frozen a moment ago; it does not change any more.")
        await listings.replace_all(session, edition.id, listed)
        status = await _settle(session, edition.id, reason)
    return Composed(edition.id, status, reason)


def content_hash(content: EditionContent | None) -> str:
    """SHA-256 of the content as canonical JSON; empty for no content."""
    if content is None:
        return ""
    text = json.dumps(content.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


async def _draft(session: Session, day: date, now: datetime) -> Edition:
    edition = await editions.of_day(session, day)
    if edition is None:
        number = await editions.next_number(session)
        await editions.add_draft(session, day=day, number=number, salt=secrets.token_hex(16), now=now)
        edition = await editions.of_day(session, day)
    if edition is None:
        raise Conflict("Another edition took this number at the same moment; compose again.")
    if edition.status not in COMPOSABLE:
        raise Conflict(f"The edition of {day} is {edition.status.value}; it does not change any more.")
    return edition


async def _settle(session: Session, edition_id: int, reason: str) -> EditionStatus:
    wanted = EditionStatus.HELD if reason else EditionStatus.READY
    edition = await editions.get(session, edition_id)
    if edition is None:
        raise NotFound("The edition is gone.")
    if edition.status is not wanted:
        await editions.move(session, edition_id, edition.status, wanted, reason)
    return wanted


async def _content(
    session: Session, edition: Edition, now: datetime
) -> tuple[EditionContent | None, str, tuple[listings.Listed, ...]]:
    counted = await trending.trending(session, now, edition.date)
    found = {story.id: story for story in await stories.printable(session, edition.date)}
    chosen = pick((Candidate(story.id, story.section, story.publish_on) for story in found.values()), edition.date)
    reason = shortage(chosen, [Section.TRENDING] if counted.charts else [])
    if not chosen[Section.LEAD]:
        return None, reason, counted.listed
    pieces = {section: tuple(_piece(found[story_id]) for story_id in ids) for section, ids in chosen.items()}
    founded = await editions.first_day(session) or edition.date
    yesterday = await editions.last_subject(session, edition.date)
    volume = volume_of(edition.date, min(founded, edition.date))
    return _paper(edition, pieces, counted.charts, counted.movers, volume, yesterday), reason, counted.listed


def _paper(
    edition: Edition,
    pieces: dict[Section, tuple[Piece, ...]],
    charts: tuple[Chart, ...],
    movers: Movers | None,
    volume: int,
    yesterday: str | None,
) -> EditionContent:
    lead = pieces[Section.LEAD][0]
    flat = [piece for section in pieces.values() for piece in section]
    rows = [row.name + " " + row.detail for chart in charts for row in chart.rows]
    total = prose.minutes(*(f"{one.headline} {one.standfirst} {one.body_text}" for one in flat), *rows)
    others = [one.headline for one in (*pieces[Section.DEEP_DIVE], *pieces[Section.OPINION], *pieces[Section.WEEKEND])]
    return EditionContent(
        date=edition.date,
        volume=volume,
        number=edition.number,
        minutes=total,
        subject=wording.subject(lead.headline, yesterday),
        preheader=wording.preheader(lead.standfirst or lead.body_text, others, total),
        lead=lead,
        deep_dive=next(iter(pieces[Section.DEEP_DIVE]), None),
        opinion=pieces[Section.OPINION],
        tools=pieces[Section.TOOLS],
        charts=charts,
        movers=movers,
        weekend=pieces[Section.WEEKEND],
    )


def _piece(story: Story) -> Piece:
    body = prose.to_html(story.body)
    words = prose.to_text(body)
    return Piece(
        story_id=story.id,
        section=story.section,
        headline=story.headline,
        standfirst=story.standfirst,
        body=body,
        body_text=words,
        byline=story.byline,
        source=story.source,
        url=story.url,
        minutes=story.minutes or prose.minutes(story.standfirst, words),
    )
