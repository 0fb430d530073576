"""Which network addresses a stranger's link may lead us to. Pure.

A feed's address, and every address it redirects to, is chosen by somebody else; what lies inside our own network, or on
this machine, is none of theirs (server-side request forgery, CWE-918).

The table is our own. `ipaddress` answers by the registries as its Python release knew them: 3.11.7 takes 192.0.0.8,
3fff::1 and fec0::1 for public, and no registry lists the addresses at which clouds answer their guests.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NOT_PUBLIC: dict[str, str] = {
    # IANA IPv4 Special-Purpose Address Registry, https://www.iana.org/assignments/iana-ipv4-special-registry
    "0.0.0.0/8": "this network, RFC 791 section 3.2",
    "10.0.0.0/8": "private use, RFC 1918",
    "100.64.0.0/10": "shared address space of providers, RFC 6598; Alibaba Cloud's 100.100.100.200 is in it",
    "127.0.0.0/8": "loopback, RFC 1122 section 3.2.1.3",
    "169.254.0.0/16": "link-local, RFC 3927; the clouds' metadata at 169.254.169.254 is in it",
    "172.16.0.0/12": "private use, RFC 1918",
    "192.0.0.0/24": "IETF protocol assignments, RFC 6890 section 2.1; Oracle Cloud's 192.0.0.192 is in it",
    "192.0.2.0/24": "documentation, RFC 5737",
    "192.31.196.0/24": "AS112, RFC 7535",
    "192.52.193.0/24": "AMT relays, RFC 7450",
    "192.88.99.0/24": "6to4 relays, withdrawn by RFC 7526",
    "192.168.0.0/16": "private use, RFC 1918",
    "192.175.48.0/24": "AS112, RFC 7534",
    "198.18.0.0/15": "benchmarking, RFC 2544",
    "198.51.100.0/24": "documentation, RFC 5737",
    "203.0.113.0/24": "documentation, RFC 5737",
    "224.0.0.0/4": "multicast, RFC 5771",
    "240.0.0.0/4": "reserved, RFC 1112 section 4; 255.255.255.255 is in it",
    # IANA IPv6 Special-Purpose Address Registry, https://www.iana.org/assignments/iana-ipv6-special-registry
    "::/128": "unspecified, RFC 4291",
    "::1/128": "loopback, RFC 4291",
    "64:ff9b:1::/48": "local translation between IPv4 and IPv6, RFC 8215",
    "100::/64": "discard only, RFC 6666",
    "100:0:0:1::/64": "dummy prefix, RFC 9780",
    "2001::/23": "IETF protocol assignments, RFC 2928; Teredo is in it",
    "2001:db8::/32": "documentation, RFC 3849",
    "2620:4f:8000::/48": "AS112, RFC 7534",
    "3fff::/20": "documentation, RFC 9637",
    "5f00::/16": "segment routing, RFC 9602",
    "fc00::/7": "unique local, RFC 4193; Amazon's metadata at fd00:ec2::254 is in it",
    "fe80::/10": "link-local, RFC 4291",
    "fec0::/10": "site-local, withdrawn by RFC 3879",
    "ff00::/8": "multicast, RFC 4291",
    # Public by the registries, and yet answered by the machine's own cloud
    "168.63.129.16/32": "Azure's platform, https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16",
}
"""Networks that are not on the public Internet, and why. Of IPv6 only 2000::/3 is given out at all (RFC 4291 section
2.4), so that whatever is outside is refused too."""
_NETWORKS = tuple(ip_network(text) for text in NOT_PUBLIC)
_GIVEN_OUT = IPv6Network("2000::/3")

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv6 addresses that a gateway turns into the IPv4 address in their last 32 bits (RFC 6052)."""
_COMPATIBLE = IPv6Network("::/96")
"""The same of RFC 4291 section 2.5.5.1, withdrawn: :: and ::1 are in it, and stand for 0.0.0.0 and 0.0.0.1."""
_6TO4 = IPv6Network("2002::/16")
"""The IPv4 address is in bits 16 to 47 (RFC 3056 section 2)."""
_TEREDO = IPv6Network("2001::/32")
"""The server's IPv4 address is in bits 32 to 63, the client's, inverted, in the last 32 (RFC 4380 section 4)."""
_ISATAP = 0x00005EFE
"""Bits 64 to 95, but for the universal bit, of an address whose last 32 are an IPv4 address (RFC 5214 section 6.1)."""
_UNIVERSAL = 0x02000000


def may_reach(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether `address` is on the public Internet, or in one of the `allowed` networks.

    An IPv6 address that stands for IPv4 addresses is judged by those: behind a DNS64 every IPv4 host has one.
    """
    if _among(address, allowed):
        return True
    return all(_among(one, allowed) or _is_public(one) for one in _embedded(address) or (address,))


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks such as 10.0.0.0/8. Raises ValueError."""
    return tuple(ip_network(text) for text in texts)


def parsed(text: str) -> Address:
    """An address as the resolver writes it, without its zone. Raises ValueError."""
    return ip_address(text.partition("%")[0])


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GIVEN_OUT:
        return False
    return not _among(address, _NETWORKS)


def _among(address: Address, those: Sequence[Network]) -> bool:
    return any(address in network for network in those)


def _embedded(address: Address) -> tuple[Address, ...]:
    """The IPv4 addresses that an IPv6 address stands for; with itself where it is reached by itself too."""
    if isinstance(address, IPv4Address):
        return ()
    bits = int(address)
    last = IPv4Address(bits & 0xFFFFFFFF)
    if address.ipv4_mapped or address in _TRANSLATED or address in _COMPATIBLE:
        return (last,)
    if address in _6TO4:
        return (IPv4Address(bits >> 80 & 0xFFFFFFFF),)
    if address in _TEREDO:
        return (IPv4Address(bits >> 64 & 0xFFFFFFFF), IPv4Address(~bits & 0xFFFFFFFF))
    if (bits >> 32 & 0xFFFFFFFF) & ~_UNIVERSAL == _ISATAP:
        return (last, address)
    return ()
