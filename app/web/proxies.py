"""Whose word we take for where a request came from: X-Forwarded-For counts only as far as our own proxies wrote it."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Address = IPv4Address | IPv6Address
_MOST_HOPS = 20
_CLIENT_PREFIX = 64  # what one IPv6 household or phone holds (RFC 6177); a single address means nothing


class BehindProxies:
    """Puts the client's own address in the scope, where one of `trusted` handed the request on."""

    def __init__(self, app: ASGIApp, trusted: Iterable[str]) -> None:
        self.app = app
        self.trusted = tuple(ip_network(text) for text in trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.trusted and scope.get("client"):
            peer, port = scope["client"]
            client = client_of(peer, Headers(scope=scope).getlist("x-forwarded-for"), self.trusted)
            scope["client"] = (client, port if client == peer else 0)
        await self.app(scope, receive, send)


def client_of(peer: str, forwarded: Sequence[str], trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The rightmost hop that is not a proxy of ours; `peer` where it is not one itself.

    What stands left of that hop anybody may have written, so it is never looked at. A hop that is no address ends
    the walk at the proxy that passed it on.
    """
    client = peer
    hops = [hop for line in forwarded for hop in line.split(",")][-_MOST_HOPS:]
    while hops and _among(client, trusted):
        hop = address_of(hops.pop().strip())
        if hop is None:
            break
        client = str(hop)
    return client


def address_of(text: str) -> Address | None:
    """An address, also with a port behind it or in brackets; an IPv4 address mapped into IPv6 is that of IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def block_of(client: str) -> str:
    """What a limit counts as one client: an IPv4 address, or the /64 of an IPv6 address."""
    found = address_of(client)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, _CLIENT_PREFIX), strict=False))
    return str(found or "unknown")


def _among(client: str, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    found = address_of(client)
    return found is not None and any(found in network for network in trusted)
