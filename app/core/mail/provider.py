"""The seam between the ledger and whoever carries the mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from app.core.mail.message import Message
from app.core.mail.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can carry; checked before a send, so that nothing is dropped in silence."""

    raw: bool
    """Sends exactly the bytes we built."""
    batch: int = 1
    """Messages one call can carry."""
    idempotency: timedelta | None = None
    """How long a repeated call with the same key is answered without a second mail; None where there is no key."""
    keeps_message_id: bool = True
    real: bool = True
    """False for the outbox: it reaches nobody, so ALLOWED_RECIPIENTS does not apply to it."""


class Outgoing(Protocol):
    """A stream of messages that are owed, as a provider sees it."""

    async def take(self, most: int) -> Sequence[Message]:
        """Up to `most` messages, already committed as being handed over; empty means stop.

        Safe for concurrent callers. May wait. Every message taken must be settled exactly once.
        """

    def may_write(self) -> bool:
        """May a message that was taken earlier still be begun? Asked before each one is."""

    def settle(self, message: Message, receipt: Receipt) -> None:
        """Says what became of `message`. Never waits; the ledger writes it with its next group."""


class Provider(Protocol):
    """One way out. `name` is unique among the configured providers."""

    name: str
    capabilities: Capabilities

    async def drain(self, outgoing: Outgoing) -> None:
        """Takes and hands over until `take` gives nothing. Settles everything taken, also when cancelled.

        Raises nothing for what a server says or fails to say: that is a receipt.
        """

    async def check(self) -> None:
        """Raises ConfigurationError where this provider could not send now (unreachable, wrong credentials)."""

    async def close(self) -> None:
        """Gives up connections."""
