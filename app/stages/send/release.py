"""Letting an edition's readers go, each at their own morning, and ending it when nothing is owed.

The window and every due instant are planned from the calendar; when the paper was really frozen changes nothing
but that a reader whose instant is already past is released at once.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import monotonic

import structlog

from app.core.calendar import Hours, due_instant, zone_named
from app.core.db import Database, Session
from app.core.errors import Conflict, NotFound
from app.core.pace import Pace
from app.core.settings import Settings
from app.models import Edition
from app.models.states import EditionStatus
from app.stages.send.turns import readers_of
from app.store import deliveries, editions, progress, releases, shared_settings, subscribers
from app.store.releases import DEFAULT_MINUTE, EVERYBODY, SHARD, Pair

CHUNK, SMALL = 4_000, 500
"""Readers a transaction, at most and at least: 4,000 take 22 ms on a quiet machine, and 50 are allowed."""
FIRST = 1_000
"""Of a walk on SQLite: nobody knows yet how fast the machine is, and in a new process no page is at hand."""
AIM = 0.025
"""Seconds a transaction of theirs; where it takes longer, the next one is smaller."""
OWN = Pair("", DEFAULT_MINUTE)
"""The paper's own morning: planned also where nobody reads at that hour, because its page comes out then."""
LATEST = timedelta(days=7)
"""How old an edition may be that is still sent to somebody."""
_ENDED = (EditionStatus.SENT, EditionStatus.PARTIALLY_SENT)
_UNDERWAY = (EditionStatus.FROZEN, EditionStatus.SENDING, EditionStatus.PAUSED)

log = structlog.get_logger(__name__)


def due_of(pair: Pair, day: date, hours: Hours) -> datetime:
    """The instant at which the readers of `pair` are due the edition of `day`. An unknown zone means TIMEZONE."""
    zone = zone_named(pair.zone) if pair.zone else None
    minute = hours.deliver_minute if pair.minute == DEFAULT_MINUTE else pair.minute
    return due_instant(zone or hours.zone, minute, hours.window(day))


async def hours_of(db: Database, edition: Edition, settings: Settings) -> Hours:
    """The hours of an edition: those that were written down for all processes when its window began."""
    async with db.read() as session:
        return await shared_settings.hours_of(session, edition.date, settings.hours)


async def plan(db: Database, edition: Edition, settings: Settings) -> None:
    """Wakes whoever rested until this edition, and writes down when each (zone, minute) is due; safe to repeat."""
    async with db.write() as session:
        await subscribers.wake(session, edition.date)
    async with db.read() as session:
        known = {Pair(one.zone, one.minute) for one in await releases.planned(session, edition.id)}
        missing = [pair for pair in {OWN, *await releases.pairs(session)} if pair not in known]
        hours = await shared_settings.hours_of(session, edition.date, settings.hours)
    if missing:
        async with db.write() as session:
            await releases.plan(session, edition.id, [(pair, due_of(pair, edition.date, hours)) for pair in missing])


async def release_due(db: Database, edition: Edition, settings: Settings, now: datetime) -> int:
    """Releases every pair whose instant has come; gives how many readers that was."""
    async with db.read() as session:
        waiting = await releases.due(session, edition.id, now)
    released = 0
    for one in waiting:
        pair = Pair(one.zone, one.minute)
        released += (await _release(db, edition, pair=pair, due_at=one.due_at, settings=settings, now=now)).readers
    return released


async def sweep(db: Database, edition: Edition, settings: Settings, now: datetime) -> int:
    """Releases eligible readers whose instant has passed without a row: a changed zone never costs a paper, nor does

    a weekly that came to be held or cancelled after the daily had left it its readers.
    """
    async with db.read() as session:
        past = [one for one in await releases.planned(session, edition.id) if one.due_at <= now]
        hours = await shared_settings.hours_of(session, edition.date, settings.hours)
    released = 0
    for one in past:
        if one.due_at + hours.max_late > now:
            again = await _release(
                db, edition, pair=Pair(one.zone, one.minute), due_at=one.due_at, settings=settings, now=now, anew=True
            )
            released += again.readers
    return released


