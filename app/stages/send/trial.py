"""One mail to one address, outside any ledger: an operator's test of an edition."""

from collections.abc import Iterable, Sequence

from app.core.errors import Conflict
from app.core.mail.message import Message
from app.core.mail.provider import Provider
from app.core.mail.receipt import Accepted, Receipt


class _Once:
    """An `Outgoing` of a single message."""

    def __init__(self, message: Message) -> None:
        self._waiting: list[Message] = [message]
        self.receipt: Receipt | None = None

    async def take(self, most: int) -> Sequence[Message]:
        taken, self._waiting = self._waiting[:most], self._waiting[most:]
        return taken

    def may_write(self) -> bool:
        return True

    def written(self, messages: Iterable[Message]) -> None:
        """Nobody takes a test mail over."""

    def settle(self, message: Message, receipt: Receipt) -> None:  # noqa: ARG002  # the seam's signature
        self.receipt = receipt


async def send(provider: Provider, message: Message) -> str:
    """Hands one message over and gives the provider's id for it. Raises Conflict with the reason it was not taken."""
    outgoing = _Once(message)
    await provider.drain(outgoing)
    match outgoing.receipt:
        case Accepted(id=provider_id):
            return provider_id
        case None:
            raise Conflict("The provider did not take the test mail.")
        case other:
            raise Conflict(f"The test mail was not accepted: {other.why or type(other).__name__}")
