"""Editions, and the states that they move through. `drafts` writes what they say, `published` shows it to anybody."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update

from app.core.db import Session
from app.core.errors import Conflict, Stale
from app.models import Edition, Variant
from app.models.content import EditionContent, EditionKind, content_hash
from app.models.editions import VariantForm
from app.models.states import EditionStatus, allowed
from app.store.moves import move as _move
from app.store.statements import Query, ask, cached
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


def sending(edition_id: int) -> Query[bool]:
    """Has nobody paused, cancelled or ended it?"""
    wanted = EditionStatus.SENDING.value
    return Query(_STATUS, {"edition": edition_id}, lambda rows: [status for (status,) in rows] == [wanted])


async def is_sending(session: Session, edition_id: int) -> bool:
    """`sending` by itself."""
    return await ask(session, sending(edition_id))


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


def content_of(edition: Edition) -> EditionContent | None:
    """What stands in an edition, under the number that it has now; None while there is no lead."""
    if not edition.content:
        return None
    return EditionContent.model_validate(edition.content | {"number": edition.number})


async def next_number(session: Session) -> int:
    """The number after the last one given."""
    return ((await session.scalar(select(func.max(Edition.number)))) or 0) + 1


async def first_day(session: Session) -> date | None:
    """The date of the first edition that was ever frozen: the paper's founding."""
    return await session.scalar(select(func.min(Edition.date)).where(Edition.frozen_at.is_not(None)))


async def last_subject(session: Session, before: date, kind: EditionKind = EditionKind.DAILY) -> str | None:
    """The subject of the edition of its kind before `before`."""
    return await session.scalar(
        select(Edition.subject)
        .where(Edition.kind == kind, Edition.date < before)
        .order_by(Edition.date.desc(), Edition.revision.desc())
        .limit(1)
    )


async def lock(session: Session, edition_id: int) -> Edition | None:
    """The edition as it is now; nobody else changes it before this transaction ends.

    Whoever changes an edition's state decides on the row that this gives. On PostgreSQL it is held FOR NO KEY UPDATE,
    which lets rows that refer to it be written meanwhile; on SQLite the write transaction holds everything. A
    transaction that needs the other editions of the date takes `releases.lock_date` and not this one: two editions of
    a date are always locked in the order of their ids.
    """
    return await session.scalar(
        select(Edition)
        .where(Edition.id == edition_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


async def move(
    session: Session, edition_id: int, from_: EditionStatus, to: EditionStatus, reason: str, **values: Any
) -> None:
    """Moves an edition along an edge and sets `values`. Raises Conflict where it was not in `from_`.

    A caller that decided on a locked row never meets the Conflict; it is there so that nothing is answered as done
    that was not.
    """
    if not await _move(session, Edition, [edition_id], from_, to, reason=reason[:400], **values):
        raise Conflict(f"The edition is not {from_.value} any more; look at it again.")


async def hold(session: Session, edition: Edition, reason: str) -> int:
    """Holds an edition at the version it was looked at, and counts the hold; gives which hold of it this is.

    Raises Stale where it was changed since. Call `holding.hold`, which also tells the operators.
    """
    assert allowed(edition.status, EditionStatus.HELD)
    number: int | None = await session.scalar(
        _unchanged(edition)
        .values(status=EditionStatus.HELD, reason=reason[:400], holds=Edition.holds + 1, version=Edition.version + 1)
        .returning(Edition.holds)
    )
    if number is None:
        raise changed_since(edition)
    return number


async def explain(session: Session, edition_id: int, status: EditionStatus, reason: str) -> None:
    """Says anew why an edition is in a state, if it still is."""
    await session.execute(
        update(Edition)
        .where(Edition.id == edition_id, Edition.status == status)
        .values(reason=reason[:400])
        .execution_options(synchronize_session=False)
    )


async def approve(session: Session, edition: Edition, now: datetime) -> None:
    """Lets a ready edition be frozen when APPROVAL is manual, and raises its version. Raises Stale."""
    statement = _unchanged(edition).values(approved_at=now, version=Edition.version + 1).returning(Edition.id)
    if await session.scalar(statement) is None:
        raise changed_since(edition)


async def freeze(session: Session, edition: Edition, *, html: str, text: str, now: datetime) -> None:
    """Freezes a ready edition, which is still at the version that was rendered. Raises Stale where it is not.

    The version stands for its content, its approval and its holds: each of them raises it.
    """
    values: dict[str, Any] = {"html": html, "text": text, "frozen_at": now}
    if edition.content and edition.content.get("number") != edition.number:
        content = content_of(edition)  # it was composed under another number
        assert content is not None
        values |= {"content": content.model_dump(mode="json"), "content_hash": content_hash(content)}
    statement = (
        _unchanged(edition)
        .where(Edition.status == EditionStatus.READY)
        .values(status=EditionStatus.FROZEN, reason="", version=Edition.version + 1, **values)
        .returning(Edition.id)
    )
    if await session.scalar(statement) is None:
        raise changed_since(edition)


def _unchanged(edition: Edition) -> Any:
    """An UPDATE of an edition that is in the state and at the version in which it was looked at."""
    return (
        update(Edition)
        .where(Edition.id == edition.id, Edition.version == edition.version, Edition.status == edition.status)
        .execution_options(synchronize_session=False)
    )


def changed_since(edition: Edition) -> Stale:
    """The refusal to decide on what was changed since it was looked at."""
    return Stale(f"The edition of {edition.date} was changed since you last looked at it; look at it again.")


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
