"""One stream going out by SMTP: lanes that take a message only with a connection in hand."""

import asyncio
from dataclasses import dataclass

import structlog

from app.core.mail.message import Message
from app.core.mail.provider import Outgoing
from app.core.mail.receipt import Deferred, Halt, NotSent, Receipt, Scope, Unknown
from app.providers.custody import Custody, stand_down
from app.providers.envelope import Envelope, sealed
from app.providers.smtp_connection import Connection, Dropped
from app.providers.smtp_pool import Pool
from app.providers.smtp_replies import receipt
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
    stopped: bool = False

    def open_lane(self) -> None:
        self.opened += 1
        self.lanes.create_task(self._lane())

    async def _lane(self) -> None:
        """Holds a connection before it takes a message: what was taken must be written at once or not at all."""
        while not self.stopped:
            try:
                async with self.pool.connection() as connection:
                    self.connected += 1
                    try:
                        await self._use(connection)
                    finally:
                        self.connected -= 1
            except Unreachable as error:
                # Servers limit connections: as long as others work, this is only one fewer.
                if not self.connected and not self.stopped:
                    await self._stop(error.receipt)
                return

    async def _use(self, connection: Connection) -> None:
        while connection.usable and not self.stopped:
            taken = await self.outgoing.take(1)
            with Custody(self.outgoing, taken) as custody:
                if not taken:
                    self.stopped = True
                elif self.opened < self.most and not self.pool.full:
                    self.open_lane()
                for message in custody.left:
                    custody.settle(message, await self._sent(connection, message, custody))
            if self.pool.contended:
                return
        if self.troubles >= TROUBLES and not self.stopped:
            await self._stop(Deferred("the mail server keeps ending connections", scope=Scope.PROVIDER, code="dropped"))

    async def _sent(self, connection: Connection, message: Message, custody: Custody) -> Receipt:
        envelope = sealed(message)
        if not isinstance(envelope, Envelope):
            return envelope
        was_written = False

        def written() -> None:
            nonlocal was_written
            was_written = True
            custody.written((message,))

        carried = connection.carried
        try:
            made = receipt(*await connection.deliver(envelope, written))
        except Dropped as dropped:
            return self._after_drop(dropped, written=was_written, stale=carried > 0 and not dropped.answered)
        self.troubles = self.troubles + 1 if not connection.usable else 0
        if isinstance(made, Halt) or (isinstance(made, Deferred) and made.scope is Scope.PROVIDER):
            self.stopped = True
        return made

    def _after_drop(self, dropped: Dropped, *, written: bool, stale: bool) -> Receipt:
        """A connection that had carried mail and broke before a word was said is no trouble: servers do that."""
        if stale:
            return NotSent(dropped.why)
        self.troubles += 1
        return Unknown(dropped.why) if written else Deferred(dropped.why, code="dropped")

    async def _stop(self, why: Deferred | Halt) -> None:
        self.stopped = True
        log.warning("mail cannot leave", why=why.why, code=why.code)
        await stand_down(self.outgoing, why)
