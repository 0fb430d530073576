"""A stranger's link leads to the public Internet or nowhere."""

import pytest

from app.core.net.guard import may_reach, networks, parsed

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:db8::1", "100::1", "192.0.0.8", "192.0.0.192", "192.0.0.170",
    "192.88.99.1", "198.51.100.3", "203.0.113.9", "fec0::1", "feff::1", "3fff::1", "3fff:fff::1", "5f00::1",
    "2001:2::1",
    "2001:20::1", "64:ff9b:1::1", "168.63.129.16", "::ffff:168.63.129.16", "100.100.100.200", "192.175.48.1",
    "2002:a83f:8110::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2620:4f:8000::1", "febf::1", "fdff::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_on_the_public_internet_is_refused(text: str) -> None:
    """Loopback, private, link-local with the clouds' metadata service, shared, reserved, in every spelling."""
    assert not may_reach(parsed(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_pass(text: str) -> None:
    """Also behind a DNS64."""
    assert may_reach(parsed(text))


def test_a_network_may_be_allowed_by_name() -> None:
    """An intranet's own feeds; nothing beside it."""
    allowed = networks(["10.2.0.0/16", "fd00::/8"])
    assert may_reach(parsed("10.2.3.4"), allowed)
    assert may_reach(parsed("::ffff:10.2.3.4"), allowed)
    assert may_reach(parsed("fd00::7"), allowed)
    assert not may_reach(parsed("10.3.3.4"), allowed)
    assert not may_reach(parsed("127.0.0.1"), allowed)
