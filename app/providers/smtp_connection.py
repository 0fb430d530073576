"""One SMTP connection that carries message after message, in lock-step (RFC 5321 section 3.3)."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import cast

import aiosmtplib

from app.providers.custody import heed_cancellation
from app.providers.envelope import Envelope
from app.providers.smtp_replies import Stage
from app.providers.smtp_session import Patience, Server, Session, open_session

_WANTED = {Stage.MAIL: (250,), Stage.RCPT: (250, 251), Stage.DATA: (354,)}
_LEADING_DOT = re.compile(rb"(?m)^\.")
_FRESH_FOR = 1.0
_RECYCLE_AFTER = 60.0
_CLOSING = 421

Reply = tuple[Stage, int, str]


class Dropped(Exception):
    """The connection broke or fell silent. `answered`: this message had already had a reply on it."""

    def __init__(self, why: str, *, answered: bool) -> None:
        super().__init__(why)
        self.why = why
        self.answered = answered


class Connection:
    """An open session and what it is in the middle of."""

    def __init__(self, session: Session, patience: Patience) -> None:
        self._session = session
        self._patience = patience
        self._midway = False
        self._envelope_open = False
        self._answered = False
        self._idle_since = time.monotonic()
        self.carried = 0
        """Messages that this connection brought to a reply."""

    @classmethod
    async def open(cls, server: Server) -> "Connection":
        """Raises Unreachable."""
        return cls(await open_session(server), server.patience)

    @property
    def usable(self) -> bool:
        """Can another message begin on it?"""
        return self._session.is_connected and not self._midway

    async def deliver(self, envelope: Envelope, written: Callable[[], None]) -> Reply:
        """One mail transaction; gives the reply that decided it. Calls `written` with the final dot.

        Raises Dropped. A connection on which it raised, or was cancelled, is no longer usable.
        """
        self._midway, self._answered = True, False
        if self._envelope_open:
            await self._ask("RSET", self._patience.check, b"RSET")
            self._envelope_open = self._answered = False
        for stage, patience, words in self._commands(envelope):
            code, text = await self._ask(stage, patience, *words)
            self._answered = True
            if code not in _WANTED[stage]:
                self._envelope_open, self._midway = True, False
                break
        else:
            code, text = await self._content(envelope.content, written)
            stage, self._midway = Stage.DOT, False
        self._idle_since = time.monotonic()
        self.carried += 1
        if code == _CLOSING:  # RFC 5321 section 3.8: the server closes the channel
            self.drop()
        return stage, code, text

    async def still_there(self) -> bool:
        """Is a connection that lay idle good for more? If not, it is closed."""
        idle = time.monotonic() - self._idle_since
        if not self.usable or idle > _RECYCLE_AFTER:
            await self.quit()
            return False
        if idle < _FRESH_FOR:
            return True
        self._midway = True
        try:
            code, _ = await self._ask("RSET", self._patience.check, b"RSET")
        except Dropped:
            code = 0
        self._midway = self._envelope_open = False
        if code != 250:
            self.drop()
        return code == 250

    async def quit(self) -> None:
        """Says good-bye and closes."""
        await self._session.leave(self._patience.check)

    def drop(self) -> None:
        """Closes at once."""
        self._session.close()

    def _commands(self, envelope: Envelope) -> tuple[tuple[Stage, float, tuple[bytes, ...]], ...]:
        mail = [b"MAIL", b"FROM:<" + envelope.sender + b">"]
        if self._session.supports_extension("size"):
            mail.append(b"SIZE=%d" % len(envelope.content))  # RFC 1870: refused before it is sent
        rcpt = (b"RCPT", b"TO:<" + envelope.recipient + b">")
        return (
            (Stage.MAIL, self._patience.mail, tuple(mail)),
            (Stage.RCPT, self._patience.rcpt, rcpt),
            (Stage.DATA, self._patience.data, (b"DATA",)),
        )

    async def _ask(self, what: str, patience: float, *words: bytes) -> tuple[int, str]:
        try:
            reply = await self._session.execute_command(*words, timeout=patience)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._dropped(error, what, patience) from None
        heed_cancellation()
        return reply.code, reply.message

    async def _content(self, content: bytes, written: Callable[[], None]) -> tuple[int, str]:
        """The message, and the answer to its final dot.

        The dot goes out by itself, once everything before it has: so a connection that breaks in the middle
        of a message is known to have delivered nothing.
        """
        what, patience = "a part of the message", self._patience.block
        try:
            protocol = self._session.protocol
            if protocol is None or protocol.transport is None:
                raise aiosmtplib.SMTPServerDisconnected("Connection lost")
            protocol.write(_LEADING_DOT.sub(b"..", content))
            await _gone_out(cast("asyncio.WriteTransport", protocol.transport), patience)
            what, patience = Stage.DOT, self._patience.dot
            protocol.write(b".\r\n")
            written()
            reply = await protocol.read_response(timeout=patience)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._dropped(error, what, patience) from None
        return reply.code, reply.message

    def _dropped(self, error: Exception, what: str, patience: float) -> Dropped:
        self.drop()
        match error:
            case TimeoutError():
                why = f"the mail server gave no answer to {what} within {patience:g} s"
            case aiosmtplib.SMTPResponseException():
                why = f"the mail server gave an answer to {what} that is not SMTP"
            case _:
                why = f"the mail server ended the connection at {what}"
        return Dropped(why, answered=self._answered)


async def _gone_out(transport: asyncio.WriteTransport, patience: float) -> None:
    """Waits until the transport holds nothing back. Raises OSError when nothing moves for `patience` seconds."""
    left, since = transport.get_write_buffer_size(), time.monotonic()
    while left:
        await asyncio.sleep(0.01)
        if transport.is_closing():
            raise ConnectionResetError
        now = transport.get_write_buffer_size()
        if now < left:
            left, since = now, time.monotonic()
        elif time.monotonic() - since > patience:
            raise TimeoutError
