"""Writes the readers of a file down, in short transactions, so that mail goes on being sent.

Whoever is known here already, in whatever state, stays as they are; whoever is suppressed stays away; whoever
left there is not brought here, and by our own export comes as somebody who left. That makes an import that was cut off
safe to repeat from the beginning.
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
from app.stages.audience.dates import Order
from app.stages.audience.import_readers.columns import Columns, Product
from app.stages.audience.import_readers.rows import Person, Reader
from app.stages.audience.import_readers.seen import Marks
from app.stages.audience.import_readers.survey import Plan, gone
from app.stages.audience.import_readers.table import Row, Table
from app.stages.audience.import_readers.words import Answers, Standing
from app.store import mailbox_lock, reader_import
from app.store.reader_import import Grounds, Newcomer, Owed

WINDOW = 25_000
"""Rows read ahead and put into the order of their addresses, so that a transaction's addresses lie together in the
index: without that, at a million readers, each touches a page of its own (docs/benchmarks.md)."""


_key = attrgetter("key")


class Fate(StrEnum):
    """What became of a row. Every row has exactly one."""

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
    """One import as it goes: how many rows met which fate. `gone` holds whom any row of the file says to be gone."""

    columns: Columns
    terms: Terms
    reject: Callable[[Row, str], None]
    dry: bool = False
    order: Order | None = None
    answers: Answers = field(default_factory=dict)
    gone: Marks | None = None
    guarded: bool = True
    """May a cell have an apostrophe in front, against spreadsheets? JSON Lines have every value as it is."""
    fates: Counter[Fate] = field(default_factory=Counter)
    seen: Marks = field(default_factory=Marks)
    asked_since: datetime | None = None
    """Our own sign-ups from then on are still waiting for their readers' confirmation."""
    reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        kept = not self.terms.confirm or self.is_own
        self.reader = Reader(self.columns, self.order, self.answers, dates_count=kept, guarded=self.guarded)

    @property
    def is_own(self) -> bool:
        """Does the file come from an instance of ours?"""
        return self.columns.product is Product.MORNING_POST

    def look_at(self, row: Row) -> Person | None:
        """The person of a row who is to be written down; None where the row's fate is settled."""
        try:
            person = self.reader.read(row)
        except InvalidInput as refused:
            self._refuse(row, Fate.REJECTED, str(refused))
            return None
        wanted = self._is_wanted(person)
        if not wanted and person.standing is Standing.UNCONFIRMED and person.key not in self.seen:
            # Another row of theirs may say that they confirmed.
            self.fates[Fate.UNCONFIRMED] += 1
            return None
        if not self.seen.add(person.key):
            self._refuse(row, Fate.REPEATED, "an earlier row has the same address")
            return None
        if wanted:
            return person
        self.fates[_ELSEWHERE.get(person.standing, Fate.LEFT)] += 1
        return None

    def _is_wanted(self, person: Person) -> bool:
        if person.standing is Standing.LEFT:
            return self.is_own
        if self.gone is not None and person.key in self.gone:
            return False
        if person.standing is Standing.UNCONFIRMED:
            return self.terms.confirm or self._is_waiting(person)
        return person.standing is Standing.READER

    def _is_waiting(self, person: Person) -> bool:
        """Whoever never confirmed there may be asked again, but no declared basis can speak for them.

        Without a confirmation mail for everybody, only those get one who signed up at our own old machine these days.
        """
        began = person.created
        return self.is_own and self.asked_since is not None and began is not None and began > self.asked_since

    def count(self, person: Person) -> None:
        """They were written down, or would have been."""
        self.fates[Fate.LEFT if person.standing is Standing.LEFT else Fate.ADDED] += 1

    def _refuse(self, row: Row, fate: Fate, reason: str) -> None:
        self.fates[fate] += 1
        self.reject(row, reason)


def begin(table: Table, plan: Plan, terms: Terms, reject: Callable[[Row, str], None], *, dry: bool = False) -> Arrival:
    """An import of a file that was surveyed. Raises InvalidInput where the plan has questions."""
    plan.demand_clear()
    whom = gone(table, plan)
    return Arrival(plan.columns, terms, reject, dry, plan.order, plan.answers, whom, guarded=bool(table.delimiter))


