"""Connects only to addresses that were looked at: each host is resolved once, checked, and reached at what was checked.

Without the pin a name could be public when it is checked and private when it is connected to (DNS rebinding). It stands
in the transport, so that it holds for every redirect as well. No proxy is used: it would resolve names by itself.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence

import httpx

from app.core.errors import SourceError
from app.core.net.guard import Address, Network, may_reach, parsed


class Forbidden(SourceError):
    """The address lies where no feed has any business: in our own network, or on this machine."""


class PinnedTransport(httpx.AsyncBaseTransport):
    """HTTP to public addresses and to the `allowed` networks. Raises Forbidden for any other."""

    def __init__(self, trusted: ssl.SSLContext, allowed: Sequence[Network] = ()) -> None:
        self._inner = httpx.AsyncHTTPTransport(verify=trusted, trust_env=False, retries=0)
        self._allowed = tuple(allowed)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer of the first of the host's addresses that can be reached."""
        host = request.url.host
        if request.url.scheme not in ("http", "https") or not host:
            raise httpx.UnsupportedProtocol("neither http nor https")
        addresses = await _resolve(host, request.url.port or (443 if request.url.scheme == "https" else 80))
        for address in addresses:
            if not may_reach(address, self._allowed):
                raise Forbidden(f"{host} leads to {address}, which is not on the public Internet")
        for last, address in enumerate(addresses, 1):
            try:
                return await self._inner.handle_async_request(_pinned(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if last == len(addresses):
                    raise
        raise AssertionError("a host that resolves has an address")

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(parsed(str(one[4][0])) for one in found))
    except (socket.gaierror, UnicodeError, ValueError) as error:
        raise httpx.ConnectError("its host name was not found") from error


def _pinned(request: httpx.Request, address: Address) -> httpx.Request:
    """The same request to one address. `Host` and the name in TLS, which the certificate must bear, stay the host's."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
