"""The freeze: an edition is rendered once, with all its sections, and never changes again."""

import asyncio
from datetime import datetime

import structlog

from app.core.db import Database
from app.core.errors import Conflict, NotFound
from app.core.settings import Publication
from app.models.content import ALL_SECTIONS, EditionContent
from app.models.editions import VariantForm
from app.models.states import EditionStatus
from app.stages.render import charts, mjml, text, variants
from app.store import editions, pictures, stories

log = structlog.get_logger(__name__)


def mark_of(salt: str) -> str:
    """The random word that tells this edition's slots from anything a story may say."""
    return salt[:12]


async def freeze(db: Database, edition_id: int, publication: Publication, now: datetime) -> None:
    """Renders and freezes a ready edition; freezing a frozen one does nothing.

    Raises NotFound, and Conflict where the edition is not ready or was composed again meanwhile.
    """
    async with db.read() as session:
        edition = await editions.get(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    if edition.frozen_at is not None:
        return
    if edition.status is not EditionStatus.READY:
        why = f": {edition.reason}" if edition.reason else "."
        raise Conflict(f"The edition of {edition.date} is {edition.status.value} and cannot be frozen{why}")
    content = EditionContent.model_validate(edition.content)
    slug, mark = editions.slug_of(edition.kind, edition.date), mark_of(edition.salt)
    html, words = await asyncio.gather(
        asyncio.to_thread(mjml.edition_html, content, publication, slug, mark),
        asyncio.to_thread(text.edition_text, content, publication, slug, mark),
    )
    page = variants.cut(html, content.present, VariantForm.WEB)
    async with db.write() as session:
        if not await editions.freeze(
            session, edition_id, content_hash=edition.content_hash, html=html, text=words, now=now
        ):
            again = await editions.get(session, edition_id)
            if again is not None and again.frozen_at is not None:
                return  # somebody else froze the same content a moment ago
            raise Conflict(f"The edition of {edition.date} was changed while it was rendered; freeze it again.")
        await pictures.keep(session, charts.of_content(content))
        await stories.mark_printed(session, [piece.story_id for piece in content.pieces], edition_id)
        await editions.add_variant(
            session,
            edition_id=edition_id,
            sections=ALL_SECTIONS,
            form=VariantForm.WEB,
            body=page,
            body_hash=variants.hash_of(page),
        )
    log.info("the edition is frozen", edition=edition_id, date=str(edition.date), html_bytes=len(html.encode()))
