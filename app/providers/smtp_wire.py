"""The transport of an open session, taken over: replies come out, octets go in, and silence has its limits."""

import asyncio
import socket
from typing import Protocol, cast

from app.providers.smtp_parse import Garbled, Replies
from app.providers.smtp_session import Session


class Listener(Protocol):
    """Who talks over a wire."""

    def replied(self, code: int, text: str) -> None:
        """One whole reply has come."""

    def pump(self) -> None:
        """Replies have come, or the transport is empty again: it may be time to write."""

    def lost(self, why: str, *, hung_up: bool) -> None:
        """The end, told once. `hung_up`: the server closed, after everything that it had to say."""


_BUFFER = 16_384
"""Octets read at a time. Left to itself, asyncio takes 256 kB of memory for each reply, which costs 10 µs."""


class Wire(asyncio.BufferedProtocol):
    """Holds back nothing: `paused` says whether the transport still holds octets of ours."""

    def __init__(self, session: Session, block_patience: float) -> None:
        self.paused = False
        self.closed = False
        self._session = session
        self._block = block_patience
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray(_BUFFER)
        self._replies = Replies()
        self._listener: Listener | None = None
        self._awaited = ""
        self._patience = self._deadline = 0.0
        self._held = 0
        self._timer: asyncio.TimerHandle | None = None
        self._transport = transport = cast("asyncio.Transport", session.transport)  # uvloop's do not say so themselves
        transport.set_protocol(self)
        # asyncio's TLS pauses at the limit already, where plain TCP pauses beyond it.
        transport.set_write_buffer_limits(high=1 if transport.get_extra_info("sslcontext") else 0, low=0)
        if transport.is_closing():
            self.closed = True

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    @property
    def at_once(self) -> int:
        """So many octets fit into the system's buffer when it is empty; what fits has gone out once it is written.

        Linux gives twice what may be used.
        """
        link = self._transport.get_extra_info("socket")
        return int(link.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)) // 2

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def expect(self, what: str, patience: float) -> None:
        """From now on the answer to `what` is awaited, so many seconds."""
        self._awaited, self._patience = what, patience
        self._arm(patience)

    def rest(self) -> None:
        """Nothing is awaited."""
        self._awaited = ""

    def close(self) -> None:
        """Closes at once, and tells nobody."""
        self.closed = True
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._session.close()

    # -- what asyncio calls ------------------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002  # asyncio's signature
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self.closed or self._listener is None:
            return
        came = False
        try:
            for code, text in self._replies.feed(bytes(self._buffer[:nbytes])):
                came = True
                self._listener.replied(code, text)
                if self.closed:
                    return
        except Garbled:
            what = f" to {self._awaited}" if self._awaited else ""
            self.fail(f"the mail server gave an answer{what} that is not SMTP")
            return
        if came:
            self._listener.pump()

    def pause_writing(self) -> None:
        self.paused = True
        self._held = self._transport.get_write_buffer_size()
        self._arm(self._block)

    def resume_writing(self) -> None:
        self.paused = False
        if self._awaited:
            self._arm(self._patience)
        if self._listener and not self.closed:
            self._listener.pump()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closed:
            at = f" at {self._awaited}" if self._awaited else ""
            self.fail(f"the mail server ended the connection{at}", hung_up=error is None)

    def fail(self, why: str, *, hung_up: bool = False) -> None:
        """Closes, and says why."""
        if self.closed:
            return
        self.close()
        if self._listener:
            self._listener.lost(why, hung_up=hung_up)

    # -- time --------------------------------------------------------------------------------------------

    def _arm(self, seconds: float) -> None:
        """One timer serves all limits: it is set anew only where a limit comes earlier than it would look."""
        self._deadline = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._deadline:
            if self._timer:
                self._timer.cancel()
            self._timer = self._loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        self._timer = None
        if self.paused:
            self._look_at_block()
        elif not self._awaited:
            return
        elif self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look)
        else:
            self.fail(f"the mail server gave no answer to {self._awaited} within {self._patience:g} s")

    def _look_at_block(self) -> None:
        held = self._transport.get_write_buffer_size()
        if held < self._held or self._loop.time() < self._deadline:
            if held < self._held:
                self._deadline = self._loop.time() + self._block
            self._held = held
            self._timer = self._loop.call_at(self._deadline, self._look)
        else:
            self.fail(f"the mail server took no part of the message within {self._block:g} s")
