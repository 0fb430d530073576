"""Puts an edition together from what is stored: stories, charts, movers. Runs again until the freeze."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import date, datetime

from app.core.db import Database, Session
from app.core.errors import Conflict, NotFound
from app.models import Edition
from app.models.content import EditionContent
from app.models.states import EditionStatus
from app.stages.compose.paper import lay_out
from app.store import editions, listings

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
        laid = await lay_out(session, edition, now)
    async with db.write() as session:
        if not await editions.fill(session, edition.id, laid.content, content_hash(laid.content), now):
            raise Conflict(f"The edition of {day} was frozen a moment ago; it does not change any more.")
        await listings.replace_all(session, edition.id, laid.listed)
        status = await _settle(session, edition.id, laid.shortage)
    return Composed(edition.id, status, laid.shortage)


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
