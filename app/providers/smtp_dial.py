"""A TCP connection to a mail server, with a time-out for each of its addresses, and the name we give there."""

import asyncio
import errno
import re
import socket
from functools import cache

_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63}){1,20}\.?")
"""A full host name, of at least two labels."""


async def dial(host: str, port: int, within: float) -> socket.socket:
    """A connected socket, to the first address that answers `within` so many seconds. Raises OSError."""
    loop = asyncio.get_running_loop()
    failure = OSError(errno.EADDRNOTAVAIL, "it has no address")
    for family, _, _, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        # The protocol is named because asyncio sets TCP_NODELAY only then, and lock-step dies of Nagle's delays.
        link = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            link.setblocking(False)
            async with asyncio.timeout(within):
                await loop.sock_connect(link, address)
        except OSError as error:  # TimeoutError too
            link.close()
            failure = error
        except BaseException:
            link.close()
            raise
        else:
            return link
    raise failure


async def machine_name() -> str:
    """The full name of this machine; asked once, since the answer may come from the network."""
    return await asyncio.to_thread(_machine_name)


def ehlo_name(machine: str, link: socket.socket) -> str:
    """What EHLO says: the machine's name, or its address where it has none (RFC 5321 section 4.1.4)."""
    if machine.startswith("[") or (_NAME.fullmatch(machine) and not machine.startswith("localhost")):
        return machine
    address: str = link.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


@cache
def _machine_name() -> str:
    return socket.getfqdn()
