"""A stranger's link leads to the public Internet or nowhere."""

from ipaddress import IPv4Network, ip_network

import pytest

from app.core.net.guard import NOT_PUBLIC, may_reach, networks, parsed

PRIVATE = [
    # as they are
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.2.1", "198.18.0.1",
    "198.19.255.255",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "fec0::1", "feff::1",
    "ff02::1",
    "2001:db8::1", "100::1", "100:0:0:1::1", "3fff::1", "3fff:fff::1", "64:ff9b:1::7f00:1", "64:ff9b:1::808:808",
    "5f00::1", "2001:2::1", "2001:10::1", "2001:20::1", "4000::1", "::2:0:0:0:1",
    # clouds
    "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254",
    # IPv4 in IPv6
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:192.0.0.192", "::ffff:168.63.129.16", "::127.0.0.1", "::10.0.0.1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c000:c0::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b::a83f:8110", "2606:4700::5efe:7f00:1", "2606:4700::200:5efe:a00:1",
    # Teredo: either the server or the client is inside
    "2001:0:7f00:1::f7f7:f7f7", "2001:0:808:808::80ff:fffe", "2001:0:808:808::f5ff:fffe",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700:4700::1111", "2001:200::1", "2001:4860:4860::8888", "2a00:1450::1", "3ffe::1", "64:ff9b::808:808",
    "::ffff:8.8.8.8", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7", "2606:4700::5efe:808:808",
]  # fmt: skip


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_on_the_public_internet_is_refused(text: str) -> None:
    """Loopback, private, link-local with the clouds' metadata service, shared, reserved, in every spelling."""
    assert not may_reach(parsed(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_every_entry_of_the_table_is_refused_from_its_first_address_to_its_last(text: str) -> None:
    """IPv4 ones also where they are mapped, translated, compatible or 6to4. Teredo is judged by what it embeds."""
    network = ip_network(text)
    for address in (network[0], network[-1]):
        if text != "2001::/23" or address != network[0]:
            assert not may_reach(address)
        if isinstance(network, IPv4Network):
            high, low = int(address) >> 16, int(address) & 0xFFFF
            for spelling in (f"::ffff:{address}", f"64:ff9b::{address}", f"::{address}", f"2002:{high:x}:{low:x}::1"):
                assert not may_reach(parsed(spelling))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_every_entry_says_why(text: str) -> None:
    assert "RFC" in NOT_PUBLIC[text] or "https://" in NOT_PUBLIC[text]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_pass(text: str) -> None:
    """Also behind a DNS64, and right beside what is refused."""
    assert may_reach(parsed(text))


def test_a_network_may_be_allowed_by_name() -> None:
    """An intranet's own feeds; nothing beside it."""
    allowed = networks(["10.2.0.0/16", "fd00::/8"])
    assert may_reach(parsed("10.2.3.4"), allowed)
    assert may_reach(parsed("::ffff:10.2.3.4"), allowed)
    assert may_reach(parsed("fd00::7"), allowed)
    assert not may_reach(parsed("10.3.3.4"), allowed)
    assert not may_reach(parsed("127.0.0.1"), allowed)
