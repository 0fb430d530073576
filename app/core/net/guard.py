"""Which network addresses a stranger's link may lead us to. Pure.

A feed's address, and every address it redirects to, is chosen by somebody else; what lies inside our own network, or on
this machine, is none of theirs (server-side request forgery, CWE-918).
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SPECIAL = tuple(
    ip_network(text)
    for text in (
        # IANA IPv4 Special-Purpose Address Registry (RFC 6890), every entry, global or not, and multicast
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        # IANA IPv6 Special-Purpose Address Registry, likewise; what embeds an IPv4 address is judged by that
        "::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32",
        "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        # where clouds answer their own machines (Azure's wire server, Alibaba's metadata; the others lie in the above)
        "168.63.129.16/32", "100.100.100.200/32",
    )
)  # fmt: skip
"""What is not the public Internet, or has no web server of a stranger. Ours, since Python's own list differs from one
release to the next (3.11.7 calls 192.0.0.192, fec0::1 and 3fff::1 global)."""
_TRANSLATED = ip_network("64:ff9b::/96")
"""IPv6 addresses that a gateway turns into the IPv4 address in their last 32 bits (RFC 6052)."""
_COMPATIBLE = ip_network("::/96")


def may_reach(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether `address` is on the public Internet, or in one of the `allowed` networks."""
    inner = _embedded(address)
    if any(one in network for one in (address, inner) for network in allowed):
        return True
    # The inner one alone is judged: behind a DNS64 every IPv4 host has an address that is special by itself.
    return not any(inner in network for network in _SPECIAL)


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
