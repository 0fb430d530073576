"""The mails that a hand-over has begun: ready for the provider, out with it, or answered and not written down yet."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic

from app.core.mail.message import Message
from app.core.mail.receipt import Receipt
from app.stages.send.ledger import R, Settled


class InHand(Generic[R]):
    """Every row that was begun is in exactly one of three places, until its outcome is committed."""

    def __init__(self) -> None:
        self._ready: deque[tuple[Message, R]] = deque()
        self._out: dict[tuple[int, int], R] = {}
        self._settled: list[Settled[R]] = []

    @property
    def ready(self) -> int:
        """How many may be given to the provider."""
        return len(self._ready)

    @property
    def out(self) -> int:
        """How many the provider has."""
        return len(self._out)

    @property
    def open(self) -> int:
        """How many have no answer."""
        return len(self._out) + len(self._ready)

    @property
    def is_answered(self) -> bool:
        """Is there an answer that is not committed yet?"""
        return bool(self._settled)

    @property
    def settled(self) -> Sequence[Settled[R]]:
        """The answers that are not committed yet; a copy, since more may come meanwhile."""
        return tuple(self._settled)

    def add(self, message: Message, row: R) -> None:
        self._ready.append((message, row))

    def give(self, most: int) -> Sequence[Message]:
        """Moves up to `most` to the provider."""
        given = [self._ready.popleft() for _ in range(min(most, len(self._ready)))]
        for message, row in given:
            self._out[message.key, message.attempt] = row
        return [message for message, _ in given]

    def row_of(self, message: Message) -> R | None:
        """The row of a message that the provider has; None where it does not have it."""
        return self._out.get((message.key, message.attempt))

    def answered(self, message: Message) -> R | None:
        """Takes a message back from the provider; None where it does not have it."""
        return self._out.pop((message.key, message.attempt), None)

    def settle(self, row: R, receipt: Receipt) -> None:
        self._settled.append((row, receipt))

    def committed(self, settled: Sequence[Settled[R]]) -> None:
        """These answers, the oldest, are written down."""
        del self._settled[: len(settled)]

    def withdraw(self, unless: Callable[[R], bool] = lambda _: False) -> list[R]:
        """Takes out what is ready, but for rows that may go out still; somebody is to say what becomes of them."""
        gone = [row for _, row in self._ready if not unless(row)]
        if gone:
            self._ready = deque((message, row) for message, row in self._ready if unless(row))
        return gone

    def abandon(self) -> list[R]:
        """Takes back all that the provider has and gave no answer for."""
        rows = list(self._out.values())
        self._out.clear()
        return rows
