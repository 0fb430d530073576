"""Slow clients, long heads and one network's many connections, by real sockets against uvicorn with our protocol."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus

import pytest
import uvicorn
from httpx import AsyncClient, AsyncHTTPTransport
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web import protocol
from app.web.problems import TITLES
from app.web.protocol import LONGEST_HEAD, MOST_FROM_ONE, BoundedProtocol, Crowd

OK = b"HTTP/1.1 200 OK"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, and says how long it was."""
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(length).encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    )
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(app: ASGIApp, crowd: Crowd) -> AsyncIterator[int]:
    """The port of a server of `app`."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_config=None, lifespan="off", h11_max_incomplete_event_size=LONGEST_HEAD,
            http=partial(BoundedProtocol, crowd=crowd),  # type: ignore[arg-type]  # a factory
        )
    )  # fmt: skip
    running = asyncio.create_task(server._serve([listener]))
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield int(listener.getsockname()[1])
    server.should_exit = True
    await running


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(protocol, "HEAD_WITHIN", 0.5)
    monkeypatch.setattr(protocol, "BODY_WITHIN", 0.8)
    async with serving(echo, Crowd()) as number:
        yield number


async def said(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """All that the server says to some octets, until it closes or has been silent for three seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            with suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(pause)
        heard = b""
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(3):
                while more := await reader.read(4096):
                    heard += more
        return heard
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


HEAD = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\nconnection: close\r\n\r\n"


async def test_a_request_that_arrives_in_pieces_is_answered(port: int) -> None:
    """Slow is not too slow."""
    assert (await said(port, HEAD[:20], HEAD[20:], b"abc", b"def", pause=0.1)).startswith(OK)


@pytest.mark.parametrize("sent", [(), (HEAD[:30],), tuple(HEAD[index : index + 1] for index in range(30))])
async def test_a_head_that_never_ends_is_closed(port: int, sent: tuple[bytes, ...]) -> None:
    """Nothing at all, half of it, or an octet now and then, which begins no new time."""
    began = asyncio.get_running_loop().time()
    heard = await said(port, *sent, pause=0.04)
    assert heard in (protocol._TOO_SLOW, b"")  # what is sent to a closed connection may take the answer with it
    assert asyncio.get_running_loop().time() - began < 2.9  # closed, and not waited for


async def test_a_body_that_never_ends_is_closed(port: int) -> None:
    """However its octets trickle."""
    began = asyncio.get_running_loop().time()
    assert await said(port, HEAD, b"a", b"b", b"c", pause=0.1) == b""
    assert asyncio.get_running_loop().time() - began < 2.9


async def test_a_head_that_is_too_long_is_refused(port: int) -> None:
    """Before it is complete."""
    heard = await said(port, b"GET /" + b"a" * LONGEST_HEAD, b"a" * LONGEST_HEAD)
    assert heard.startswith((b"HTTP/1.1 400", b""))
    assert OK not in heard


async def test_a_thousand_slow_clients_leave_room_for_a_quick_one(port: int) -> None:
    """Who sends half a head holds a connection for its time, and nobody else up; then it is closed."""
    slow = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(300)))
    for _, writer in slow:
        writer.write(HEAD[:25])
    assert (await said(port, HEAD, b"abcdef")).startswith(OK)
    for reader, writer in slow:
        async with asyncio.timeout(20):
            assert await reader.read() == protocol._TOO_SLOW
        writer.close()


def test_a_network_has_its_share() -> None:
    """A /24 and a /64 count as one; another is not touched; who leaves makes room. Proxies and loopback are free."""
    crowd = Crowd(["198.51.100.7/32"])
    for peers in (["203.0.113.5", "203.0.113.77"], ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"]):
        names = [crowd.enter(peers[number % 2]) for number in range(MOST_FROM_ONE)]
        assert all(names)
        assert crowd.enter(peers[0]) is None
        crowd.leave(str(names[0]))
        assert crowd.enter(peers[1])
    assert crowd.enter("192.0.2.9")
    assert crowd.enter("2001:db8:1:3::1")
    for free in ("127.0.0.1", "::1", "198.51.100.7", "", "a socket"):
        assert [crowd.enter(free) for _ in range(MOST_FROM_ONE + 1)] == [""] * (MOST_FROM_ONE + 1)


@pytest.mark.parametrize("second", [HEAD[:30], HEAD, HEAD + b"abc"], ids=["head", "no body", "half a body"])
async def test_what_was_sent_behind_a_request_is_timed_too(port: int, second: bytes) -> None:
    """A second request that began to arrive with the first is closed like any other that never ends."""
    first = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first + second)
    async with asyncio.timeout(60):
        assert (await reader.read()).startswith(OK)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_an_answer_that_nobody_takes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application that waits to send more is let go, and the connection no longer counts."""
    monkeypatch.setattr(protocol, "TAKEN_WITHIN", 0.2)
    let_go = asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        let_go.set()

    crowd = Crowd()
    async with serving(endless, crowd) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        async with asyncio.timeout(60):
            await let_go.wait()
        assert crowd._open.total() == 0
        writer.transport.abort()


async def test_one_beyond_the_share_is_told_so_while_others_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """By real sockets from two networks."""
    monkeypatch.setattr(protocol, "MOST_FROM_ONE", 5)
    monkeypatch.setattr(Crowd, "_network", lambda _, peer: peer.rpartition(".")[0])
    async with serving(echo, Crowd()) as port:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        assert await said(port) == protocol._TOO_MANY
        elsewhere = AsyncHTTPTransport(local_address="127.0.1.1")
        async with AsyncClient(transport=elsewhere, base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.post("/", content=b"abc")).text == "3"
        for _, writer in slow:
            writer.close()
            await writer.wait_closed()


def test_all_together_have_so_many() -> None:
    """Proxies and this machine too."""
    crowd = Crowd(["198.51.100.7/32"], most=3)
    names = [crowd.enter(peer) for peer in ("127.0.0.1", "198.51.100.7", "203.0.113.5", "192.0.2.1", "127.0.0.1")]
    assert names == ["", "", "203.0.113.0/24", None, None]
    crowd.leave("")
    assert crowd.enter("192.0.2.1") == "192.0.2.0/24"


def test_every_status_has_its_words() -> None:
    """Those that Python knew from the beginning say the same; the others are RFC 9110's."""
    renamed = {413, 414, 422}
    assert all(TITLES[code] == HTTPStatus(code).phrase for code in TITLES if code not in renamed)
