"""What an edition says while it may still change: a draft, its revision, and what is put into either."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import update

from app.core.db import Session
from app.core.errors import Conflict
from app.models import Edition
from app.models.content import EditionContent, EditionKind
from app.models.edits import Edits
from app.models.states import EditionStatus
from app.store import editions
from app.store.upsert import insert_ignoring

COMPOSABLE = (EditionStatus.DRAFT, EditionStatus.READY, EditionStatus.HELD)
"""It may still change."""


async def add(
    session: Session, *, day: date, number: int | None, salt: str, now: datetime, kind: EditionKind = EditionKind.DAILY
) -> None:
    """Writes an empty draft down; `numbers.deal` numbers one without a number. Changes nothing where that date has one
    of its kind already, or another edition the number: what is there then is asked for by `editions.of_day`.
    """
    await session.execute(
        insert_ignoring(session, Edition).values(
            kind=kind,
            date=day,
            revision=1,
            number=number,
            status=EditionStatus.DRAFT,
            reason="",
            subject="",
            preheader="",
            salt=salt,
            content=None,
            edits={},
            version=0,
            holds=0,
            content_hash="",
            composed_at=now,
        )
    )


async def add_revision(session: Session, of: Edition, salt: str, now: datetime) -> Edition | None:
    """Writes a draft down that takes the place of `of`, under its number; None where there is one already."""
    made = await session.scalar(
        insert_ignoring(session, Edition)
        .values(
            kind=of.kind,
            date=of.date,
            revision=of.revision + 1,
            number=of.number,
            status=EditionStatus.DRAFT,
            reason="",
            subject="",
            preheader="",
            salt=salt,
            content=None,
            edits=of.edits,
            version=0,
            holds=0,
            content_hash="",
            composed_at=now,
        )
        .returning(Edition.id)
    )
    return await editions.get(session, made) if made is not None else None


async def fill(
    session: Session,
    edition_id: int,
    content: EditionContent | None,
    content_hash: str,
    now: datetime,
    *,
    edits: Edits | None = None,
) -> None:
    """Puts content, and what operators asked for, into an edition that is not frozen; raises its version.

    An approval is taken back. Raises Conflict where it is frozen. The caller holds it (`editions.lock`).
    """
    values: dict[str, Any] = {
        "content": content.model_dump(mode="json") if content else None,
        "content_hash": content_hash,
        "subject": content.subject if content else "",
        "preheader": content.preheader if content else "",
        "composed_at": now,
        "approved_at": None,
        "version": Edition.version + 1,
    }
    if edits is not None:
        values["edits"] = edits.model_dump(mode="json", exclude_defaults=True)
    changed = await session.scalar(
        update(Edition)
        .where(Edition.id == edition_id, Edition.status.in_(COMPOSABLE))
        .values(**values)
        .returning(Edition.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        raise Conflict("The edition is frozen; it does not change any more.")


async def delete(session: Session, edition: Edition) -> bool:
    """Deletes an edition that was never frozen, at the version it was looked at; False where it is another by now.

    What it listed goes with it. The caller holds it (`editions.lock`).
    """
    gone = await session.scalar(
        sql_delete(Edition)
        .where(Edition.id == edition.id, Edition.version == edition.version, Edition.status.in_(COMPOSABLE))
        .returning(Edition.id)
        .execution_options(synchronize_session=False)
    )
    return gone is not None
