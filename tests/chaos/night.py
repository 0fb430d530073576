"""One night's trial: a database with readers, workers that die, and the account that is drawn up at the end."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import insert, select, text

from app.core.db import Database, Session
from app.core.publication import Publication
from app.core.settings import load_settings
from app.models import Delivery, DeliveryNote, Edition, Subscriber
from app.models.states import DeliveryStatus, EditionStatus, SubscriberStatus
from app.stages.render.freeze import freeze
from app.stages.send.personalise import message_key
from app.store import editions
from tests.chaos import worker
from tests.chaos.receiver import Receiver
from tests.chaos.worker import Pace
from tests.people import DAY, LONG_AGO, NOON, add_edition
from tests.recount import assert_counted

T = TypeVar("T")


@dataclass(frozen=True)
class Account:
    """What the ledger says and what the receiver has, reader by reader."""

    states: Counter[DeliveryStatus]
    lost: list[int]
    """Accepted, by the ledger, and never received."""
    gaps: list[int]
    """Neither received nor marked as unknown."""
    twice: list[int]
    """Received more than once."""
    unexplained: list[int]
    """Received more than once, though it was never being handed over when a worker died."""
    unmarked: list[int]
    """Received more than once, and no note says that its hand-over was unknown."""
    astray: list[str]
    """Message-IDs of nobody, or under which a mail came to somebody else."""
    edition: EditionStatus

    def sound(self) -> bool:
        return not (self.lost or self.gaps or self.unexplained or self.unmarked or self.astray)


class Night:
    """A service in `folder` on `database_url`; the mail goes to `receiver`. Synchronous: time is the point."""

    def __init__(
        self, folder: Path, database_url: str, receiver: Receiver, pace: Pace | None = None, **settings: str
    ) -> None:
        self.folder = folder
        self.receiver = receiver
        self.pace = pace or Pace()
        self.clock = folder / "clock"
        self.turn_clock(0)
        self.database_url = database_url
        self.settings = {
            "ENVIRONMENT": "production",
            "DATABASE_URL": database_url,
            "PUBLIC_URL": "https://post.test-paper.net",
            "SECRET_KEYS": "the-trial-signs-its-links-with-these-words",
            "SUPPRESSION_KEY": "the-trial-suppresses-under-this-one-key",
            "FROM_ADDRESS": "The AI Morning Post <post@test-paper.net>",
            "POSTAL_ADDRESS": "1 Press Lane, Testford",
            "PROVIDERS": f"smtp://127.0.0.1:{receiver.port}?tls=none&connections=8&name=receiver",
            "CHECK_LINKS": "off",
            "CHECK_MX": "off",
            **settings,
        }
        self.in_the_air: set[int] = set()
        """Readers whose delivery was `sending` when the worker that held it died."""
        self._alive: list[BaseProcess] = []

    def turn_clock(self, seconds: float) -> None:
        """At the start it is noon of the edition's day; from now on `seconds` more than has passed since."""
        if not seconds:
            self._offset = (NOON - datetime.now(UTC)).total_seconds()
        whole = self.clock.with_suffix(".new")
        whole.write_text(str(self._offset + seconds))
        whole.replace(self.clock)

    # -- the paper and its readers --------------------------------------------------------------------------

    def prepare(self, readers: int) -> None:
        """A frozen edition of the day, and readers who are all due it."""
        self.ask_db(lambda db: self._prepare(db, readers))

    async def _prepare(self, db: Database, readers: int) -> None:
        async with db.write() as session:
            await session.execute(insert(Subscriber), [_reader(number) for number in range(1, readers + 1)])
        edition = await add_edition(db, status=EditionStatus.READY)
        # Lint has its own tests, and would want more of a paper than a trial needs.
        await freeze(db, edition.id, self._publication(), NOON, force=True)

    def _publication(self) -> Publication:
        names = ("public_url", "secret_keys", "suppression_key", "from_address", "postal_address")
        return load_settings(**{name: self.settings[name.upper()] for name in names}).publication

    # -- workers ----------------------------------------------------------------------------------------------

    def start(self, namespace: str | None = None, **settings: str) -> BaseProcess:
        """A worker, on this machine or in a namespace, with the settings of the night but for those named."""
        process = worker.start(self.folder, {**self.settings, **settings}, self.pace, self.clock, namespace)
        self._alive.append(process)
        return process

    def kill(self, process: BaseProcess) -> None:
        """SIGKILL; remembers which rows the dead one held."""
        self.signal(process, signal.SIGKILL)
        process.join()
        self._alive.remove(process)
        self.in_the_air |= self.held_by(process)

    def signal(self, process: BaseProcess, number: signal.Signals) -> None:
        assert process.pid is not None
        os.kill(process.pid, number)

    def held_by(self, process: BaseProcess) -> set[int]:
        """Readers whose delivery is `sending` in a shard that `process` took last."""
        return set(self.ask(lambda session: _held(session, f"%:{process.pid}:%")))

    def end(self) -> None:
        for process in self._alive:
            process.kill()
            process.join()
        self._alive.clear()

    # -- questions --------------------------------------------------------------------------------------------

    def ask_db(self, work: Callable[[Database], Awaitable[T]]) -> T:
        async def inside() -> T:
            db = Database(self.database_url)
            try:
                return await work(db)
            finally:
                await db.close()

        return asyncio.run(inside())

    def ask(self, question: Callable[[Session], Awaitable[T]]) -> T:
        async def inside(db: Database) -> T:
            async with db.read() as session:
                return await question(session)

        return self.ask_db(inside)

    def wait(self, what: str, for_what: Callable[[], object], within: float = 120, every: float = 0.1) -> None:
        until = time.monotonic() + within
        while not for_what():
            if time.monotonic() > until:
                raise AssertionError(f"{what}: not within {within} s\n{self.log()[-6000:]}")
            time.sleep(every)

    def log(self) -> str:
        path = self.folder / "worker.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def ended(self) -> bool:
        """Has the edition come to its end?"""
        return self.status() in (EditionStatus.SENT, EditionStatus.PARTIALLY_SENT)

    def status(self) -> EditionStatus:
        return self.ask(edition_of).status

    def account(self) -> Account:
        """Reader by reader, from the ledger and from the receiver; the counts must say what the ledger says."""
        self.ask(_counted)
        edition, rows, refs, noted = self.ask(_everything)
        keys = {reader: message_key(edition.salt, ref) for reader, (ref, _) in refs.items()}
        copies = {reader: self.receiver.received[keys[reader]] for reader in rows}
        twice = [reader for reader, count in copies.items() if count > 1]
        return Account(
            states=Counter(rows.values()),
            lost=[r for r, state in rows.items() if state is DeliveryStatus.ACCEPTED and not copies[r]],
            gaps=[
                reader for reader in refs if not copies.get(reader) and rows.get(reader) is not DeliveryStatus.UNKNOWN
            ],
            twice=twice,
            unexplained=[reader for reader in twice if reader not in self.in_the_air],
            unmarked=[reader for reader in twice if reader not in noted],
            astray=_astray(self.receiver, {keys[r]: address for r, (_, address) in refs.items()}),
            edition=edition.status,
        )


