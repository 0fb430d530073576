"""HTTP/1.1 for strangers: uvicorn's protocol with time limits, and with a share of the connections for each network.

Without them a thousand half-sent requests are a thousand open connections for as long as their senders like (slowloris,
CWE-400). What is slow is closed; what is quick never meets this.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.web.proxies import address_of

HEAD_WITHIN = 10.0
"""Seconds for a request line and all headers, from the connection's beginning or the head's first octet."""
BODY_WITHIN = 30.0
"""Seconds for a body, from the end of its head. The longest we read is a megabyte."""
MOST_FROM_ONE = 100
"""Connections at once from one network: a /24 of IPv4, a /64 of IPv6."""
LONGEST_HEAD = 32_768
"""Octets of a request line with all its headers, before any of it is looked at."""
_IPV4_PREFIX, _IPV6_PREFIX = 24, 64
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Crowd:
    """How many connections each network holds open. Our proxies and this machine speak for many: they do not count."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted = tuple(ip_network(text) for text in trusted)
        self._open = Counter[str]()

    def enter(self, peer: str) -> str | None:
        """The name under which a connection is counted, empty where it is not; None where its network has too many."""
        network = self._network(peer)
        if network and self._open[network] >= MOST_FROM_ONE:
            return None
        if network:
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


class BoundedProtocol(H11Protocol):
    """`crowd` is shared by all connections of a server. Idle connections between requests are uvicorn's to close."""

    def __init__(self, *args: Any, crowd: Crowd, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._crowd = crowd
        self._network = ""
        self._awaited = ""
        """What is timed: a `head`, a `body`, or nothing."""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        network = self._crowd.enter(self.client[0] if self.client else "")
        if network is None:
            transport.abort()
            return
        self._network = network
        self._await("head")

    def connection_lost(self, exc: Exception | None) -> None:
        self._await("")
        if self._network:
            self._crowd.leave(self._network)
            self._network = ""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        match self.conn.their_state:
            case h11.IDLE:
                self._await("head")
            case h11.SEND_BODY:
                self._await("body")
            case _:
                self._await("")

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is not h11.SEND_BODY:
            self._await("")  # until the next head begins, or uvicorn's own time for idle connections is over

    def _await(self, what: str) -> None:
        """Begins the time for a head or a body, once; ends it for anything else."""
        if what == self._awaited:
            return
        if self._timer:
            self._timer.cancel()
        self._awaited = what
        within = {"head": HEAD_WITHIN, "body": BODY_WITHIN}.get(what)
        self._timer = self.loop.call_later(within, self._too_slow) if within else None

    def _too_slow(self) -> None:
        if self.transport.is_closing():
            return
        if self._awaited == "head" and self.conn.our_state is h11.IDLE:
            self.transport.write(_TOO_SLOW)
        self.transport.close()
