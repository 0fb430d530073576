"""The seam between the ledger and whoever carries the mail."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
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
    """Sends our Message-ID, by which a mail that arrives twice can be known."""
    own_headers: bool = True
    """Sends List-Unsubscribe, List-Unsubscribe-Post and our other headers as they are."""
    return_path: bool = True
    """Sends with the envelope sender that we name."""
    real: bool = True
    """False for the outbox: it reaches nobody, so ALLOWED_RECIPIENTS does not apply to it."""


class Need(StrEnum):
    """What mail of ours asks of a provider, and in what words it is missed."""

    ONE_CLICK = "cannot carry List-Unsubscribe and List-Unsubscribe-Post, which large mailbox providers demand"
    MESSAGE_ID = "puts a Message-ID of its own in the place of ours, so that a mail sent twice is not known as one"
    RETURN_PATH = "puts a return path of its own in the place of one at RETURN_PATH_DOMAIN"


DEMANDED = frozenset({Need.ONE_CLICK})
"""Without these no paper is sent by a provider; without the others less can be known afterwards."""


def wanted(*, own_return_path: bool) -> frozenset[Need]:
    """What is better to have than not; `own_return_path`: RETURN_PATH_DOMAIN is set."""
    return frozenset({Need.MESSAGE_ID, Need.RETURN_PATH} if own_return_path else {Need.MESSAGE_ID})


def lacking(capabilities: Capabilities, needs: Collection[Need]) -> list[str]:
    """Those of `needs` that a provider does not meet, in words that go on after its name."""
    can = {
        Need.ONE_CLICK: capabilities.raw or capabilities.own_headers,
        Need.MESSAGE_ID: capabilities.keeps_message_id,
        Need.RETURN_PATH: capabilities.return_path,
    }
    return [need.value for need in Need if need in needs and not can[need]]


class Outgoing(Protocol):
    """A stream of messages that are owed, as a provider sees it."""

    async def take(self, most: int) -> Sequence[Message]:
        """Up to `most` messages, already committed as being handed over; empty means stop.

        Safe for concurrent callers. May wait. Every message taken must be settled exactly once.
        """

    def may_write(self) -> bool:
        """May a message that was taken earlier still be begun? Asked before each one is."""

    def written(self, messages: Iterable[Message]) -> None:
        """They may be out from here on: called before the last octet of any of them goes to the transport."""

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
