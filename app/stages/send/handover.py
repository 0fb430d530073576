"""The discipline of a hand-over, whatever ledger it is for: `Outgoing` as a provider sees it.

Order: free slot → group → commit → write. One transaction a group proves the lease, writes the outcomes of
earlier messages, and begins the next ones. Nothing is given to a provider that is not committed as begun,
and nothing is begun while outcomes cannot be committed.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

import structlog

from app.core.db import Database, Session
from app.core.errors import StorageError
from app.core.mail.message import Message
from app.core.mail.provider import Provider
from app.core.mail.receipt import Deferred, Halt, NotSent, Receipt, Scope, Unknown

SMALLEST, LARGEST = 8, 256
"""Rows of a group. It grows and shrinks to `GROUP_LASTS` seconds of work, so that a crash leaves little unknown."""
GROUP_LASTS = 0.05
WINDOW = 512
WRITE_WITHIN = 6.0
RENEW_EVERY = 3.0
SETTLE_EVERY = 0.05
GIVE_UP_AFTER = 8.0

log = structlog.get_logger(__name__)


class Row(Protocol):
    """A ledger's row that was begun."""

    @property
    def attempt(self) -> int: ...
    @property
    def expires_at(self) -> datetime: ...


R = TypeVar("R", bound=Row)
Settled = tuple[R, Receipt]


class Ledger(Protocol[R]):
    """One stream of owed mail: the deliveries of a shard, or service mail."""

    async def fence(self, session: Session) -> bool:
        """Proves and renews the lease; False where it is lost."""

    async def begin(self, session: Session, most: int) -> Sequence[R]:
        """Moves up to `most` due rows to `sending`."""

    async def address(self, row: R) -> Message | Receipt:
        """Makes the message, or says why there is none. Runs outside any transaction."""

    async def record(self, session: Session, settled: Sequence[Settled[R]]) -> None:
        """Writes outcomes for their own attempts."""

    async def close(self, session: Session, rest: timedelta | None, halted: Halt | None) -> None:
        """Gives the lease back; `rest` is how long nothing should be tried, `halted` a fault of ours."""