async def send_now(db: Database, edition_id: int, settings: Settings, now: datetime) -> int:
    """Releases every active reader at once, whatever their morning; gives how many.

    That everybody is due is written down with the first step: where this call is cut off, or the edition is paused
    and resumed, the timetable goes on with it.
    Raises NotFound, and Conflict: for one that has ended, which goes to others by `late` alone, and where it was paused
    or cancelled before all were released.
    """
    async with db.read() as session:
        edition = await _found(session, edition_id)
    if edition.status in releases.OPEN:
        await plan(db, edition, settings)
    async with db.write() as session:
        status = await _lock(session, edition)
        if status in _ENDED:
            raise Conflict(f"The edition of {edition.date} was already sent; nobody is mailed it twice.")
        if status not in editions.OPEN:
            raise Conflict(f"The edition of {edition.date} is {status.value}; only a frozen one can be sent.")
        _demand_recent(edition, now)
        before = (await progress.total(session, edition_id)).released
        await releases.plan_everybody(session, edition_id, now)
        # From here on it is going out, also where it has no reader at all: its page is public.
        await _begin_sending(session, edition_id, status)
    done = await _release(db, edition, pair=EVERYBODY, due_at=now, settings=settings, now=now)
    async with db.read() as session:  # a worker may have taken a part of the work
        released = (await progress.total(session, edition_id)).released - before
    if done.stopped:
        raise Conflict(
            f"The edition of {edition.date} was {done.stopped.value} while it was sent:"
            f" {released} readers were released."
        )
    return released


async def late(db: Database, edition_id: int, settings: Settings, now: datetime) -> int:
    """Releases those who confirmed after their morning had passed; gives how many. Other mornings stay as planned.

    Raises NotFound, and Conflict, also where it was paused or cancelled before all were released.
    """
    async with db.read() as session:
        edition = await _found(session, edition_id)
    if edition.status not in (EditionStatus.SENDING, *_ENDED):
        raise Conflict(f"The edition of {edition.date} is {edition.status.value}; nobody can be late for it.")
    _demand_recent(edition, now)
    await plan(db, edition, settings)
    async with db.read() as session:
        past = [one for one in await releases.planned(session, edition_id) if one.done_at or one.due_at <= now]
    released = 0
    for one in past:
        again = await _release(
            db, edition, pair=Pair(one.zone, one.minute), due_at=now, settings=settings, now=now, anew=True
        )
        released += again.readers
        if again.stopped:
            raise Conflict(
                f"The edition of {edition.date} was {again.stopped.value} meanwhile: {released} readers were released."
            )
    return released


