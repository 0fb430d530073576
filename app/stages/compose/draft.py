"""Puts an edition together from what is stored: stories, charts, movers. Runs again until the freeze."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

from app.core.db import Database, Session
from app.core.errors import Conflict, InvalidInput, Stale
from app.models import Edition
from app.models.content import EditionKind, content_hash
from app.models.edits import Edits
from app.models.states import EditionStatus
from app.stages.compose import score
from app.stages.compose.fit import Weigh, fitted
from app.stages.compose.paper import Laid, lay_out
from app.stages.compose.stale import stale
from app.stages.compose.week import SATURDAY
from app.store import drafts, editions, holding, listings, numbers, stories
from app.store.holding import Hold, Holder
from app.store.numbers import NEAR

TRIES = 5
PROPOSED = 5


@dataclass(frozen=True, slots=True)
class Composed:
    """What came of it. `reason` says why an edition is held; of a ready one, what was left out."""

    edition_id: int
    status: EditionStatus
    reason: str


def demand_near(day: date, today: date) -> None:
    """Raises Conflict for a date that is more likely a slip of the pen than an edition that somebody wants."""
    if abs(day - today) > NEAR:
        raise Conflict(f"{day} is more than {NEAR.days} days from today. Where that is meant, force it.")


async def compose(
    db: Database,
    day: date,
    now: datetime,
    operators: Sequence[str] = (),
    kind: EditionKind = EditionKind.DAILY,
    weigh: Weigh | None = None,
    zone: tzinfo = UTC,
) -> Composed:
    """Composes the edition of `day`: `ready` where there is enough for a paper, else `held`.

    Where `day` is near today in `zone` it has a number, which is provisional until the freeze.

    Composing again replaces the content and takes back an approval; what operators asked for stays. `operators` are
    written to when it comes to be held. `weigh` tells how long a mail it makes; stories that are too many for one are
    left out, and `reason` names them. Raises Conflict once it is frozen, InvalidInput for a weekly of a weekday.
    """
    if kind is EditionKind.WEEKLY and day.weekday() != SATURDAY:
        raise InvalidInput(f"A weekly is for a Saturday, and {day} is none.", "date")
    for _ in range(TRIES):
        async with db.write() as session:
            edition = await _draft(session, day, kind, now, now.astimezone(zone).date())
        edits = Edits.model_validate(edition.edits)
        async with db.read() as session:
            laid = await lay_out(session, edition, edits, now)
        laid = await fitted(laid, weigh)
        try:
            async with db.write() as session:
                return await put(session, edition, edits, laid, now, operators)
        except Stale:
            continue  # somebody changed it meanwhile: what they asked for is read again
    raise Conflict(f"The edition of {day} is being changed by somebody else; compose it again.")


async def put(
    session: Session, edition: Edition, edits: Edits, laid: Laid, now: datetime, operators: Sequence[str]
) -> Composed:
    """Puts what was laid out into the edition as it was when it was read, and settles whether it is held.

    Raises Stale where it was changed or frozen since; the caller's transaction is then to be undone.
    """
    found = await editions.lock(session, edition.id)
    if found is None or found.version != edition.version or found.status not in drafts.COMPOSABLE:
        raise await stale(session, edition)
    reason = edits.hold or ("" if edits.enough and laid.content else laid.shortage)
    if reason and found.status is not EditionStatus.HELD:
        await _hold(session, found, edits, reason, now, operators)
    elif reason:
        await editions.explain(session, found.id, EditionStatus.HELD, reason)
    await drafts.fill(session, found.id, laid.content, content_hash(laid.content), now, edits=edits)
    await listings.replace_all(session, found.id, laid.listed)
    if reason:
        return Composed(found.id, EditionStatus.HELD, reason)
    if found.status is not EditionStatus.READY:
        await editions.move(session, found.id, found.status, EditionStatus.READY, laid.note)
    else:
        await editions.explain(session, found.id, EditionStatus.READY, laid.note)
    return Composed(found.id, EditionStatus.READY, laid.note)


async def _draft(session: Session, day: date, kind: EditionKind, now: datetime, today: date) -> Edition:
    await numbers.lock(session)
    if await editions.of_day(session, day, kind) is None:
        await drafts.add(session, day=day, number=None, salt=secrets.token_hex(16), now=now, kind=kind)
    await numbers.deal(session, today)
    edition = await editions.of_day(session, day, kind)
    assert edition is not None  # nobody deletes one meanwhile, for that takes the same lock
    if edition.status not in drafts.COMPOSABLE:
        raise Conflict(f"The edition of {day} is {edition.status.value}; it does not change any more.")
    return edition


async def _hold(
    session: Session, edition: Edition, edits: Edits, reason: str, now: datetime, operators: Sequence[str]
) -> None:
    found = await stories.candidates(session, now - score.OLDEST, PROPOSED) if operators else []
    proposed = [(one.id, one.headline) for one in found]
    by = Holder.OPERATOR if edits.hold else Holder.PAPER
    await holding.hold(session, edition, Hold(reason, by, operators, proposed), now)
