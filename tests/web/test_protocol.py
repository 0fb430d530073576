"""Slow clients, long heads and one network's many connections, by real sockets against uvicorn with our protocol."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from http import HTTPStatus

import pytest
import uvicorn
from fastapi import FastAPI
from httpx import AsyncClient
from starlette.types import Receive, Scope, Send

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


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(protocol, "HEAD_WITHIN", 0.5)
    monkeypatch.setattr(protocol, "BODY_WITHIN", 0.8)
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server = uvicorn.Server(
        uvicorn.Config(
            echo, log_config=None, lifespan="off", h11_max_incomplete_event_size=LONGEST_HEAD,
            http=partial(BoundedProtocol, crowd=Crowd()),  # type: ignore[arg-type]  # a factory
        )
    )  # fmt: skip
    serving = asyncio.create_task(server._serve([listener]))
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield int(listener.getsockname()[1])
    server.should_exit = True
    await serving


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


async def test_long_targets_and_headers_are_refused_by_the_application(client: AsyncClient, app: FastAPI) -> None:
    """414 and 431 (RFC 9110 section 15.5.15, RFC 6585 section 5), as problems, with the headers of every answer."""
    for path, headers, status in (
        ("/?q=" + "a" * 8_001, {}, 414),
        ("/" + "a" * 8_001, {}, 414),
        ("/", {"cookie": "a" * 9_000}, 431),
    ):
        answer = await client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["title"]) == (status, TITLES[status])
        assert "content-security-policy" in answer.headers
    assert (await client.get("/?q=" + "a" * 7_000, headers={"cookie": "a" * 7_000})).status_code == 200


def test_every_status_has_its_words() -> None:
    """Those that Python knew from the beginning say the same; the others are RFC 9110's."""
    renamed = {413, 414, 422}
    assert all(TITLES[code] == HTTPStatus(code).phrase for code in TITLES if code not in renamed)
