"""Reads an edition as it is printed: the stored bodies once it is frozen, fresh ones before."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import date

from app.core.db import Database
from app.core.errors import Conflict, NotFound
from app.core.publication import Publication
from app.models.content import EditionContent
from app.stages.render.mjml import edition_html
from app.stages.render.text import edition_text
from app.store import editions


class Unprintable(ValueError):
    """The press refuses the edition of `date`: something in it would be fetched, or is no link."""

    def __init__(self, why: str, day: date) -> None:
        super().__init__(why)
        self.date = day


@dataclass(frozen=True, slots=True)
class Printed:
    """A whole edition; `html` and `text` have their marks and slots."""

    slug: str
    date: date
    subject: str
    content: EditionContent
    html: str
    text: str


async def frozen(db: Database, edition_id: int) -> Printed:
    """A frozen edition from its rows. Raises NotFound, and Conflict before the freeze."""
    found = await _stored(db, edition_id)
    if isinstance(found, Printed):
        return found
    raise Conflict(f"The edition of {found[1].date} is not frozen yet.")


async def printed(db: Database, edition_id: int, publication: Publication) -> Printed:
    """An edition as it is, or as it would be were it frozen now.

    Raises NotFound, Conflict for one without content, and Unprintable.

    An edition that is not frozen is rendered with a mark of its own, which nobody keeps.
    """
    found = await _stored(db, edition_id)
    if isinstance(found, Printed):
        return found
    slug, content = found
    mark = secrets.token_hex(8)
    html, text = await press(content, publication, slug, mark)
    return Printed(slug, content.date, content.subject, content, html, text)


async def press(content: EditionContent, publication: Publication, slug: str, mark: str) -> tuple[str, str]:
    """The whole edition as HTML and as text, with marks and slots. Raises Unprintable."""
    try:
        html, text = await asyncio.gather(
            asyncio.to_thread(edition_html, content, publication, slug, mark),
            asyncio.to_thread(edition_text, content, publication, slug, mark),
        )
    except ValueError as refusal:
        raise Unprintable(str(refusal), content.date) from refusal
    return html, text


async def _stored(db: Database, edition_id: int) -> Printed | tuple[str, EditionContent]:
    async with db.read() as session:
        edition = await editions.get(session, edition_id)
        bodies = await editions.bodies(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    if edition.content is None:
        raise Conflict(f"There is nothing to print on {edition.date} yet: {edition.reason}")
    slug, content = editions.slug_of(edition.kind, edition.date), editions.content_of(edition)
    assert content is not None
    if edition.frozen_at is None or bodies is None:
        return slug, content
    return Printed(slug, edition.date, edition.subject, content, *bodies)
