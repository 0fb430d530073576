"""What DNS says of a domain, asked of a real server on this machine."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.core.errors import ConfigurationError
from app.core.mail.receipt import Fault, Rejected
from app.core.settings import load_settings
from app.stages.send import exchangers
from app.stages.send.exchangers import Exchangers, Verdict
from tests.dns_server import DnsServer, serving

WORLD: dict[str, list[str] | str] = {
    "mx.example": ["MX 10 mail.mx.example.", "MX 20 other.example."],
    "null.example": ["MX 0 .", "A 192.0.2.1"],
    "odd.example": ["MX 0 .", "MX 10 mail.example."],
    "four.example": ["A 192.0.2.1"],
    "six.example": ["AAAA 2001:db8::1"],
    "text.example": ["TXT hello"],
    "xn--bcher-kva.example": ["MX 10 mail.example."],
    "silent.example": "silent",
    "broken.example": "broken",
}


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with serving(WORLD) as running:
        yield running


@pytest.fixture
def ask(server: DnsServer) -> Exchangers:
    return exchangers.build(server.address)


@pytest.mark.parametrize(
    ("domain", "verdict"),
    [
        ("mx.example", Verdict.TAKES),
        ("null.example", Verdict.NULL_MX),
        ("odd.example", Verdict.TAKES),
        ("four.example", Verdict.TAKES),
        ("six.example", Verdict.TAKES),
        ("text.example", Verdict.NO_HOST),
        ("nowhere.example", Verdict.NO_DOMAIN),
        ("xn--bcher-kva.example", Verdict.TAKES),
        ("broken.example", Verdict.UNANSWERED),
    ],
)
async def test_the_verdict_follows_the_rules_of_mail(ask: Exchangers, domain: str, verdict: Verdict) -> None:
    """MX, else A or AAAA; a null MX only where it stands alone; an answer that failed says nothing."""
    assert await ask.verdict(domain) is verdict


async def test_a_refusal_is_the_addresss_fault_and_names_the_domain(ask: Exchangers) -> None:
    """By a code and a sentence that holds no more of the address than its domain."""
    assert await ask.refusal("Ada@Null.example") == Rejected(
        "null.example says in DNS that it takes no mail (RFC 7505)", Fault.ADDRESS, "null-mx"
    )
    assert await ask.refusal("ada@mx.example") is None


async def test_a_server_that_does_not_answer_costs_nobody_their_mail(ask: Exchangers) -> None:
    """Nor one that is not there at all."""
    assert await ask.refusal("ada@silent.example") is None
    assert await exchangers.build("127.0.0.1:9").verdict("mx.example") is Verdict.UNANSWERED


async def test_an_answer_is_remembered(ask: Exchangers, server: DnsServer) -> None:
    """Good, bad and missing ones alike, whatever the case."""
    for _ in range(3):
        for who in ("a@mx.example", "b@MX.example", "c@null.example", "d@broken.example"):
            await ask.refusal(who)
    assert server.asked["mx.example MX"] == 1
    assert server.asked["null.example MX"] == 1
    before = sum(server.asked.values())
    await ask.refusal("d@broken.example")
    assert sum(server.asked.values()) == before


async def test_many_are_asked_at_once_and_for_a_bounded_time(
    ask: Exchangers, server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred silent domains hold mail up for seconds, not minutes; then all of them count as unanswered."""
    monkeypatch.setattr(exchangers, "PREPARE_WITHIN", 0.3)
    names = [f"silent{index}.example" for index in range(100)]
    server.records.update(dict.fromkeys(names, "silent"))
    await ask.prepare([*(f"ada@{name}" for name in names), "ada@null.example"])
    assert await asyncio.gather(*(ask.verdict(name) for name in names)) == [Verdict.UNANSWERED] * 100
    assert len(server.asked) <= exchangers.AT_ONCE + 1


async def test_what_is_remembered_does_not_grow_without_end(ask: Exchangers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten first."""
    monkeypatch.setattr(exchangers, "_DOMAINS", 5)
    for index in range(20):
        await ask.verdict(f"nowhere{index}.example")
    assert list(ask._known) == [f"nowhere{index}.example" for index in range(15, 20)]


@pytest.mark.parametrize("server", ["192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353"])
def test_a_server_is_an_address_perhaps_with_a_port(server: str) -> None:
    assert load_settings(resolver=server).resolver == server


@pytest.mark.parametrize("server", ["dns.example.org", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:0", "192.0.2.1:70000"])
def test_anything_else_is_refused_in_a_sentence(server: str) -> None:
    with pytest.raises(ConfigurationError, match="MORNINGPOST_RESOLVER: must be an IP address"):
        load_settings(resolver=server)
