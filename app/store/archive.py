"""Editions that anybody may read, for machines: the feed, the site map, one edition by its slug.

Of several revisions of one date only the newest stands.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import aliased

from app.core.db import Session
from app.models import Edition
from app.models.content import EditionContent, EditionKind
from app.store.editions import PUBLIC, kind_and_day, slug_of


@dataclass(frozen=True, slots=True)
class Printed:
    """A published edition. `digest` names its content (64 hexadecimal digits), `at` is when it was frozen, in UTC."""

    slug: str
    date: date
    digest: str
    at: datetime


def _standing() -> ColumnElement[bool]:
    """Published, and not replaced. One look into the unique index of (kind, date, revision) a row."""
    later = aliased(Edition)
    newer = (later.kind == Edition.kind, later.date == Edition.date, later.revision > Edition.revision)
    return and_(
        Edition.status.in_(PUBLIC), Edition.frozen_at.is_not(None), ~exists().where(*newer, later.status.in_(PUBLIC))
    )


_HEAD = (Edition.kind, Edition.date, Edition.content_hash, Edition.frozen_at)


async def newest(session: Session, limit: int) -> list[tuple[Printed, EditionContent]]:
    """The latest editions with their content, the newest first."""
    rows = await session.execute(
        select(*_HEAD, Edition.content).where(_standing()).order_by(Edition.date.desc(), Edition.id.desc()).limit(limit)
    )
    return [(_printed(*row[:4]), EditionContent.model_validate(row[4])) for row in rows]


async def count(session: Session) -> tuple[int, datetime | None]:
    """How many editions there are, and when the last of them was frozen."""
    row = (await session.execute(select(func.count(), func.max(Edition.frozen_at)).where(_standing()))).one()
    return row[0], row[1]


async def listed(session: Session, limit: int, skip: int = 0) -> list[Printed]:
    """Editions by date, the oldest first: the pages of a site map stay as they are when a new edition comes."""
    rows = await session.execute(
        select(*_HEAD).where(_standing()).order_by(Edition.date, Edition.id).limit(limit).offset(skip)
    )
    return [_printed(*row) for row in rows]


async def find(session: Session, slug: str) -> tuple[Printed, EditionContent] | None:
    """The published edition of that name."""
    named = kind_and_day(slug)
    if named is None:
        return None
    row = (
        await session.execute(
            select(*_HEAD, Edition.content).where(_standing(), Edition.kind == named[0], Edition.date == named[1])
        )
    ).one_or_none()
    return (_printed(*row[:4]), EditionContent.model_validate(row[4])) if row else None


def _printed(kind: EditionKind, day: date, digest: str, at: datetime | None) -> Printed:
    assert at is not None  # `_standing` asks for it
    return Printed(slug_of(kind, day), day, digest, at)
