"""Behind a proxy: whose address it is, and that nobody can choose their own."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import select

from app.bootstrap import Container
from app.main import create_app
from app.models import Consent
from app.web.proxies import block_of, client_of

OURS = tuple(ip_network(text) for text in ("10.0.0.0/8", "127.0.0.1", "fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("203.0.113.9", ["192.0.2.7"], "203.0.113.9"),  # not a proxy of ours: what it says is ignored
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.7"], "192.0.2.7"),  # the left one was written by the client itself
        ("10.0.0.1", ["198.51.100.1", "192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.7, 10.2.3.4"], "192.0.2.7"),
        ("10.0.0.1", ["127.0.0.1, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["10.9.9.9"], "10.9.9.9"),
        ("10.0.0.1", ["rubbish"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7, rubbish"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7,"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7:4711"], "192.0.2.7"),
        ("fd00::1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("fd00::1", ["2001:DB8:0::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["10.0.0.2," * 50_000], "10.0.0.1"),
    ],
)
def test_the_client_is_the_rightmost_hop_that_is_not_ours(peer: str, forwarded: list[str], client: str) -> None:
    """Whatever stands left of it, anybody may have written."""
    assert client_of(peer, forwarded, OURS) == client


@pytest.mark.parametrize(
    ("client", "block"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_a_client_is_an_ipv4_address_or_a_64(client: str, block: str) -> None:
    assert block_of(client) == block


@pytest.mark.parametrize(
    ("trusted", "kept"), [("127.0.0.1", "192.0.2.7"), ("10.0.0.0/8", "127.0.0.1"), ("", "127.0.0.1")]
)
async def test_the_consent_records_the_client_and_never_a_spoofed_one(
    container: Container, trusted: str, kept: str
) -> None:
    """The header counts only where the peer is one of TRUSTED_PROXIES; other forwarding headers never count."""
    settings = container.settings.model_copy(update={"trusted_proxies": tuple(trusted.split())})
    app = create_app(replace(container, settings=settings))
    headers = {
        "x-forwarded-for": "198.51.100.66, 192.0.2.7",
        "forwarded": "for=198.51.100.66",
        "x-real-ip": "198.51.100.66",
        "cf-connecting-ip": "198.51.100.66",
    }
    async with AsyncClient(transport=ASGITransport(app), base_url="http://post.test") as client:
        answer = await client.post("/subscribe", json={"email": "ada@example.org"}, headers=headers)
    assert answer.status_code == 202
    async with container.db.read() as session:
        assert (await session.scalars(select(Consent.ip))).one() == kept
