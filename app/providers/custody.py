"""What every provider owes for what it takes: exactly one receipt a message, however the hand-over ends."""

import asyncio
from collections.abc import Collection, Iterable
from types import TracebackType
from typing import Self

import structlog

from app.core.mail.message import Message
from app.core.mail.provider import Outgoing
from app.core.mail.receipt import Deferred, NotSent, Receipt, Standstill, Unknown

log = structlog.get_logger(__name__)


class Custody:
    """Messages that were taken. Leaving the block settles whatever is left, also on cancellation.

    What was not written is `NotSent`; what was written whole, with no answer, is `Unknown`. An exception that
    nobody foresaw is logged and ends here: it costs one hand-over, not the stream.
    """

    def __init__(self, outgoing: Outgoing, messages: Iterable[Message]) -> None:
        self._outgoing = outgoing
        self._left = {(message.key, message.attempt): message for message in messages}
        self._written: set[tuple[int, int]] = set()

    def add(self, messages: Iterable[Message]) -> None:
        """More that was taken, for the same custody."""
        self._left.update(((message.key, message.attempt), message) for message in messages)
        heed_cancellation()

    @property
    def left(self) -> tuple[Message, ...]:
        """What has no receipt yet, in the order it was taken."""
        return tuple(self._left.values())

    def written(self, messages: Collection[Message]) -> None:
        """From here on silence means `Unknown`: the final dot or the request's body goes to the transport now."""
        self._outgoing.written(messages)
        self._written |= {(message.key, message.attempt) for message in messages}

    def refused(self, messages: Iterable[Message]) -> None:
        """The server answered that it took none of these: they are as if never written."""
        self._written -= {(message.key, message.attempt) for message in messages}

    def settle(self, message: Message, receipt: Receipt) -> None:
        """Gives the one receipt of `message`."""
        del self._left[message.key, message.attempt]
        self._written.discard((message.key, message.attempt))
        self._outgoing.settle(message, receipt)

    def __enter__(self) -> Self:
        try:
            heed_cancellation()
        except asyncio.CancelledError as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        unforeseen = isinstance(error, Exception)
        if unforeseen:
            log.error("a hand-over failed in a way nobody foresaw", exc_info=error)
        for key, message in list(self._left.items()):
            if key in self._written:
                self.settle(message, Unknown("the hand-over was broken off after the message was written"))
            elif unforeseen:
                self.settle(message, Deferred("the provider's client failed; see the log", code="client-error"))
            else:
                self.settle(message, NotSent("the hand-over was broken off before the message was written"))
        return unforeseen


def heed_cancellation() -> None:
    """Raises CancelledError where this task was told to stop and something on the way swallowed it.

    Up to Python 3.11 `asyncio.wait_for`, which our libraries use, loses a cancellation that comes together with
    its result.
    """
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


async def stand_down(outgoing: Outgoing, receipt: Standstill) -> None:
    """Tells the stream why nothing goes out now, on the next message owed; nothing of it is written."""
    with Custody(outgoing, await outgoing.take(1)) as custody:
        for message in custody.left:
            custody.settle(message, receipt)
