"""What a hand-over asks of a ledger: one stream of owed mail, whatever it is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from app.core.db import Session
from app.core.mail.message import Message
from app.core.mail.receipt import Receipt, Standstill


class Row(Protocol):
    """A ledger's row that was begun."""

    @property
    def attempt(self) -> int: ...
    @property
    def expires_at(self) -> datetime: ...


R = TypeVar("R", bound=Row)
Settled = tuple[R, Receipt]


class Ledger(Protocol[R]):
    """One stream of owed mail: an edition's deliveries, or service mail."""

    async def turn(
        self, session: Session, settled: Sequence[Settled[R]], room: int | None, fault: Standstill | None = None
    ) -> Sequence[R] | None:
        """Proves and renews the lease, writes outcomes for their own attempts, and moves up to `room` due rows to
        `sending`; None where nothing is held any more. Without a room nothing is begun, nor is anything given back.

        `fault`: what `part` or `close` makes known in the same transaction. An edition that it pauses is locked before
        its shards are.
        """

    @property
    def waits(self) -> float:
        """Seconds until more can be begun of what only waits for tokens of its kind; 0.0 where nothing does."""

    def told(self, row: R) -> None:
        """The mailbox provider of `row` wants less of us: nothing more of its kind is begun."""

    def holds(self, row: R) -> bool:
        """May `row`, which was begun, still be written, as of the last turn: its lease is ours, its stream goes on."""

    async def address(self, row: R) -> Message | Receipt:
        """Makes the message, or says why there is none. Runs outside any transaction."""

    def written(self, row: R) -> None:
        """The mail of `row` may be out from here on: noted where it outlives this process."""

    async def part(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        """Only slow answers are still to come: as `close`, for whatever of the lease would keep new mail waiting."""

    async def close(self, session: Session, rest: timedelta | None, fault: Standstill | None) -> None:
        """Gives the lease back. `rest`: no tokens for so long; `fault`: why nothing leaves by this provider now."""