async def _found(session: Session, edition_id: int) -> Edition:
    edition = await editions.get(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    return edition


async def _lock(session: Session, edition: Edition) -> EditionStatus:
    """The state of an edition, which it keeps, as the others of its date do theirs, until this transaction ends."""
    return next(one.status for one in await releases.lock_date(session, edition.date) if one.id == edition.id)


def _demand_recent(edition: Edition, now: datetime) -> None:
    """Of an old edition nothing says any more who has it: deliveries are kept for two weeks at least, not for ever."""
    if now.date() - edition.date > LATEST:
        raise Conflict(f"The edition of {edition.date} is too old to be sent to anybody.")


@dataclass(frozen=True, slots=True)
class Released:
    """How many readers a walk released. `stopped`: the state in which the edition was found before the walk's end."""

    readers: int
    stopped: EditionStatus | None = None


async def _release(
    db: Database,
    edition: Edition,
    *,
    pair: Pair,
    due_at: datetime,
    settings: Settings,
    now: datetime,
    anew: bool = False,
) -> Released:
    """Chunk by chunk, each committed with the pair's cursor, so that a crash repeats nothing and forgets nothing.

    `anew`: looks through the whole pair again, for readers who were not eligible when their instant came; the cursor is
    left alone.
    """
    hours = await hours_of(db, edition, settings)
    begins = hours.window(edition.date).start
    released, after, done = 0, 0, False
    first = min(FIRST, CHUNK) if db.is_sqlite else CHUNK
    pace = Pace(rows=first, fewest=min(SMALL, CHUNK), most=CHUNK, aim=AIM, steady=not db.is_sqlite)
    while not done:
        most = whole_shards(pace.rows)
        async with db.write() as session:
            began = monotonic()  # to wait for one's turn holds nobody up
            of_date = await releases.lock_date(session, edition.date)
            status = next(one.status for one in of_date if one.id == edition.id)
            if status not in releases.OPEN:
                return Released(released, status)
            if not anew:
                planned = await releases.undone(session, edition.id, pair)
                if planned is None:
                    break  # another worker released the rest
                after, due_at = planned.cursor, planned.due_at
            chunk = await releases.release_chunk(
                session,
                edition.id,
                [one for one in of_date if one.id != edition.id],
                pair=pair,
                frequencies=readers_of(edition, of_date, settings.approval, begins, now),
                confirmed_before=due_at,
                after=after,
                most=most,
                due_at=due_at,
                lasts=hours.max_late,
            )
            done = chunk.count < most
            if not anew:
                await releases.set_cursor(session, edition.id, pair, chunk.last, now if done else None)
            # The morning has come also where nobody reads at this hour: the paper is out.
            if chunk.count or status is EditionStatus.FROZEN:
                await _begin_sending(session, edition.id, status)
        pace.learn(chunk.count, monotonic() - began)
        after = chunk.last
        released += chunk.count
    if released:
        log.info("readers were released", edition=edition.id, readers=released)
    return Released(released)


def whole_shards(rows: int) -> int:
    """As many as fill shards to the last place, where they fill one."""
    return rows - rows % SHARD if rows > SHARD else rows


async def _begin_sending(session: Session, edition_id: int, status: EditionStatus) -> None:
    if status is not EditionStatus.SENDING:
        await editions.move(session, edition_id, status, EditionStatus.SENDING, "")


async def try_end(
    db: Database, edition: Edition, settings: Settings, now: datetime, *, expire: bool = True
) -> EditionStatus | None:
    """Ends an edition that owes nothing any more; gives the state it ended in, None while it goes on.

    It goes on while a due instant is to come, or a row is queued, being handed over or to be sent again. One that is
    paused ends once its day is over, since nothing of it can go out any more; not while nothing may `expire`.
    """
    hours = await hours_of(db, edition, settings)
    resend, over = settings.on_unknown == "resend", expire and hours.is_over(edition.date, now)
    if edition.status is EditionStatus.PAUSED and not over:
        return None
    async with db.read() as session:
        if not await _nothing_owed(session, edition.id, resend, over):
            return None
    async with db.write() as session:
        status = await _lock(session, edition)
        owed = await _nothing_owed(session, edition.id, resend, over) if status in _UNDERWAY else None
        if owed is None or (status is EditionStatus.PAUSED and not over):
            return None
        unreleased = not await releases.all_done(session, edition.id)
        ended = EditionStatus.PARTIALLY_SENT if owed.failed or unreleased else EditionStatus.SENT
        reason = f"{owed.failed} readers went without it" if owed.failed else ""
        if unreleased:
            reason = "its day was over before all were released" + (f"; {reason}" if reason else "")
        if status is EditionStatus.FROZEN:
            await _begin_sending(session, edition.id, status)
            status = EditionStatus.SENDING
        await editions.move(session, edition.id, status, ended, reason, ended_at=now)
    log.info("the edition has ended", edition=edition.id, date=str(edition.date), status=ended.value)
    return ended


async def _nothing_owed(session: Session, edition_id: int, resend: bool, over: bool) -> deliveries.Owed | None:
    if not over and not await releases.all_done(session, edition_id):
        return None
    owed = await deliveries.owed(session, edition_id, resend=resend)
    return None if owed.open else owed
