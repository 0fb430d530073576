"""How many bytes the mail of an edition has, and each of its sections: composing asks before it settles on stories."""

import asyncio
import secrets
from collections.abc import Mapping
from html import escape

from app.core.mail.template import Pieces
from app.core.publication import Publication
from app.models.content import EditionContent, Section
from app.models.editions import VariantForm
from app.stages.render import preview, variants
from app.stages.render.mjml import edition_html
from app.store.editions import slug_of


async def weigh(content: EditionContent, publication: Publication) -> tuple[int, Mapping[Section, int]] | None:
    """Bytes of the HTML with all sections, as lint counts them, and what each section that has anything takes of them.

    None for what the press refuses: it has no page.
    """
    try:
        return await asyncio.to_thread(_weigh, content, publication)
    except ValueError:
        return None


def _weigh(content: EditionContent, publication: Publication) -> tuple[int, Mapping[Section, int]]:
    mark = secrets.token_hex(8)
    html = edition_html(content, publication, slug_of(content.kind, content.date), mark)
    values = {name: escape(value) for name, value in preview.neutral(publication, content).items()}

    def of(sections: frozenset[Section]) -> int:
        return len(Pieces.cut(variants.cut(html, sections, VariantForm.HTML), mark).fill(values).encode())

    whole = of(variants.EVERYTHING)
    return whole, {one: whole - of(variants.EVERYTHING - {one}) for one in content.present}
