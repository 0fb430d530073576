"""One connection that lives from drain to drain: how it is opened, whether it is still good, how it ends."""

import time
from dataclasses import dataclass

from app.providers.smtp_ahead import AHEAD, Ahead
from app.providers.smtp_carrier import Carrier
from app.providers.smtp_letter import Manner
from app.providers.smtp_session import Server, Session, open_session
from app.providers.smtp_wire import Wire

MESSAGES = 500
"""So many go over one connection; servers that want fewer say 421."""
_FRESH_FOR = 1.0
_RECYCLE_AFTER = 60.0


@dataclass(frozen=True, slots=True)
class Terms:
    """How connections are used: `most` messages on each, and no better a manner than `manner`."""

    most: int = MESSAGES
    manner: Manner = Manner.CHUNKED


class Connection:
    """An open session and the carrier that has taken it over."""

    def __init__(self, carrier: Carrier, check_patience: float) -> None:
        self.carrier = carrier
        self._check = check_patience
        self._idle_since = time.monotonic()

    @classmethod
    async def open(cls, server: Server, terms: Terms, ahead: int = AHEAD) -> "Connection":
        """One that may have so many messages in its hands. Raises Unreachable."""
        session = await open_session(server)
        # Nothing is awaited from here to the taking over, so no answer is lost between the two.
        try:
            wire = Wire(session, server.patience.block)
            manner = manner_of(session, terms.manner)
            size = session.supports_extension("size")
            carrier = Carrier(wire, manner, server.patience, size=size, most=terms.most)
        except BaseException:
            session.close()
            raise
        carrier.ahead = Ahead(ahead)
        return cls(carrier, server.patience.check)

    @property
    def usable(self) -> bool:
        """Can another message begin on it?"""
        return self.carrier.usable

    async def still_there(self) -> bool:
        """Is a connection that lay idle good for more? If not, it is closed."""
        idle = time.monotonic() - self._idle_since
        if not self.usable or idle > _RECYCLE_AFTER:
            await self.quit()
            return False
        if idle < _FRESH_FOR:
            return True
        good = await self.carrier.ask("RSET", self._check) == 250
        if not good:
            self.drop()
        return good

    def laid_down(self) -> bool:
        """Nobody uses it for now; False where it is of no more use."""
        self._idle_since = time.monotonic()
        self.carrier.serve(None)
        return self.usable and self.carrier.idle

    async def quit(self) -> None:
        """Says good-bye, waits a moment for the answer, and closes."""
        try:
            await self.carrier.ask("QUIT", self._check)
        finally:
            self.drop()

    def drop(self) -> None:
        """Closes at once."""
        self.carrier.wire.close()


def manner_of(session: Session, most: Manner) -> Manner:
    """The best manner that the server offers. CHUNKING alone gains nothing over lock-step."""
    if most is Manner.LOCKSTEP or not session.supports_extension("pipelining"):
        return Manner.LOCKSTEP
    if most is Manner.PIPELINED or not session.supports_extension("chunking"):
        return Manner.PIPELINED
    return Manner.CHUNKED