def _reader(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "ref": f"reader-of-trial-{number:06}",
        "address": f"reader{number}@example.org",
        "address_key": f"reader{number}@example.org",
        "status": SubscriberStatus.ACTIVE,
        "zone": "",
        "created_at": LONG_AGO,
        "confirmed_at": LONG_AGO,
    }


def _astray(receiver: Receiver, addresses: dict[str, str]) -> list[str]:
    return [key for key, address in receiver.recipients.items() if addresses.get(key) != address]


async def edition_of(session: Session) -> Edition:
    found = await editions.of_day(session, DAY)
    assert found is not None
    return found


async def _held(session: Session, owner: str) -> Iterable[int]:
    query = text(
        "SELECT d.subscriber_id FROM deliveries d JOIN shards s ON s.edition_id = d.edition_id AND s.number = d.shard "
        "WHERE d.status = 'sending' AND s.owner LIKE :owner"
    )
    return list((await session.scalars(query, {"owner": owner})).all())


async def _counted(session: Session) -> None:
    await assert_counted(session, (await edition_of(session)).id)


async def _everything(
    session: Session,
) -> tuple[Edition, dict[int, DeliveryStatus], dict[int, tuple[str, str]], set[int]]:
    edition = await edition_of(session)
    rows = await session.execute(
        select(Delivery.subscriber_id, Delivery.status).where(Delivery.edition_id == edition.id)
    )
    readers = await session.execute(select(Subscriber.id, Subscriber.ref, Subscriber.address))
    unknown = await session.scalars(
        select(DeliveryNote.subscriber_id).where(DeliveryNote.outcome == DeliveryStatus.UNKNOWN.value)
    )
    states: dict[int, DeliveryStatus] = dict(rows.all())
    return edition, states, {one: (ref, address) for one, ref, address in readers}, set(unknown.all())
