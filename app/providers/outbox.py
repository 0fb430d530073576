"""`outbox:` keeps every mail on this machine, in a Maildir. For development, previews and tests."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

import structlog

from app.core.errors import ConfigurationError
from app.core.mail.message import Message
from app.core.mail.provider import Capabilities, Outgoing
from app.core.mail.receipt import Accepted, Deferred, Receipt, Scope
from app.providers import maildir
from app.providers.custody import Custody
from app.providers.envelope import Envelope, sealed
from app.providers.urls import ProviderUrl

BATCH = 100
log = structlog.get_logger(__name__)
Outcome = tuple[Message, Receipt]


class OutboxProvider:
    """Writes `new/<unique>.eml` under `folder`. What it accepts is on the disk; the id is the file's name."""

    capabilities = Capabilities(raw=True, batch=BATCH, real=False)

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder

    @classmethod
    def from_url(cls, url: ProviderUrl, folder: Path) -> "OutboxProvider":
        """`outbox:` and `?name=`."""
        url.allow()
        if url.host or url.user or url.password:
            raise url.wrong(f"outbox: takes no address; it writes into {folder}")
        return cls(url.name, folder)

    async def drain(self, outgoing: Outgoing) -> None:
        """Writes batches until nothing is owed or the disk refuses."""
        while messages := await outgoing.take(BATCH):
            with Custody(outgoing, messages) as custody:
                if not await self._hand_over(custody):
                    return

    async def check(self) -> None:
        """Raises ConfigurationError where the folder cannot be written."""
        try:
            await asyncio.to_thread(maildir.probe, self.folder, f"{secrets.token_hex(8)}.probe")
        except OSError as error:
            raise ConfigurationError(f"the outbox {self.folder} cannot be written: {error.strerror}") from None

    async def close(self) -> None:
        """Holds nothing open."""

    async def _hand_over(self, custody: Custody) -> bool:
        """Settles all of `custody`; False where the disk refused."""
        custody.written(custody.left)
        writing = asyncio.ensure_future(asyncio.to_thread(self._write, custody.left))
        try:
            await asyncio.shield(writing)
        finally:
            # A thread cannot be called back: even when this task is cancelled its outcome is what happened.
            while not writing.done():
                await _ended(writing)
            outcomes = writing.result()
            for message, receipt in outcomes:
                custody.settle(message, receipt)
        refused = next((receipt for _, receipt in outcomes if isinstance(receipt, Deferred)), None)
        if refused:
            log.warning("mail cannot leave", why=refused.why, code=refused.code)
        return refused is None

    def _write(self, messages: Sequence[Message]) -> list[Outcome]:
        """Runs in a thread: encoding is as much work as writing."""
        outcomes: list[Outcome] = []
        files: list[tuple[str, bytes]] = []
        whole: list[Message] = []
        for message in messages:
            match sealed(message):
                case Envelope(content=content):
                    files.append((_file_name(message), content))
                    whole.append(message)
                case refused:
                    outcomes.append((message, refused))
        error = maildir.deliver(self.folder, files)
        for message, (name, _) in zip(whole, files, strict=True):
            outcomes.append((message, self._deferred(error) if error else Accepted(name)))
        return outcomes

    def _deferred(self, error: OSError) -> Deferred:
        return Deferred(f"the outbox cannot be written: {error.strerror}", scope=Scope.PROVIDER, code="outbox")


async def _ended(task: "asyncio.Future[list[Outcome]]") -> None:
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        return


def _file_name(message: Message) -> str:
    """Unique, and in the order of hand-over when sorted."""
    return f"{message.date.astimezone(UTC):%Y%m%dT%H%M%S}.{secrets.token_hex(8)}.eml"
