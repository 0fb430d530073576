"""Moving in: the readers of another product's file, in short transactions, so that mail goes on being sent.

Whoever is known here already, in whatever state, stays as they are; whoever is suppressed stays away; whoever
left there is not brought here. That makes an import that was cut off safe to repeat from the beginning.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice, repeat
from operator import attrgetter
from time import monotonic

from app.core.clock import Clock
from app.core.contention import retried
from app.core.db import Database
from app.core.errors import InvalidInput
from app.core.pace import Pace
from app.core.signing import Suppressor, opaque_references
from app.models.states import SubscriberStatus
from app.stages.audience.consent import CONFIRM_WITHIN, CONFIRMATION
from app.stages.audience.transfer_columns import Columns
from app.stages.audience.transfer_file import Row
from app.stages.audience.transfer_marks import Marks
from app.stages.audience.transfer_rows import Person, Reader, Standing
from app.store import mailbox_lock
from app.store import transfer as rows
from app.store.transfer import Grounds, Newcomer, Owed

WINDOW = 25_000
"""Rows read ahead and put into the order of their addresses, so that a transaction's addresses lie together in the
index: without that, at a million readers, each touches a page of its own (docs/benchmarks.md)."""


_key = attrgetter("key")


class Fate(StrEnum):
    """What became of a row."""

    ADDED = "added"
    KNOWN = "known here already"
    SUPPRESSED = "suppressed here"
    LEFT = "left there"
    BOUNCED = "bounced there"
    COMPLAINED = "complained there"
    UNCONFIRMED = "never confirmed there"
    REPEATED = "repeated in the file"
    REJECTED = "rejected"


_ELSEWHERE = {
    Standing.LEFT: Fate.LEFT,
    Standing.BOUNCED: Fate.BOUNCED,
    Standing.COMPLAINED: Fate.COMPLAINED,
    Standing.UNCONFIRMED: Fate.UNCONFIRMED,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """How readers come in: asked to confirm, or active at once on a declared `basis`, the words of which are hashed."""

    confirm: bool
    basis: str = ""

    def __post_init__(self) -> None:
        if not self.confirm and not self.basis.strip():
            raise InvalidInput(
                "Without a confirmation mail, say what the readers' consent rests on: --basis TEXT.", "basis"
            )

    @property
    def wording(self) -> str:
        """The basis as `basis:` and the first 228 bits of its SHA-256; empty where none was declared."""
        basis = self.basis.strip()
        return f"basis:{hashlib.sha256(basis.encode()).hexdigest()[:57]}" if basis else ""


@dataclass(slots=True)
class Arrival:
    """One import as it goes: how many rows met which fate."""

    columns: Columns
    terms: Terms
    reject: Callable[[Row, str], None]
    dry: bool = False
    fates: Counter[Fate] = field(default_factory=Counter)
    seen: Marks = field(default_factory=Marks)
    reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = Reader(self.columns)

    def look_at(self, row: Row) -> Person | None:
        """The person of a row who may come in; None where the row's fate is settled."""
        try:
            person = self.reader.read(row)
        except InvalidInput as refused:
            self._refuse(row, Fate.REJECTED, str(refused))
            return None
        if not self.seen.add(person.key):
            self._refuse(row, Fate.REPEATED, "an earlier row has the same address")
            return None
        # Whoever never confirmed there may be asked again, but no declared basis can speak for them.
        if person.standing is Standing.READER or (self.terms.confirm and person.standing is Standing.UNCONFIRMED):
            return person
        self.fates[_ELSEWHERE[person.standing]] += 1
        return None

    def _refuse(self, row: Row, fate: Fate, reason: str) -> None:
        self.fates[fate] += 1
        self.reject(row, reason)


async def bring_in(
    db: Database, suppressor: Suppressor, clock: Clock, file: Iterator[Row], arrival: Arrival, window: int = WINDOW
) -> AsyncIterator[int]:
    """Brings the rows of `file` in, in many short transactions; gives the line reached after each of them."""
    pace = Pace() if db.is_sqlite else Pace(rows=mailbox_lock.MOST, steady=True)
    line = 0
    while batch := list(islice(file, window)):
        begun, line = line, batch[-1].line
        people = sorted(filter(None, map(arrival.look_at, batch)), key=_key)
        del batch
        done = 0
        while chunk := people[done : done + pace.rows]:
            await _settle(db, suppressor, clock, chunk, arrival, pace)
            done += len(chunk)
            yield begun + (line - begun) * done // len(people)
        yield line


async def _settle(
    db: Database, suppressor: Suppressor, clock: Clock, people: list[Person], arrival: Arrival, pace: Pace
) -> None:
    hashes = {person.key: suppressor.hash(person.key) for person in people}
    added = set() if arrival.dry else await _add(db, clock, people, hashes, arrival, pace)
    arrival.fates[Fate.ADDED] += len(added)
    if len(added) == len(people):
        return
    # Why is asked only of those who did not come in: mostly of nobody, or of all after a run that was cut off.
    left_over = {key: one for key, one in hashes.items() if key not in added}
    async with db.read() as session:
        known = await rows.known(session, left_over.keys(), left_over.values())
    for key, one in left_over.items():
        arrival.fates[_why(key in known.keys, one in known.hashes, dry=arrival.dry)] += 1


def _why(known: bool, barred: bool, *, dry: bool) -> Fate:
    if barred and not known:
        return Fate.SUPPRESSED
    # Neither: after a dry run they would come in; otherwise they were known a moment ago, and are erased since.
    return Fate.KNOWN if known or not dry else Fate.ADDED


async def _add(
    db: Database, clock: Clock, people: list[Person], hashes: dict[str, str], arrival: Arrival, pace: Pace
) -> set[str]:
    """Writes those who are not here yet; gives their keys."""
    now = clock.now()
    terms = arrival.terms
    newcomers = _newcomers(people, hashes, terms, now)
    grounds = Grounds("imported", "import", terms.wording, arrival.columns.product.value)
    owed = Owed(CONFIRMATION, now + CONFIRM_WITHIN) if terms.confirm else None

    async def step() -> set[str]:
        async with db.write() as session:
            await rows.begin(session)
            began = monotonic()
            added = await rows.add(session, newcomers, grounds, owed, now)
        pace.learn(len(people), monotonic() - began)
        return added

    return await retried(step)


def _newcomers(people: list[Person], hashes: dict[str, str], terms: Terms, now: datetime) -> list[Newcomer]:
    """Whoever is asked first begins here today: a sign-up left unconfirmed for long is removed by its date."""
    mail_refs = opaque_references(len(people)) if terms.confirm else repeat("")
    status = SubscriberStatus.PENDING if terms.confirm else SubscriberStatus.ACTIVE
    made = []
    for person, ref, mail_ref in zip(people, opaque_references(len(people)), mail_refs, strict=False):
        created = now if terms.confirm else _past(person.created, now)
        confirmed = None if terms.confirm else _past(person.confirmed or created, now)
        who = (ref, person.mail, person.key, person.first_name, person.zone)
        made.append(Newcomer(*who, status, hashes[person.key], created, confirmed, mail_ref))
    return made


def _past(at: datetime | None, now: datetime) -> datetime:
    return at if at is not None and at <= now else now
