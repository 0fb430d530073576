"""Fetching what a stranger's address leads to: bounded in time, size and redirects, and never inside our own walls."""

import asyncio
import gzip
import socket
import ssl
import tracemalloc
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest
import trustme

from app.core.errors import SourceError
from app.core.net.guard import networks
from app.core.net.pinned import Forbidden
from app.stages.collect import fetch
from app.stages.collect.deadline import Deadline
from app.stages.collect.fetch import Answer, Fetcher, Gone, Validators
from tests.conftest import NOON
from tests.stages.collect.standin import Reply, StandIn, closed_port, too_many

HERE = networks(["127.0.0.1/32"])
FETCHER = Fetcher("https://post.example.org", HERE)


def feed(body: bytes = b"<rss/>", status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(body, status, {"Content-Type": "application/rss+xml", **(headers or {})})


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn(lambda asked: feed()) as one:
        yield one


async def get(url: str, known: Validators = Validators(), fetcher: Fetcher = FETCHER, within: float = 20) -> Answer:
    return await fetcher.get(url, known, Deadline(within, NOON), pause=0.01)


def moved(to: str, status: int = 301) -> Reply:
    return Reply(b"", status, {"Location": to})


async def test_an_answer_comes_with_its_validators(server: StandIn) -> None:
    """And we say who asks, with an address; no condition is sent where none is known."""
    server.fail("/", feed(headers={"ETag": 'W/"7"', "Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT"}))
    answer = await get(f"{server.url}/feed")
    assert (answer.body, answer.url, answer.moved) == (b"<rss/>", f"{server.url}/feed", None)
    assert answer.validators == Validators('W/"7"', "Mon, 23 Nov 2026 10:00:00 GMT")
    asked = server.asked[0].headers
    assert "https://post.example.org" in asked["user-agent"]
    assert not {"if-none-match", "if-modified-since"} & set(asked)


async def test_what_is_known_is_asked_for_conditionally(server: StandIn) -> None:
    """304 leaves what we have; a validator that could not stand in a header is not sent."""
    server.fail("/", feed(b"", 304))
    assert (await get(f"{server.url}/", Validators('"7"', "Mon"))).body is None
    assert server.asked[0].headers["if-none-match"] == '"7"'
    assert server.asked[0].headers["if-modified-since"] == "Mon"
    await get(f"{server.url}/", Validators('"7\r\nX: y"', "é"))
    assert not {"if-none-match", "if-modified-since"} & set(server.asked[1].headers)


async def test_a_move_for_good_is_told_from_a_detour(server: StandIn) -> None:
    """Only where every step of the way was for good."""
    server.fail("/old", moved("/first"))
    server.fail("/first", moved("/new", 308))
    server.fail("/detour", moved("/old", 302))
    assert (await get(f"{server.url}/first")).moved == f"{server.url}/new"
    assert (await get(f"{server.url}/old")).moved == f"{server.url}/new"
    answer = await get(f"{server.url}/detour")
    assert (answer.moved, answer.url) == (None, f"{server.url}/new")


async def test_a_circle_of_redirects_ends(server: StandIn) -> None:
    """After five."""
    server.fail("/", moved("/again", 302))
    with pytest.raises(SourceError, match="in circles"):
        await get(f"{server.url}/")
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    "host",
    ["127.0.0.2", "169.254.169.254", "[::1]", "2130706434", "0x7f000002", "127.2", "[::ffff:127.0.0.2]",
     "10.0.0.1", "0.0.0.0", "[::]", "[fe80::1]"],
)  # fmt: skip
async def test_no_redirect_leads_inside(server: StandIn, host: str) -> None:
    """Whatever its spelling; nothing is connected to, and it is not tried again."""
    server.fail("/", moved(f"http://{host}:{server.url.rpartition(':')[2]}/latest/meta-data/"))
    with pytest.raises(Forbidden, match="not on the public Internet"):
        await get(f"{server.url}/")
    assert len(server.asked) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::1]", "0x7f.1"])
async def test_no_source_lies_inside_unless_its_network_is_allowed(server: StandIn, host: str) -> None:
    """Nothing reaches the server that listens there."""
    with pytest.raises(Forbidden, match="not on the public Internet"):
        await get(server.url.replace("127.0.0.1", host), fetcher=Fetcher("https://post.example.org"))
    assert server.asked == []