class Handover(Generic[R]):
    """Implements `core.mail.provider.Outgoing` over a ledger."""

    def __init__(self, db: Database, ledger: Ledger[R], stop: asyncio.Event) -> None:
        self._db = db
        self._ledger = ledger
        self._stop = stop
        self._turn = asyncio.Lock()
        self._transaction = asyncio.Lock()
        self._ready: deque[tuple[Message, R]] = deque()
        self._out: dict[tuple[int, int], R] = {}
        self._settled: list[Settled[R]] = []
        self._exhausted = False
        self._over = False
        self._lost = False
        self._rest: timedelta | None = None
        self._halted: Halt | None = None
        self._drained = asyncio.Event()
        self._renewed = time.monotonic()
        self._grouped = 0.0
        self._size = SMALLEST
        self.handed = 0

    async def run(self, provider: Provider) -> None:
        """Hands over until nothing is due, the lease is lost or the service stops; then gives the lease back."""
        keeper = asyncio.create_task(self._keep())
        try:
            await provider.drain(self)
        finally:
            self._drained.set()  # not cancelled: it may be inside a transaction
            await keeper
            await self._finish()

    # -- what a provider calls ---------------------------------------------------------------------------

    async def take(self, most: int) -> Sequence[Message]:
        """Up to `most` messages, committed as being handed over; empty means stop."""
        async with self._turn:
            while not (self._ready and self._may_write()) or self._stopping:
                if self._stopping or (self._exhausted and not self._ready):
                    return ()
                await self._group(0 if self._ready else self._next_size(most))
            taken = [self._ready.popleft() for _ in range(min(most, len(self._ready)))]
        for message, row in taken:
            self._out[message.key, message.attempt] = row
        return [message for message, _ in taken]

    def settle(self, message: Message, receipt: Receipt) -> None:
        """Says what became of `message`; exactly once."""
        row = self._out.pop((message.key, message.attempt), None)
        if row is None:
            log.error("a receipt for a message that is not out", key=message.key, receipt=type(receipt).__name__)
            return
        self.handed += 1
        self._settle(row, receipt)

    # -- groups ------------------------------------------------------------------------------------------

    @property
    def _stopping(self) -> bool:
        return self._over or self._lost or self._stop.is_set()

    def _may_write(self) -> bool:
        return time.monotonic() - self._renewed < WRITE_WITHIN

    def _settle(self, row: R, receipt: Receipt) -> None:
        self._settled.append((row, receipt))
        match receipt:
            case Halt():
                self._over, self._halted = True, receipt
            case Deferred(scope=Scope.PROVIDER, after=after):
                self._over, self._rest = True, after or timedelta(minutes=1)

    def _next_size(self, asked: int) -> int:
        lasted = time.monotonic() - self._grouped
        if lasted < GROUP_LASTS:
            self._size = min(self._size * 2, LARGEST)
        elif lasted > 2 * GROUP_LASTS:
            self._size = max(self._size // 2, SMALLEST)
        return max(self._size, min(asked, LARGEST))

    async def _group(self, most: int) -> None:
        """One transaction: fence, outcomes, next rows. Waits and tries again while the database is away."""
        room = min(most, WINDOW - len(self._out) - len(self._ready))
        try:
            begun = await self._commit(room)
        except StorageError as error:
            log.warning("the ledger cannot be written; nothing new is sent", error=str(error))
            await asyncio.sleep(0.5)
            return
        if begun is None:
            return
        if most:
            self._exhausted, self._grouped = not begun, time.monotonic()
        for row in begun:
            made = await self._addressed(row)
            if isinstance(made, Message):
                self._ready.append((made, row))
            else:
                self._settle(row, made)

    async def _addressed(self, row: R) -> Message | Receipt:
        try:
            return await self._ledger.address(row)
        except Exception as error:  # one reader's mail must not stop the others'
            log.exception("a message could not be made")
            return Deferred(f"the message could not be made: {error}", code="unmade")

    async def _commit(self, room: int) -> Sequence[R] | None:
        async with self._transaction:
            settled, started = list(self._settled), time.monotonic()
            async with self._db.write() as session:
                if not await self._ledger.fence(session):
                    self._lost = True
                    log.warning("another worker owns this stream now; handing over nothing more")
                    return None
                await self._ledger.record(session, settled)
                begun = await self._ledger.begin(session, room) if room > 0 else []
            self._renewed = started
            del self._settled[: len(settled)]
            return begun

    async def _keep(self) -> None:
        """Writes outcomes soon and renews the lease while hand-overs wait."""
        while not self._drained.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._drained.wait(), SETTLE_EVERY)
            if self._lost or not (self._settled or time.monotonic() - self._renewed > RENEW_EVERY):
                continue
            with suppress(StorageError):
                await self._commit(0)

    async def _finish(self) -> None:
        """Nothing that was taken is forgotten: what is unsettled is unknown, what was never given is owed."""
        while self._ready:
            self._settle(self._ready.popleft()[1], NotSent("the worker stopped"))
        for row in self._out.values():
            self._settle(row, Unknown("the provider gave no receipt"))
        self._out.clear()
        until = time.monotonic() + GIVE_UP_AFTER
        while not await self._written():
            if self._stop.is_set() and time.monotonic() > until:
                log.error("outcomes could not be written", count=len(self._settled))
                return
            await asyncio.sleep(0.5)

    async def _written(self) -> bool:
        async with self._transaction:
            try:
                async with self._db.write() as session:
                    # Receipts outlive the lease: each is recorded for its own attempt, whoever owns the rows now.
                    owner = await self._ledger.fence(session)
                    await self._ledger.record(session, self._settled)
                    if owner:
                        await self._ledger.close(session, self._rest, self._halted)
            except StorageError as error:
                log.warning("the ledger cannot be written", error=str(error))
                return False
            self._settled.clear()
            return True
