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
from itertools import islice

from app.core.clock import Clock
from app.core.db import Database
from app.core.errors import InvalidInput
from app.core.signing import Suppressor, opaque_reference
from app.models.states import SubscriberStatus
from app.stages.audience import transfer_rows
from app.stages.audience.consent import CONFIRM_WITHIN, CONFIRMATION
from app.stages.audience.transfer_columns import Columns
from app.stages.audience.transfer_file import Row
from app.stages.audience.transfer_rows import Person, Standing
from app.store import transfer as rows
from app.store.transfer import Grounds, Newcomer, Owed

CHUNK = 500
"""Rows a transaction. Larger ones were no faster when measured (bench/transfer.py), and held the writer longer."""


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
    """One import as it goes: how many rows met which fate. `seen` takes about 70 bytes an address."""

    columns: Columns
    terms: Terms
    reject: Callable[[Row, str], None]
    dry: bool = False
    fates: Counter[Fate] = field(default_factory=Counter)
    seen: set[int] = field(default_factory=set)

    def look_at(self, row: Row) -> Person | None:
        """The person of a row who may come in; None where the row's fate is settled."""
        try:
            person = transfer_rows.read(row, self.columns)
        except InvalidInput as refused:
            self._refuse(row, Fate.REJECTED, str(refused))
            return None
        mark = hash(person.key)
        if mark in self.seen:
            self._refuse(row, Fate.REPEATED, "an earlier row has the same address")
            return None
        self.seen.add(mark)
        # Whoever never confirmed there may be asked again, but no declared basis can speak for them.
        if person.standing is Standing.READER or (self.terms.confirm and person.standing is Standing.UNCONFIRMED):
            return person
        self.fates[_ELSEWHERE[person.standing]] += 1
        return None

    def _refuse(self, row: Row, fate: Fate, reason: str) -> None:
        self.fates[fate] += 1
        self.reject(row, reason)


async def bring_in(
    db: Database, suppressor: Suppressor, clock: Clock, file: Iterator[Row], arrival: Arrival, chunk: int = CHUNK
) -> AsyncIterator[int]:
    """Brings the rows of `file` in, `chunk` in one transaction; gives the line reached after each of them."""
    while batch := list(islice(file, chunk)):
        people = {person.key: person for person in map(arrival.look_at, batch) if person}
        await _settle(db, suppressor, clock, people, arrival)
        yield batch[-1].line


async def _settle(
    db: Database, suppressor: Suppressor, clock: Clock, people: dict[str, Person], arrival: Arrival
) -> None:
    hashes = {suppressor.hash(key): key for key in people}
    async with db.read() as session:
        known = await rows.known(session, people, hashes)
    barred = {hashes[one] for one in known.hashes} - known.keys
    wanted = [person for key, person in people.items() if key not in known.keys and key not in barred]
    arrival.fates[Fate.KNOWN] += len(known.keys)
    arrival.fates[Fate.SUPPRESSED] += len(barred)
    added = len(wanted) if arrival.dry or not wanted else await _add(db, clock, wanted, hashes, arrival)
    arrival.fates[Fate.ADDED] += added


async def _add(db: Database, clock: Clock, people: list[Person], hashes: dict[str, str], arrival: Arrival) -> int:
    now = clock.now()
    terms = arrival.terms
    hash_of = {key: one for one, key in hashes.items()}
    newcomers = [_newcomer(person, hash_of[person.key], terms, now) for person in people]
    grounds = Grounds("imported", "import", terms.wording, arrival.columns.product.value)
    owed = Owed(CONFIRMATION, now + CONFIRM_WITHIN) if terms.confirm else None
    async with db.write() as session:
        return await rows.add(session, newcomers, grounds, owed, now)


def _newcomer(person: Person, hashed: str, terms: Terms, now: datetime) -> Newcomer:
    """Whoever is asked first begins here today: a sign-up left unconfirmed for long is removed by its date."""
    created = _past(person.created, now)
    return Newcomer(
        ref=opaque_reference(),
        address=person.mail,
        key=person.key,
        hash=hashed,
        first_name=person.first_name,
        zone=person.zone,
        status=SubscriberStatus.PENDING if terms.confirm else SubscriberStatus.ACTIVE,
        created_at=now if terms.confirm else created,
        confirmed_at=None if terms.confirm else _past(person.confirmed or created, now),
        mail_ref=opaque_reference() if terms.confirm else "",
    )


def _past(at: datetime | None, now: datetime) -> datetime:
    return at if at is not None and at <= now else now