@pytest.mark.parametrize("to", ["ftp://example.org/", "file:///etc/passwd", "gopher://127.0.0.1/", "http://[::1/"])
async def test_no_redirect_leads_away_from_http(server: StandIn, to: str) -> None:
    """A sentence, and nothing read."""
    server.fail("/", moved(to))
    with pytest.raises(SourceError):
        await get(f"{server.url}/")
    assert len(server.asked) == 1


async def test_a_name_is_resolved_once_and_reached_where_it_was_checked(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when it is looked at and private a moment later (DNS rebinding) gains nothing."""
    answers = iter(["127.0.0.1", "127.0.0.2"])
    asked = resolving(monkeypatch, lambda host: [next(answers)])
    port = server.url.rpartition(":")[2]
    assert (await get(f"http://rebind.example:{port}/")).body == b"<rss/>"
    assert asked == ["rebind.example"]
    assert server.asked[0].headers["host"] == f"rebind.example:{port}"
    with pytest.raises(Forbidden):
        await get(f"http://rebind.example:{port}/")


async def test_a_name_with_one_address_inside_is_refused_whole(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the order of answers would decide."""
    resolving(monkeypatch, lambda host: ["127.0.0.1", "10.0.0.9"])
    with pytest.raises(Forbidden):
        await get(f"http://two.example:{server.url.rpartition(':')[2]}/")
    assert server.asked == []


async def test_the_next_address_is_tried_where_one_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with several, of which one is down."""
    with StandIn(lambda asked: feed()) as server:
        resolving(monkeypatch, lambda host: ["::1", "127.0.0.1"])
        answer = await get(
            f"http://both.example:{server.url.rpartition(':')[2]}/",
            fetcher=replace(FETCHER, allowed=networks(["127.0.0.1/32", "::1/128"])),
        )
    assert answer.body == b"<rss/>"


async def test_a_certificate_is_held_against_the_hosts_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the connection goes to an address."""
    authority = trustme.CA()
    inside, outside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("feeds.example").configure_cert(inside)
    authority.configure_trust(outside)
    monkeypatch.setattr(fetch, "trusted", lambda: outside)
    resolving(monkeypatch, lambda host: ["127.0.0.1"])
    with StandIn(lambda asked: moved("http://feeds.example/") if asked.path == "/down" else feed()) as server:
        server._server.socket = inside.wrap_socket(server._server.socket, server_side=True)
        port = server.url.rpartition(":")[2]
        assert (await get(f"https://feeds.example:{port}/")).body == b"<rss/>"
        with pytest.raises(SourceError, match="certificate was not accepted"):
            await get(f"https://other.example:{port}/")
        with pytest.raises(SourceError, match="from https to http"):
            await get(f"https://feeds.example:{port}/down")


async def test_a_size_is_the_limit_packed_or_not(server: StandIn) -> None:
    """Counted as it unpacks; 500 MB that came as 500 kB never lie in memory."""
    server.fail("/big", feed(b"x" * (fetch.LARGEST + 1)))
    server.fail("/bomb", feed(_bomb(), headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    for path in ("/big", "/bomb"):
        with pytest.raises(SourceError, match="larger than 5 MB"):
            await get(server.url + path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40_000_000
    assert len(server.asked) == 2


def _bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    block = bytes(1_000_000)
    return b"".join([*(packer.compress(block) for _ in range(500)), packer.flush()])


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("deflate", _raw_deflate(b"<rss/>")),
        ("gzip", gzip.compress(b"<rs") + gzip.compress(b"s/>")),
        ("gzip", gzip.compress(b"<rss/>") + b"\x00\x00\x00"),
        ("gzip", gzip.compress(b"<rss/>") + b"\n"),
        ("x-gzip", gzip.compress(b"<rss/>")),
        ("gzip, identity", gzip.compress(b"<rss/>")),
        ("none", b"<rss/>"),
        ("utf-8", b"<rss/>"),
        ("identity", b"<rss/>"),
        ("", b"<rss/>"),
    ],
)
async def test_answers_are_packed_as_servers_pack_them(server: StandIn, coding: str, body: bytes) -> None:
    """Without zlib's wrapping, in several members, with padding behind, or not at all though something is said."""
    for drip in (0.0, 0.001):
        server.fail("/packed", Reply(body, headers={"Content-Encoding": coding}, drip=drip))
        assert (await get(f"{server.url}/packed")).body == b"<rss/>"


async def test_members_without_end_are_bounded(server: StandIn) -> None:
    """Those that hold nothing count by what they weigh; of those that hold much no more than the limit is unpacked."""
    for body in (gzip.compress(b"") * 400_000, gzip.compress(b"x" * 4_000_000) * 3):
        server.fail("/members", feed(body, headers={"Content-Encoding": "gzip"}))
        with pytest.raises(SourceError, match="larger than 5 MB"):
            await get(f"{server.url}/members")


async def test_packed_answers_are_unpacked(server: StandIn) -> None:
    """As gzip or deflate; half of one, another packing and rubbish are named."""
    server.fail("/gzip", feed(gzip.compress(b"<rss/>"), headers={"Content-Encoding": "GZIP"}))
    server.fail("/deflate", feed(zlib.compress(b"<rss/>"), headers={"Content-Encoding": "deflate"}))
    server.fail("/half", feed(gzip.compress(b"<rss/>")[:-9], headers={"Content-Encoding": "gzip"}))
    server.fail("/brotli", feed(b"\x0b", headers={"Content-Encoding": "br"}))
    server.fail("/rubbish", feed(b"<rss/>", headers={"Content-Encoding": "gzip"}))
    assert (await get(f"{server.url}/gzip")).body == (await get(f"{server.url}/deflate")).body == b"<rss/>"
    for path, why in (("/half", "broke off"), ("/brotli", "'br'"), ("/rubbish", "not be unpacked")):
        with pytest.raises(SourceError, match=why):
            await get(server.url + path)


async def test_a_slow_drip_ends_with_its_time(server: StandIn) -> None:
    """A byte now and then keeps nobody waiting."""
    server.fail("/", replace(feed(b"<rss>" * 1000), drip=0.05))
    began = monotonic()
    with pytest.raises(SourceError, match="not answer in time"):
        await get(f"{server.url}/", fetcher=replace(FETCHER, exchange=0.5))
    assert monotonic() - began < 60


async def test_what_may_pass_is_asked_again(server: StandIn) -> None:
    """A server's own fault, and an answer cut short; then it is given up."""
    server.fail("/", feed(b"", 502), times=1)
    server.fail("/", replace(feed(), cut=True), times=1)
    assert (await get(f"{server.url}/")).body == b"<rss/>"
    server.fail("/", feed(b"", 500))
    with pytest.raises(SourceError, match="it answered 500"):
        await get(f"{server.url}/")
    assert len(server.asked) == 6


async def test_a_wait_that_is_asked_for_is_told_and_kept(server: StandIn) -> None:
    """It is not asked again now."""
    server.fail("/", too_many(120))
    with pytest.raises(SourceError, match="asks us to wait 120 s") as caught:
        await get(f"{server.url}/")
    assert caught.value.retry_after == 120
    assert len(server.asked) == 1


async def test_gone_and_not_found_are_different(server: StandIn) -> None:
    """410 is for good; 404 may be somebody's mistake."""
    server.fail("/gone", feed(b"", 410))
    server.fail("/lost", feed(b"", 404))
    with pytest.raises(Gone):
        await get(f"{server.url}/gone")
    with pytest.raises(SourceError, match="it answered 404") as caught:
        await get(f"{server.url}/lost")
    assert not isinstance(caught.value, Gone)


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "ftp://example.org", "http://a b/", "http://exa\nmple/"])
async def test_an_address_that_is_none_is_a_sentence(url: str) -> None:
    """No traceback."""
    with pytest.raises(SourceError):
        await get(url)


async def test_a_closed_door_and_a_name_without_address_are_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each says what it was."""
    with pytest.raises(SourceError, match="connection refused"):
        await get(closed_port())

    def nowhere(host: str) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    resolving(monkeypatch, nowhere)
    with pytest.raises(SourceError, match="host name was not found"):
        await get("http://nowhere.example/")


async def test_no_time_left_asks_nothing(server: StandIn) -> None:
    """The paper does not wait for a feed."""
    with pytest.raises(SourceError, match="no time left"):
        await get(f"{server.url}/", within=0)
    assert server.asked == []


def resolving(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[str]:
    """Lets `answer(host)` stand in for DNS; gives the list of what is asked."""
    asked: list[str] = []

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer(host)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return asked
