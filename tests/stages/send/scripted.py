"""A provider that answers as it is told, and remembers what it was given."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from app.core.mail.message import Message
from app.core.mail.provider import Capabilities, Outgoing
from app.core.mail.receipt import Accepted, Receipt

Script = Callable[[Message], Receipt]


class Scripted:
    """Hands over `most` at a time over `connections` lines."""

    name = "scripted"

    def __init__(
        self, script: Script | None = None, *, most: int = 1, connections: int = 3, real: bool = False
    ) -> None:
        self.capabilities = Capabilities(raw=True, batch=most, idempotency=timedelta(0), real=real)
        self.sent: list[Message] = []
        self.before: Callable[[Message], None] = lambda _: None
        self._script = script or (lambda message: Accepted(f"id-{message.key}"))
        self._connections = connections

    async def drain(self, outgoing: Outgoing) -> None:
        async def line() -> None:
            while messages := await outgoing.take(self.capabilities.batch):
                for message in messages:
                    outgoing.written([message])
                    self.before(message)
                    await asyncio.sleep(0)
                    self.sent.append(message)
                    outgoing.settle(message, self._script(message))

        await asyncio.gather(*(line() for _ in range(self._connections)))

    async def check(self) -> None: ...

    async def close(self) -> None: ...