async def import_rows(
    db: Database, suppressor: Suppressor, clock: Clock, file: Iterator[Row], arrival: Arrival, window: int = WINDOW
) -> AsyncIterator[int]:
    """Brings the rows of `file` in, in many short transactions; gives the line reached after each of them."""
    arrival.asked_since = clock.now() - CONFIRM_WITHIN
    pace = Pace() if db.is_sqlite else Pace(rows=mailbox_lock.MOST, steady=True)
    line = 0
    while batch := list(islice(file, window)):
        begun, line = line, batch[-1].line + batch[-1].lines - 1
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
    for person in people:
        if person.key in added:
            arrival.count(person)
    if len(added) == len(people):
        return
    # Why is asked only of those who did not come in: mostly of nobody, or of all after a run that was cut off.
    left_over = [person for person in people if person.key not in added]
    keys = [person.key for person in left_over]
    async with db.read() as session:
        known = await reader_import.known(session, keys, [hashes[key] for key in keys])
    for person in left_over:
        if person.key in known.keys:
            arrival.fates[Fate.KNOWN] += 1
        elif hashes[person.key] in known.hashes:
            arrival.fates[Fate.SUPPRESSED] += 1
        elif arrival.dry:
            arrival.count(person)
        else:  # they were known a moment ago, and are erased since
            arrival.fates[Fate.KNOWN] += 1


async def _add(
    db: Database, clock: Clock, people: list[Person], hashes: dict[str, str], arrival: Arrival, pace: Pace
) -> set[str]:
    """Writes those who are not here yet; gives their keys."""
    now = clock.now()
    terms = arrival.terms
    newcomers = _newcomers(people, hashes, arrival, now)
    grounds = Grounds("imported", "import", terms.wording)
    owed = Owed(CONFIRMATION, now + CONFIRM_WITHIN)

    async def step() -> set[str]:
        async with db.write() as session:
            await reader_import.begin(session)
            began = monotonic()
            added = await reader_import.add(session, newcomers, grounds, owed, now)
        pace.learn(len(people), monotonic() - began)
        return added

    return await retried(step)


def _newcomers(people: list[Person], hashes: dict[str, str], arrival: Arrival, now: datetime) -> list[Newcomer]:
    """Whoever is asked first begins here today: a sign-up left unconfirmed for long is removed by its date."""
    confirm = arrival.terms.confirm
    mail_refs = opaque_references(len(people)) if confirm or arrival.is_own else repeat("")
    taken = set[str]()
    product = arrival.columns.product.value
    made = []
    for person, ref, mail_ref in zip(people, opaque_references(len(people)), mail_refs, strict=False):
        status = _status(person, confirm=confirm)
        anew = status is SubscriberStatus.PENDING
        created = now if anew else _past(person.created, now)
        # Whoever left may never have confirmed.
        confirmed = person.confirmed if status is SubscriberStatus.LEFT else person.confirmed or created
        kept = person.ref if person.ref not in taken else ""
        taken.add(kept)
        who = (kept or ref, person.mail, person.key, person.first_name, person.zone, status, hashes[person.key])
        when = (created, None if anew or confirmed is None else _past(confirmed, now), _left_at(person, now))
        choices = person.choices
        if anew and choices.paused_until:
            choices = choices._replace(paused_until=None)
        source = product if person.consents else person.source or product
        made.append(Newcomer(*who, *when, choices, mail_ref, source, person.consents))
    return made


def _status(person: Person, *, confirm: bool) -> SubscriberStatus:
    if person.standing is Standing.LEFT:
        return SubscriberStatus.LEFT
    if confirm or person.standing is Standing.UNCONFIRMED:
        return SubscriberStatus.PENDING
    return SubscriberStatus.PAUSED if person.choices.paused_until else SubscriberStatus.ACTIVE


def _left_at(person: Person, now: datetime) -> datetime | None:
    return _past(person.left, now) if person.standing is Standing.LEFT else None


def _past(at: datetime | None, now: datetime) -> datetime:
    return at if at is not None and at <= now else now
