"""HTTP/1.1 for strangers: uvicorn's protocol with time limits, and with a share of the connections for each network.

Without them a thousand half-sent requests are a thousand open connections for as long as their senders like (slowloris,
CWE-400). What is slow is closed; what is quick never meets this.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.web.proxies import address_of

HEAD_WITHIN = 10.0
"""Seconds for a request line and all headers, from the connection's beginning or the head's first octet."""
BODY_WITHIN = 30.0
"""Seconds for a body, from the end of its head. The longest we read is a megabyte."""
TAKEN_WITHIN = 30.0
"""Seconds in which a client takes what waits for it, 64 KiB at a time; and what is left when the answer is over."""
MOST_FROM_ONE = 100
"""Connections at once from one network: a /24 of IPv4, a /64 of IPv6."""
LONGEST_HEAD = 32_768
"""Octets of a request line with all its headers, before any of it is looked at."""
_IPV4_PREFIX, _IPV6_PREFIX = 24, 64
_TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\nretry-after: 10\r\ncontent-length: 0\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Crowd:
    """How many connections each network holds open, and all together: never more than `most`.

    Our proxies and this machine speak for many networks: they count among all alone.
    """

    def __init__(self, trusted: Iterable[str] = (), most: int = 100_000) -> None:
        self._trusted = tuple(ip_network(text) for text in trusted)
        self._most = most
        self._open = Counter[str]()

    def enter(self, peer: str) -> str | None:
        """The name under which a connection is counted, which `leave` is told; None where there is no room for it."""
        network = self._network(peer)
        if self._open.total() >= self._most or (network and self._open[network] >= MOST_FROM_ONE):
            return None
        self._open[network] += 1
        return network

    def leave(self, network: str) -> None:
        self._open[network] -= 1
        if self._open[network] <= 0:
            del self._open[network]

    def _network(self, peer: str) -> str:
        found = address_of(peer)
        if found is None or found.is_loopback or any(found in one for one in self._trusted):
            return ""
        prefix = _IPV6_PREFIX if isinstance(found, IPv6Address) else _IPV4_PREFIX
        return str(ip_network((ip_address(str(found)), prefix), strict=False))


class _Timer:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None

    def start(self, seconds: float, what: Callable[[], None]) -> None:
        self.stop()
        self._handle = self._loop.call_later(seconds, what)

    def stop(self) -> None:
        if self._handle:
            self._handle.cancel()
            self._handle = None


class BoundedProtocol(H11Protocol):
    """`crowd` is shared by all connections of a server. Idle connections between requests are uvicorn's to close.

    Two timers: one for what is to come, begun with each head and body and by nothing that arrives meanwhile; one for
    what is to be taken.
    """

    def __init__(self, *args: Any, crowd: Crowd, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._crowd = crowd
        self._network: str | None = None
        self._awaited = ""
        """What is timed: a `head`, a `body`, or nothing."""
        self._coming, self._going = _Timer(self.loop), _Timer(self.loop)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._network = self._crowd.enter(self.client[0] if self.client else "")
        if self._network is None:
            transport.write(_TOO_MANY)
            self._close()
            return
        self._await("head")

    def connection_lost(self, exc: Exception | None) -> None:
        self._await("")
        self._going.stop()
        if self._network is not None:
            self._crowd.leave(self._network)
            self._network = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._network is not None:  # what was refused is not read
            super().data_received(data)

    def handle_events(self) -> None:
        """Called with whatever arrived, and after an answer for a request that had arrived before its end."""
        super().handle_events()
        if self.transport.is_closing():
            self._close()
        elif self.conn.their_state is h11.SEND_BODY:
            self._await("body")
        elif self.conn.their_state is h11.IDLE and self.timeout_keep_alive_task is None:
            self._await("head")
        else:
            self._await("")

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._close()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._going.start(TAKEN_WITHIN, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._going.stop()

    def _close(self) -> None:
        """What is still to be taken is waited for, but not for ever."""
        self._await("")
        self.transport.close()
        self._going.start(TAKEN_WITHIN, self.transport.abort)

    def _await(self, what: str) -> None:
        """Begins the time for a head or a body, once; ends it for anything else."""
        if what == self._awaited:
            return
        self._awaited = what
        self._coming.stop()
        if what:
            self._coming.start(HEAD_WITHIN if what == "head" else BODY_WITHIN, self._too_slow)

    def _too_slow(self) -> None:
        if self._awaited == "head" and self.conn.our_state is h11.IDLE:
            self.transport.write(_TOO_SLOW)
        self._close()
