"""Editions, and the states that they move through. `drafts` writes what they say, `published` shows it to anybody."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, select, update

from app.core.db import Session
from app.models import Edition, Variant
from app.models.content import EditionKind
from app.models.editions import VariantForm
from app.models.states import EditionStatus, allowed
from app.store.moves import move as _move
from app.store.statements import cached
from app.store.upsert import insert_ignoring

PUBLIC = (EditionStatus.SENDING, EditionStatus.PAUSED, EditionStatus.SENT, EditionStatus.PARTIALLY_SENT)
OPEN = (EditionStatus.FROZEN, EditionStatus.SENDING)

# Read at the head of every group of a hand-over.
_STATUS = "SELECT status FROM editions WHERE id = :edition"


def slug_of(kind: EditionKind, day: date) -> str:
    """An edition's name in URLs: the date; of another kind than the daily one, the date and the kind."""
    return day.isoformat() if kind is EditionKind.DAILY else f"{day.isoformat()}-{kind.value}"


def kind_and_day(slug: str) -> tuple[EditionKind, date] | None:
    """What `slug_of` made `slug` of; None for what it never makes."""
    try:
        day = date.fromisoformat(slug[:10])
    except ValueError:
        return None
    return next(((kind, day) for kind in EditionKind if slug_of(kind, day) == slug), None)


async def get(session: Session, edition_id: int) -> Edition | None:
    return await session.get(Edition, edition_id, populate_existing=True)


async def is_sending(session: Session, edition_id: int) -> bool:
    """Has nobody paused, cancelled or ended it?"""
    status: str | None = await session.scalar(cached(_STATUS), {"edition": edition_id})
    return status == EditionStatus.SENDING.value


async def has_ended(session: Session, edition_id: int) -> bool:
    """Is nothing of it begun any more, unless an operator tries it again?"""
    status: str | None = await session.scalar(cached(_STATUS), {"edition": edition_id})
    return status in (EditionStatus.SENT.value, EditionStatus.PARTIALLY_SENT.value)


async def of_day(session: Session, day: date, kind: EditionKind = EditionKind.DAILY) -> Edition | None:
    """The newest revision of a date's edition."""
    return await session.scalar(
        select(Edition)
        .where(Edition.kind == kind, Edition.date == day)
        .order_by(Edition.revision.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


async def on(session: Session, day: date) -> list[Edition]:
    """The newest revision of each kind that a date has, the daily first."""
    found = [await of_day(session, day, kind) for kind in EditionKind]
    return [one for one in found if one is not None]


async def newest(session: Session, limit: int, before: int | None) -> Sequence[Edition]:
    """A page of editions, the newest first; `before` is the last id of the page before (keyset)."""
    query = select(Edition).order_by(Edition.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Edition.id < before)
    return (await session.scalars(query)).all()


async def in_state(session: Session, states: Sequence[EditionStatus]) -> Sequence[Edition]:
    """Every edition in one of `states`, the oldest first."""
    return (await session.scalars(select(Edition).where(Edition.status.in_(states)).order_by(Edition.id))).all()


async def next_number(session: Session) -> int:
    """The number after the last one given."""
    return ((await session.scalar(select(func.max(Edition.number)))) or 0) + 1


async def first_day(session: Session) -> date | None:
    """The date of the first edition ever: the paper's founding."""
    return await session.scalar(select(func.min(Edition.date)))


async def last_subject(session: Session, before: date, kind: EditionKind = EditionKind.DAILY) -> str | None:
    """The subject of the edition of its kind before `before`."""
    return await session.scalar(
        select(Edition.subject)
        .where(Edition.kind == kind, Edition.date < before)
        .order_by(Edition.date.desc(), Edition.revision.desc())
        .limit(1)
    )


async def move(session: Session, edition_id: int, from_: EditionStatus, to: EditionStatus, reason: str) -> bool:
    """Moves an edition along an edge; False where it was not in `from_`."""
    return bool(await _move(session, Edition, [edition_id], from_, to, reason=reason[:400]))


async def hold(session: Session, edition_id: int, from_: EditionStatus, content_hash: str, reason: str) -> int | None:
    """Holds an edition whose content is the one that was looked at, and counts the hold.

    Gives which hold of it this is; None where it is not in `from_`, or its content is another. Call `holding.hold`.
    """
    assert allowed(from_, EditionStatus.HELD)
    return await session.scalar(
        update(Edition)
        .where(Edition.id == edition_id, Edition.status == from_, Edition.content_hash == content_hash)
        .values(status=EditionStatus.HELD, reason=reason[:400], holds=Edition.holds + 1)
        .returning(Edition.holds)
        .execution_options(synchronize_session=False)
    )


async def explain(session: Session, edition_id: int, status: EditionStatus, reason: str) -> None:
    """Says anew why an edition is in a state, if it still is."""
    await session.execute(
        update(Edition)
        .where(Edition.id == edition_id, Edition.status == status)
        .values(reason=reason[:400])
        .execution_options(synchronize_session=False)
    )


async def cancel(session: Session, edition_id: int, from_: EditionStatus, reason: str, now: datetime) -> bool:
    """Cancels an edition; False where it was not in `from_`."""
    to = EditionStatus.CANCELLED
    return bool(await _move(session, Edition, [edition_id], from_, to, reason=reason[:400], ended_at=now))


async def end(session: Session, edition_id: int, to: EditionStatus, reason: str, now: datetime) -> bool:
    """Ends an edition that is sending; False where somebody else did, or paused it."""
    return bool(
        await _move(session, Edition, [edition_id], EditionStatus.SENDING, to, reason=reason[:400], ended_at=now)
    )


async def approve(session: Session, edition_id: int, now: datetime) -> bool:
    """Lets a ready edition be frozen when APPROVAL is manual; False where it is not ready."""
    changed = await session.scalar(
        update(Edition)
        .where(Edition.id == edition_id, Edition.status == EditionStatus.READY)
        .values(approved_at=func.coalesce(Edition.approved_at, now))
        .returning(Edition.id)
        .execution_options(synchronize_session=False)
    )
    return changed is not None


async def freeze(session: Session, edition_id: int, *, content_hash: str, html: str, text: str, now: datetime) -> bool:
    """Freezes a ready edition whose content is still the one that was rendered; False where it is not."""
    changed = await session.scalar(
        update(Edition)
        .where(Edition.id == edition_id, Edition.status == EditionStatus.READY, Edition.content_hash == content_hash)
        .values(status=EditionStatus.FROZEN, reason="", html=html, text=text, frozen_at=now)
        .returning(Edition.id)
        .execution_options(synchronize_session=False)
    )
    return changed is not None


async def bodies(session: Session, edition_id: int) -> tuple[str, str] | None:
    """The frozen HTML and text of a whole edition, with their marks."""
    row = (await session.execute(select(Edition.html, Edition.text).where(Edition.id == edition_id))).one_or_none()
    return (row[0], row[1]) if row and row[0] is not None and row[1] is not None else None


async def add_variant(
    session: Session, *, edition_id: int, sections: int, form: VariantForm, body: str, body_hash: str
) -> None:
    """Keeps a cut. Two workers that need it at once write the same bytes: the second changes nothing."""
    await session.execute(
        insert_ignoring(session, Variant).values(
            edition_id=edition_id, sections=sections, form=form, body=body, hash=body_hash
        )
    )
