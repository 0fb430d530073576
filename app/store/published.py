"""Editions that anybody may read, for people: the front page, the archive and its pages. `archive` is for machines."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import undefer

from app.core.db import Session
from app.models import Edition, Variant
from app.models.content import EditionContent, EditionKind, Piece
from app.models.editions import VariantForm
from app.store.editions import PUBLIC, kind_and_day, slug_of

_NEWEST = (Edition.date.desc(), Edition.kind, Edition.id.desc())
"""The newest first; `daily` stands before `weekly` also in the alphabet."""


@dataclass(frozen=True, slots=True)
class PublishedEdition:
    """One line of the archive."""

    slug: str
    date: date
    number: int
    volume: int
    subject: str
    preheader: str
    minutes: int
    kind: EditionKind


async def listed(
    session: Session, limit: int, before: date | None = None, kind: EditionKind | None = None
) -> list[PublishedEdition]:
    """The editions anybody may read, the newest first, a date's daily before its weekly.

    `before` is the last date of the page before (keyset): ask for more than two, or a date may be cut in half.
    """
    query = (
        select(
            Edition.kind,
            Edition.date,
            Edition.number,
            Edition.content["volume"].as_integer(),
            Edition.subject,
            Edition.preheader,
            Edition.content["minutes"].as_integer(),
            Edition.kind,
        )
        .where(Edition.status.in_(PUBLIC))
        .order_by(*_NEWEST)
        .limit(limit)
    )
    if before is not None:
        query = query.where(Edition.date < before)
    if kind is not None:
        query = query.where(Edition.kind == kind)
    rows = await session.execute(query)
    return [PublishedEdition(slug_of(row[0], row[1]), *row[1:]) for row in rows]


async def _of_slug(session: Session, slug: str) -> Edition | None:
    named = kind_and_day(slug)
    if named is None:
        return None
    kind, day = named
    return await session.scalar(
        select(Edition)
        .where(Edition.kind == kind, Edition.date == day, Edition.status.in_(PUBLIC))
        .order_by(Edition.revision.desc())
        .limit(1)
        .options(undefer(Edition.html))
    )


async def page(session: Session, slug: str, variant_hash: str | None) -> str | None:
    """The web page of a published edition; `variant_hash` picks the cut that was mailed, where it is one of ours."""
    edition = await _of_slug(session, slug)
    if edition is None:
        return None
    cuts = (
        await session.scalars(
            select(Variant)
            .where(Variant.edition_id == edition.id, Variant.form == VariantForm.WEB)
            .order_by(Variant.sections.desc())
        )
    ).all()
    named = [cut for cut in cuts if cut.hash == variant_hash]
    return (named or list(cuts))[0].body if cuts else None


async def front(session: Session) -> EditionContent | None:
    """The content of the latest published edition, the daily where a date has both."""
    content = await session.scalar(
        select(Edition.content).where(Edition.status.in_(PUBLIC)).order_by(*_NEWEST).limit(1)
    )
    return EditionContent.model_validate(content) if content else None


async def printed(session: Session, kind: EditionKind, since: date, before: date) -> list[tuple[date, Piece]]:
    """The pieces that readers of a kind could see from `since` until the day before `before`, in printed order."""
    rows = await session.execute(
        select(Edition.date, Edition.content)
        .where(Edition.kind == kind, Edition.date >= since, Edition.date < before, Edition.status.in_(PUBLIC))
        .order_by(Edition.date, Edition.revision)
    )
    # A corrected edition stands in the place of the first print of its day.
    newest: dict[date, dict[str, Any]] = dict(rows.all())
    return [(day, piece) for day, content in newest.items() for piece in EditionContent.model_validate(content).pieces]
