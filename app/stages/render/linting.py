"""Lints an edition as it is printed, or as it would be were it frozen now."""

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from app.core.db import Database
from app.core.mail.template import Pieces
from app.core.publication import Publication
from app.models.content import EditionContent
from app.models.editions import VariantForm
from app.stages.render import marks, mjml, preview, printed, variants
from app.stages.render.lint.links import outgoing
from app.stages.render.lint.problem import Problem, error, errors
from app.stages.render.lint.proof import Proof
from app.stages.render.lint.rules import lint
from app.store import links

LOOKED_UP_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Report:
    """What lint says of one edition; errors come first."""

    edition_id: int
    date: date
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> int:
        return len(errors(self.problems))

    @property
    def warnings(self) -> int:
        return len(self.problems) - self.errors


async def of_edition(db: Database, edition_id: int, publication: Publication, now: datetime) -> Report:
    """Raises NotFound, and Conflict where nothing is composed yet."""
    try:
        made = await printed.printed(db, edition_id, publication)
    except printed.Unprintable as refusal:
        return Report(edition_id, refusal.date, (unprintable(refusal),))
    proof = proof_of(made.content, publication, made.slug, made.html, made.text, now)
    return Report(edition_id, made.date, await problems_of(db, proof))


async def problems_of(db: Database, proof: Proof) -> tuple[Problem, ...]:
    """What every rule finds, by what is known of the links already: nothing is fetched."""
    urls = await asyncio.to_thread(outgoing, proof)
    async with db.read() as session:
        looked = await links.looked_up(session, urls, proof.now - LOOKED_UP_WITHIN)
    return await asyncio.to_thread(lint, replace(proof, looked=looked))


async def outgoing_of(db: Database, edition_id: int, publication: Publication, now: datetime) -> list[str]:
    """The addresses an edition links to; none for one that cannot be printed. Raises as `of_edition`."""
    try:
        made = await printed.printed(db, edition_id, publication)
    except printed.Unprintable:
        return []
    return outgoing(proof_of(made.content, publication, made.slug, made.html, made.text, now))


def proof_of(
    content: EditionContent, publication: Publication, slug: str, html: str, text: str, now: datetime
) -> Proof:
    """`html` and `text` are the whole edition with its marks."""
    mark = marks.mark_of(html)
    return Proof(
        content=content,
        publication=publication,
        source=mjml.edition_mjml(content, publication, slug, marks.Marker(mark, html=True)),
        html=Pieces.cut(variants.cut(html, variants.EVERYTHING, VariantForm.HTML), mark),
        text=Pieces.cut(variants.cut(text, variants.EVERYTHING, VariantForm.TEXT), marks.mark_of(text)),
        values=preview.neutral(publication, content),
        now=now,
    )


def unprintable(refusal: ValueError) -> Problem:
    """An edition that the press refuses has no page that other rules could look at."""
    said = str(refusal)
    return error("print", "edition", f"It cannot be printed: {said}.")
