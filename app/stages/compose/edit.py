"""What an operator decides about an edition before it is frozen. Nobody overwrites what they have not seen."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.core.db import Database, Session
from app.core.errors import Conflict, InvalidInput, NotFound
from app.core.numbers import LARGEST_ID, NoTruthValue
from app.core.settings import Settings
from app.core.text import LINE, is_clean
from app.models import Edition
from app.models.content import EditionKind, Section
from app.models.edits import Edits
from app.models.states import EditionStatus
from app.stages.compose.draft import put
from app.stages.compose.fit import Weigh, fitted
from app.stages.compose.paper import lay_out
from app.stages.compose.pick import QUOTAS
from app.stages.compose.stale import Seen, demand, stale
from app.stages.compose.week import week
from app.store import drafts, editions, holding, numbers, shared_settings, stories
from app.store.holding import Hold, Holder

Stories = Annotated[list[Annotated[int, Field(ge=0, le=LARGEST_ID), NoTruthValue]], Field(max_length=200)]
"""By id; far more than an edition has, and than one statement of SQLite takes."""
Line = Annotated[str, StringConstraints(strip_whitespace=True)]
Then = Callable[[Session, Edition], Awaitable[None]]
Remake = Callable[[Session, Edition, Edits], Awaitable[Edits]]


class Changes(BaseModel):
    """What to change; what is not named stays. An empty text or list gives the decision back to the paper."""

    model_config = ConfigDict(extra="forbid")

    subject: Annotated[Line, Field(max_length=120, json_schema_extra={"pattern": LINE})] | None = None
    preheader: Annotated[Line, Field(max_length=200, json_schema_extra={"pattern": LINE})] | None = None
    sections: dict[Section, Stories] = Field(
        {}, description="Stories by id that stand first in a section, in this order: reorders, replaces, pins."
    )
    remove: Stories = Field([], description="Stories that do not run in this edition.")
    restore: Stories = Field([], description="Stories that may run in it again.")

    @property
    def named(self) -> list[str]:
        """The fields that were given."""
        return sorted(self.model_fields_set)


@dataclass(frozen=True, slots=True)
class Hand:
    """Whose hand it is: the versions they saw (None: whatever it is), who hears of a hold, how the mail is weighed,

    and the line of the audit, which is written in the same transaction as the change.
    """

    now: datetime
    then: Then
    seen: Seen = None
    operators: Sequence[str] = ()
    weigh: Weigh | None = None


async def approve(session: Session, edition_id: int, now: datetime, seen: Seen = None) -> Edition:
    """Lets a ready edition be frozen where APPROVAL is manual. Approving twice is approving once.

    Raises NotFound, Conflict; Stale where it is not at one of the versions `seen`.
    """
    edition = _seen(await editions.lock(session, edition_id), edition_id)
    await demand(session, edition, seen)
    if edition.status is not EditionStatus.READY:
        why = f": {edition.reason}" if edition.status is EditionStatus.HELD else ""
        raise Conflict(f"The edition of {edition.date} is {edition.status.value}, so there is nothing to approve{why}")
    if edition.approved_at is None:
        await editions.approve(session, edition, now)
    return _seen(await editions.get(session, edition_id), edition_id)


async def change(db: Database, edition_id: int, changes: Changes, hand: Hand) -> Edition:
    """Changes an edition and lays it out anew. Raises NotFound, Conflict, InvalidInput;

    Stale where somebody was first.
    """

    async def remake(session: Session, edition: Edition, edits: Edits) -> Edits:
        await _demand_sound(session, edition, changes)
        return _changed(edits, changes)

    return await _rewrite(db, edition_id, remake, hand)


async def hold(db: Database, edition_id: int, why: str, hand: Hand) -> Edition:
    """Holds an edition, for the reason given, until somebody lets it go.

    Raises NotFound, Conflict, InvalidInput, Stale.
    """
    why = " ".join(why.split())
    if not 1 <= len(why) <= 300 or not is_clean(why):
        raise InvalidInput("Say why it is held, in 1 to 300 characters.", "reason")

    async def remake(_: Session, __: Edition, edits: Edits) -> Edits:
        return edits.model_copy(update={"hold": why, "enough": False})

    return await _rewrite(db, edition_id, remake, hand)


async def unhold(db: Database, edition_id: int, hand: Hand) -> Edition:
    """Lets a held edition go as it is. Raises NotFound, Stale, and Conflict where it is not held or has no lead."""

    async def remake(_: Session, edition: Edition, edits: Edits) -> Edits:
        if edition.status is not EditionStatus.HELD:
            raise Conflict(f"The edition of {edition.date} is {edition.status.value}; it is not held.")
        return edits.model_copy(update={"hold": "", "enough": True})

    return await _rewrite(db, edition_id, remake, hand, must_print=True)


async def delete(session: Session, edition_id: int, now: datetime, zone: tzinfo, seen: Seen = None) -> Edition:
    """Deletes an edition that was never frozen, with its page of memory and its number; gives what it was.

    Its stories were never printed and may run elsewhere. Raises NotFound; Conflict where it was frozen, and Stale where
    it is not at one of the versions `seen`.
    """
    await numbers.lock(session)  # before the edition's row
    edition = _seen(await editions.lock(session, edition_id), edition_id)
    await demand(session, edition, seen)
    if edition.status not in drafts.COMPOSABLE:
        raise Conflict(
            f"The edition of {edition.date} is {edition.status.value}. Only an edition that was never frozen can be "
            "deleted; one that goes out can be cancelled."
        )
    if not await drafts.delete(session, edition):
        raise await stale(session, edition)
    await numbers.deal(session, now.astimezone(zone).date())
    return edition


async def hold_overdue(db: Database, settings: Settings, now: datetime) -> str:
    """Holds what was never frozen on its day, and tells the operators; gives a line for the record. Safe to repeat.

    An edition's day is over MAX_LATE after its FREEZE_AT. One that an operator composed since is left as long again.
    """
    async with db.read() as session:
        waiting = await editions.in_state(session, (EditionStatus.DRAFT, EditionStatus.READY))
        overdue = [one for one in waiting if await _is_overdue(session, one, settings, now)]
    held = 0
    for one in overdue:
        async with db.write() as session:
            edition = await editions.lock(session, one.id)
            if edition is None or edition.version != one.version or edition.status is not one.status:
                continue
            unapproved = settings.approval == "manual" and edition.approved_at is None
            why = "Its day passed and nobody approved it." if unapproved else "Its day passed before it was frozen."
            await holding.hold(session, edition, Hold(why, Holder.OVERDUE, settings.operator_emails), now)
            held += 1
    return f"{held} editions held whose day has passed"


async def _is_overdue(session: Session, edition: Edition, settings: Settings, now: datetime) -> bool:
    hours = await shared_settings.hours_of(session, edition.date, settings.hours)
    return now >= max(hours.window(edition.date).start, edition.composed_at) + hours.max_late


async def _rewrite(db: Database, edition_id: int, remake: Remake, hand: Hand, *, must_print: bool = False) -> Edition:
    async with db.read() as session:
        edition = await _open(session, edition_id, hand.seen)
        if edition.status not in drafts.COMPOSABLE:
            raise Conflict(f"The edition of {edition.date} is {edition.status.value}; it does not change any more.")
        edits = await remake(session, edition, Edits.model_validate(edition.edits))
        laid = await lay_out(session, edition, edits, hand.now)
    laid = await fitted(laid, hand.weigh)
    if must_print and laid.content is None:
        raise Conflict(f"{laid.shortage} Write or accept one, and compose it again.")
    async with db.write() as session:
        await put(session, edition, edits, laid, hand.now, hand.operators)
        made = _seen(await editions.get(session, edition_id), edition_id)
        await hand.then(session, made)
        return made


async def _open(session: Session, edition_id: int, seen: Seen) -> Edition:
    edition = _seen(await editions.get(session, edition_id), edition_id)
    await demand(session, edition, seen)
    return edition


def _seen(edition: Edition | None, edition_id: int) -> Edition:
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    return edition


async def _demand_sound(session: Session, edition: Edition, changes: Changes) -> None:
    for name, text in (("subject", changes.subject), ("preheader", changes.preheader)):
        if text and not is_clean(text):
            raise InvalidInput(f"The {name} must be one line without control characters.", name)
    before = await editions.last_subject(session, edition.date, edition.kind)
    if changes.subject and before and changes.subject.casefold() == before.casefold():
        raise InvalidInput("The paper before this one had the same subject.", "subject")
    subject = changes.subject or edition.subject
    if changes.preheader and subject and subject.casefold() in changes.preheader.casefold():
        raise InvalidInput("The preheader repeats the subject, beside which it is read.", "preheader")
    await _demand_printable(session, edition, changes)


async def _demand_printable(session: Session, edition: Edition, changes: Changes) -> None:
    wanted = [one for ids in changes.sections.values() for one in ids]
    if len(set(wanted)) != len(wanted):
        raise InvalidInput("A story stands in one place only.", "sections")
    for section, ids in changes.sections.items():
        if section not in QUOTAS:
            raise InvalidInput(f"{section.value} is filled from counts; no story stands in it.", "sections")
        if len(ids) > QUOTAS[section]:
            raise InvalidInput(f"{section.value} has room for {QUOTAS[section]}.", "sections")
    there = {one.id for one in await stories.unprinted(session, wanted)}
    if edition.kind is EditionKind.WEEKLY:
        there |= set((await week(session, edition.date)).pieces)
    missing = sorted(set(wanted) - there)
    if missing:
        which = ", ".join(str(one) for one in missing)
        raise InvalidInput(f"Not there, dismissed, or printed already: {which}.", "sections")


def _changed(edits: Edits, changes: Changes) -> Edits:
    """A story that is put somewhere leaves where it was; one that is removed is nowhere."""
    moved = {one for ids in changes.sections.values() for one in ids}
    gone = set(changes.remove) - moved
    pinned = {section: tuple(one for one in ids if one not in moved | gone) for section, ids in edits.pinned.items()}
    pinned |= {section: tuple(ids) for section, ids in changes.sections.items()}
    removed = (set(edits.removed) | gone) - moved - set(changes.restore)
    return edits.model_copy(
        update={
            "subject": edits.subject if changes.subject is None else changes.subject,
            "preheader": edits.preheader if changes.preheader is None else changes.preheader,
            "pinned": {section: ids for section, ids in pinned.items() if ids},
            "removed": tuple(sorted(removed)),
        }
    )
