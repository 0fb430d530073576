"""Which network addresses a stranger's link may lead us to. Pure.

A feed's address, and every address it redirects to, is chosen by somebody else; what lies inside our own network, or on
this machine, is none of theirs (server-side request forgery, CWE-918).
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_TRANSLATED = ip_network("64:ff9b::/96")
"""IPv6 addresses that a gateway turns into the IPv4 address in their last 32 bits (RFC 6052)."""
_COMPATIBLE = ip_network("::/96")


def may_reach(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether `address` is on the public Internet, or in one of the `allowed` networks."""
    inner = _embedded(address)
    if any(one in network for one in (address, inner) for network in allowed):
        return True
    # The inner one alone is judged: behind a DNS64 every IPv4 host has an address that is "reserved" by itself.
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks such as 10.0.0.0/8. Raises ValueError."""
    return tuple(ip_network(text) for text in texts)


def parsed(text: str) -> Address:
    """An address as the resolver writes it, without its zone. Raises ValueError."""
    return ip_address(text.partition("%")[0])


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for; itself where it stands for none."""
    if isinstance(address, IPv4Address):
        return address
    for inner in (address.ipv4_mapped, address.sixtofour, address.teredo and address.teredo[1]):
        if inner:
            return inner
    if address in _TRANSLATED or address in _COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
