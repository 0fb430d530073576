"""The discipline of a hand-over, whatever ledger it is for: `Outgoing` as a provider sees it.

Order: free slot → tokens → group → commit → write. One transaction a group proves the lease, writes the outcomes of
earlier messages, and begins the next ones. Nothing is given to a provider that is not committed as begun,
and nothing is begun while outcomes cannot be committed.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Generic

import structlog

from app.core.clock import steady
from app.core.db import Database
from app.core.errors import StorageError
from app.core.mail.message import Message
from app.core.mail.provider import Provider
from app.core.mail.receipt import Accepted, Deferred, Halt, NotSent, Receipt, Scope, Unknown
from app.stages.send.books import Books
from app.stages.send.course import Course
from app.stages.send.groups import FIRST_FAR, GROUP_LASTS, LARGEST, LARGEST_FAR, GroupSize
from app.stages.send.in_hand import InHand
from app.stages.send.ledger import Ledger, R, Settled
from app.stages.send.meter import Meter
from app.stages.send.patience import Patience
from app.stages.send.supply import Supply
from app.stages.send.throttle import Throttle

WINDOW = 512
"""Rows of one worker that may be `sending` at a time; where groups are larger than half of that, two groups, which are
2,048 rows at most while the database is far away. So many may be unknown after a crash. A hand-over beside others that
wait for slow answers, or for service mail, is left `TRIAL` of its own."""
TRIAL = 8
"""Rows given at a time to a provider that failed before, until it takes one."""
ASK_AGAIN = 0.5
"""Seconds until the database is asked again."""
LOOK_EVERY = 0.5
"""Seconds until the ledger is asked whether what was begun, and not given to a provider yet, may still go out; where
the database is far away, twice as long as its answer takes."""
BETWEEN = 0.001
"""Seconds in which another process may write between the two transactions of a large group."""
GIVE_UP_AFTER = 8.0

log = structlog.get_logger(__name__)


class Handover(Generic[R]):
    """Implements `core.mail.provider.Outgoing` over a ledger.

    One task, the pump, opens every transaction; whoever takes only waits for it. It begins the next group while the
    last one is being written, so that no connection stands idle for a commit.
    """

    def __init__(
        self,
        db: Database,
        ledger: Ledger[R],
        stop: asyncio.Event,
        throttle: Throttle | None = None,
        meter: Meter | None = None,
        *,
        on_trial: bool = False,
        lasts: float = math.inf,
        others: bool = False,
        on_tail: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_trial`: few at a time until one is accepted; `lasts`: seconds after which others have their turn.

        `others`: other providers stand ready, should this one say nothing any more.
        `on_tail` is called where nothing more is begun, and only answers are awaited that take their time.
        """
        self._meter = meter or Meter()
        self._on_trial = on_trial
        self._others = others
        self._patience = Patience()
        self._on_tail = on_tail
        self._supply = Supply(throttle)
        self._ledger = ledger
        self._course = Course(stop, lasts)
        self._books = Books(db, ledger, self._course)
        self._hand = InHand[R]()
        self._wanted = 0
        self._exhausted = False
        self._drained = False
        self._stir = asyncio.Event()
        self._news = asyncio.Event()
        self._grouped = steady()
        self._size = GroupSize(LARGEST) if db.is_sqlite else GroupSize(LARGEST_FAR, FIRST_FAR)
        self._since = 0
        self.handed = 0

    async def run(self, provider: Provider) -> None:
        """Hands over until nothing is due, the lease is lost or the service stops; then gives the lease back."""
        with self._meter.watching(lambda: self._hand.open):
            pump = asyncio.create_task(self._pump())
            try:
                await provider.drain(self)
            finally:
                self._drained = True  # not cancelled: it may be inside a transaction
                self._stir.set()
                try:
                    await pump
                finally:
                    await self._finish()
                    await self._supply.close()

    # -- what a provider calls ---------------------------------------------------------------------------

    async def take(self, most: int) -> Sequence[Message]:
        """Up to `most` messages, committed as being handed over; empty means stop."""
        while not self._course.stopping:
            if self._hand.ready and self._course.may_write:
                return self._give(most)
            if self._exhausted and not self._hand.ready:
                break
            self._wanted = max(self._wanted, most)
            self._stir.set()
            self._news.clear()
            with suppress(TimeoutError):  # looks up now and then: a lease runs out in silence
                async with asyncio.timeout(ASK_AGAIN):
                    await self._news.wait()
        return ()

    def may_write(self) -> bool:
        """Is the lease fresh, and does nothing tell us to stop?"""
        return self._course.may_write and not self._course.stopping

    def written(self, messages: Iterable[Message]) -> None:
        """They may be out from here on."""
        for message in messages:
            row = self._hand.row_of(message)
            if row is not None:
                self._ledger.written(row)

    def settle(self, message: Message, receipt: Receipt) -> None:
        """Says what became of `message`; exactly once."""
        row = self._hand.answered(message)
        if row is None:
            log.error("a receipt for a message that is not out", key=message.key, receipt=type(receipt).__name__)
            return
        self.handed += 1
        self._since += 1
        self._patience.heard()
        self._settle(row, receipt)

    # -- groups ------------------------------------------------------------------------------------------

    def _give(self, most: int) -> Sequence[Message]:
        if not self._hand.out:
            self._patience.heard()
        given = self._hand.give(most)
        if self._is_low:
            self._stir.set()
        return given

    @property
    def _is_low(self) -> bool:
        return self._hand.ready <= self._size.rows // 2

    def _settle(self, row: R, receipt: Receipt) -> None:
        self._hand.settle(row, receipt)
        match receipt:
            case NotSent():
                self._supply.refund(1)
            case Deferred(scope=Scope.DOMAIN):
                self._ledger.told(row)
                self._drop_lost()
                return
            case Halt() | Deferred(scope=Scope.PROVIDER):
                self._course.fails(receipt)
            case Accepted() if self._on_trial:
                self._on_trial = False
                self._stir.set()
                return
            case _:
                return
        self._news.set()

    async def _pump(self) -> None:
        """Begins the next group in time, writes outcomes soon, renews the lease while hand-overs wait."""
        try:
            while not self._drained:
                if self._due():
                    await self._group(self._room())
                self._listen()
                await self._look_at_tail()
                self._stir.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(GROUP_LASTS):
                        await self._stir.wait()
        except BaseException:
            self._course.over = True  # nobody shall wait for it
            self._news.set()
            raise

    def _listen(self) -> None:
        """A provider that keeps all its lines waiting has failed, where another stands ready."""
        waits = bool(self._others and self._hand.out and (self._hand.ready or self._on_trial))
        if self._patience.is_over(awaited=waits and self.may_write()):
            why = "it has not answered for long, on any line"
            self._course.fails(Deferred(why, scope=Scope.PROVIDER, code="silent"))
            self._news.set()

    async def _look_at_tail(self) -> None:
        """Slow answers keep nobody waiting but whom they are about."""
        nothing_more = self._course.stopping or (self._exhausted and not self._hand.ready)
        if self._patience.is_tail(last=bool(self._hand.out) and nothing_more):
            with suppress(StorageError):  # then new mail waits for the lease to run out
                await self._part()
            self._on_tail()

    async def _part(self) -> None:
        """What is wrong with the provider is known from here on, and not only when the last answer has come."""
        self._owe_unwritten("others have their turn")
        settled = self._hand.settled
        await self._books.part(settled)
        self._hand.committed(settled)
        await self._supply.give_back()

    def _owe_unwritten(self, why: str) -> None:
        for row in self._hand.withdraw():
            self._settle(row, NotSent(why))

    def _due(self) -> bool:
        now = steady()
        return bool(
            self._room()
            or (self._hand.is_answered and now - self._grouped >= self._size.lasts)
            or self._course.wants_renewal
            or (self._hand.ready and now - self._grouped > max(LOOK_EVERY, self._size.lasts))
        )

    def _room(self) -> int:
        """How many rows to begin now: about as many as go out until the next group."""
        if self._exhausted or self._course.stopping or not self._is_low or self._supply.waits:
            return 0
        window = TRIAL - self._hand.open
        if not self._on_trial:  # what else the worker has in hand never stops this one
            most = WINDOW if self._size.rows <= LARGEST else 2 * self._size.rows
            window = max(window, most - self._meter.in_hand)
        return max(0, min(max(self._size.rows, self._wanted), self._size.largest, window))

    async def _group(self, most: int) -> None:
        """One transaction: fence, outcomes, next rows; two where the only writer would be held for long.

        Waits and tries again while the database is away.
        """
        granted, begun = 0, None
        try:
            granted = await self._granted(most)
            if most and not granted:
                return
            started, settled = steady(), self._hand.settled
            if granted and self._books.wants_two(len(settled) + granted):
                await self._commit(None, settled)
                await asyncio.sleep(BETWEEN)
                settled = ()  # what has come meanwhile is for the next
            begun = await self._commit(granted, settled)
            self._measure(started, steady() - started)
        except StorageError as error:
            self._course.away = True
            log.warning("the ledger cannot be written; nothing new is sent", error=str(error))
            await asyncio.sleep(ASK_AGAIN)
            return
        finally:
            self._supply.refund(granted - len(begun or ()))
        self._course.away = False
        if begun is None:
            self._news.set()
            return
        self._drop_lost()
        if most:
            waits = self._ledger.waits
            self._exhausted, self._wanted = not (begun or waits), 0
            if len(begun) < granted:
                self._supply.pause(waits)
        for row in begun:
            made = await self._addressed(row)
            if isinstance(made, Message):
                self._hand.add(made, row)
            else:
                self._settle(row, made)
                if not isinstance(made, NotSent):
                    self._supply.refund(1)
        self._news.set()

    async def _granted(self, most: int) -> int:
        """How many of `most` messages there are tokens for now; ends the hand-over where there are none today."""
        granted = await self._supply.grant(most)
        if most and self._supply.rest is not None:
            self._course.rests(self._supply.rest)
            self._news.set()
        return granted

    def _drop_lost(self) -> None:
        """What was begun under a lease that is lost, or of a stream that was stopped since, is not written."""
        for row in self._hand.withdraw(unless=self._ledger.holds):
            self._settle(row, NotSent("it was stopped, or another worker owns it now"))

    async def _addressed(self, row: R) -> Message | Receipt:
        try:
            return await self._ledger.address(row)
        except Exception as error:  # one reader's mail must not stop the others'
            log.exception("a message could not be made")
            return Deferred(f"the message could not be made: {error}", code="unmade")

    async def _commit(self, room: int | None, settled: Sequence[Settled[R]]) -> Sequence[R] | None:
        started = steady()
        begun = await self._books.group(settled, room)
        self._hand.committed(settled)
        if settled or begun:
            took = steady() - started
            self._meter.group(took)
            log.info(
                "a group was committed",
                answered=len(settled),
                begun=len(begun or ()),
                in_hand=self._hand.open,
                ms=round(took * 1000, 1),
            )
        if begun is None and not self._course.lost:
            self._course.lost = True
            log.warning("another worker owns this stream now; handing over nothing more")
        return begun

    def _measure(self, at: float, took: float) -> None:
        self._size.learn(self._since, at - self._grouped, took, waited=self._wanted > 0)
        self._grouped, self._since = at, 0

    async def _finish(self) -> None:
        """Nothing that was taken is forgotten: what is unsettled is unknown, what was never given is owed."""
        self._owe_unwritten("the worker stopped")
        for row in self._hand.abandon():
            self._settle(row, Unknown("the provider gave no receipt"))
        until = steady() + GIVE_UP_AFTER
        while not await self._written():
            if self._course.stop.is_set() and steady() > until:
                log.error("outcomes could not be written", count=len(self._hand.settled))
                return
            await asyncio.sleep(0.5)

    async def _written(self) -> bool:
        settled = self._hand.settled
        try:
            await self._books.close(settled)
        except StorageError as error:
            log.warning("the ledger cannot be written", error=str(error))
            return False
        self._hand.committed(settled)
        return True
