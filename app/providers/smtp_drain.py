"""One stream going out by SMTP: lanes that take messages only with a connection in hand."""

import asyncio
from collections import deque
from dataclasses import dataclass

import structlog

from app.core.mail.message import Message
from app.core.mail.provider import Outgoing
from app.core.mail.receipt import Deferred, Halt, NotSent, Receipt, Scope, Standstill, Unknown
from app.providers.custody import Custody, heed_cancellation, stand_down
from app.providers.envelope import Envelope, sealed
from app.providers.smtp_connection import Connection
from app.providers.smtp_letter import Letter
from app.providers.smtp_pool import Pool
from app.providers.smtp_replies import Stage, receipt
from app.providers.smtp_session import Unreachable

TROUBLES = 3
"""So many connections lost in a row, with no message through, and the server counts as out of order."""

log = structlog.get_logger(__name__)


@dataclass
class Drain:
    """The state that the lanes of one drain share. `most` is the number of lanes."""

    outgoing: Outgoing
    pool: Pool
    lanes: asyncio.TaskGroup
    most: int
    opened: int = 0
    connected: int = 0
    troubles: int = 0
    over: bool = False
    """Nothing more is taken."""
    barred: bool = False
    """Nor is anything begun that was taken: the server refuses us."""

    def open_lane(self) -> None:
        self.opened += 1
        self.lanes.create_task(self._lane())

    async def _lane(self) -> None:
        """Holds a connection before it takes a message: what was taken must be written soon or not at all."""
        with Custody(self.outgoing, ()) as custody:
            lane = Lane(self, custody)
            while lane.has_work:
                if not await self._with_connection(lane):
                    return
        if lane.failure:
            raise lane.failure

    async def _with_connection(self, lane: "Lane") -> bool:
        """Uses one connection for as long as it serves; False where there is none."""
        try:
            async with self.pool.connection() as connection:
                self.connected += 1
                try:
                    await lane.use(connection)
                finally:
                    self.connected -= 1
        except Unreachable as error:
            # Servers limit connections: as long as others work, this is only one fewer.
            if not self.connected and not self.over:
                await lane.stop(error.receipt)
            return False
        if self.troubles >= TROUBLES and not self.over:
            why = "the mail server keeps ending connections"
            await lane.stop(Deferred(why, scope=Scope.PROVIDER, code="dropped"))
        return True


class Lane:
    """What one connection after the other carries: a `Source` of letters."""

    def __init__(self, drain: Drain, custody: Custody) -> None:
        self._drain = drain
        self._custody = custody
        self._waiting: deque[Message] = deque()
        self._news = asyncio.Event()
        self._connection: Connection | None = None
        self._trouble = False
        """Did the connection end with a message on it?"""
        self.failure: Exception | None = None
        """Of the books, not of the wire: it is the caller's to know."""

    @property
    def has_work(self) -> bool:
        return not self._drain.over or (bool(self._waiting) and self.may_write())

    async def use(self, connection: Connection) -> None:
        """Carries messages until nothing is owed, somebody else waits for the connection, or it ends."""
        carrier, self._connection, self._trouble = connection.carrier, connection, False
        carrier.serve(self)
        carrier.pump()
        took = False
        while connection.usable and not self._drain.over and not (took and self._drain.pool.contended):
            self._unstick(connection)
            if wanted := carrier.wants(len(self._waiting)):
                await self._take(wanted)
                took = True
                carrier.pump()
            else:
                await self._wait()
        self._unstick(connection)
        while not (carrier.wire.closed or carrier.idle):
            await self._wait()
            self._unstick(connection)
        self._connection = None
        self._drain.troubles += self._trouble
        if not connection.usable and not carrier.wire.closed:
            await connection.quit()

    async def stop(self, why: Standstill) -> None:
        """Nothing more goes out; one message says why."""
        self._drain.over = self._drain.barred = True
        log.warning("mail cannot leave", why=why.why, code=why.code)
        if self._waiting:
            self._custody.settle(self._waiting.popleft(), why)
        else:
            await stand_down(self._drain.outgoing, why)

    async def _take(self, wanted: int) -> None:
        try:
            taken = await self._drain.outgoing.take(wanted)
        except Exception as error:
            self.failure = error
            raise
        self._custody.add(taken)
        self._waiting.extend(taken)
        if not taken:
            self._drain.over = True
        elif self._drain.opened < self._drain.most and not self._drain.pool.full:
            self._drain.open_lane()

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()
        heed_cancellation()

    def _unstick(self, connection: Connection) -> None:
        """What lies ready beside an idle wire is begun, or owed again where it may not be: nobody else would look."""
        if not (self._waiting and connection.usable and connection.carrier.idle):
            return
        connection.carrier.pump()
        if connection.carrier.idle and not connection.carrier.wire.closed:
            while self._waiting:
                self._custody.settle(self._waiting.popleft(), NotSent("the time to write it was over"))

    # -- a source of letters -----------------------------------------------------------------------------

    def may_write(self) -> bool:
        return not self._drain.barred and self._drain.outgoing.may_write()

    def next(self) -> Letter | None:
        while self._waiting and self.may_write():
            message = self._waiting.popleft()
            envelope = sealed(message)
            if isinstance(envelope, Envelope):
                return Letter(message, envelope)
            self._custody.settle(message, envelope)
        return None

    def written(self, letter: Letter) -> None:
        self._custody.written((letter.message,))

    def decided(self, letter: Letter, stage: Stage, code: int, text: str) -> None:
        made = receipt(stage, code, text)
        if self._connection and not self._connection.carrier.ending:
            self._drain.troubles = 0
        else:
            self._trouble = True
        self._give(letter, made)

    def broken(self, letter: Letter, why: str) -> None:
        self._trouble = True
        self._give(letter, Unknown(why) if letter.written else Deferred(why, code="dropped"))

    def unbegun(self, letter: Letter) -> None:
        self._custody.refused((letter.message,))
        self._waiting.appendleft(letter.message)

    def wake(self) -> None:
        if (connection := self._connection) is None:
            return
        carrier = connection.carrier
        if carrier.wire.closed or carrier.idle or (not self._drain.over and carrier.wants(len(self._waiting))):
            self._news.set()

    def _give(self, letter: Letter, made: Receipt) -> None:
        if isinstance(made, Halt) or (isinstance(made, Deferred) and made.scope is Scope.PROVIDER):
            self._drain.over = self._drain.barred = True
        self._custody.settle(letter.message, made)
