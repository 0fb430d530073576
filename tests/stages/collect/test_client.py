"""The client against a real server that behaves well and badly."""

import asyncio
import gzip
from time import monotonic

import pytest

from app.core.errors import SourceError
from app.stages.collect.client import Unavailable, bearer, calling
from app.stages.collect.deadline import Deadline
from tests.conftest import NOON
from tests.stages.collect.standin import (
    Reply,
    StandIn,
    broken_json,
    closed_port,
    dripping,
    empty,
    hanging,
    hub_window,
    server_error,
    spent,
    too_many,
    web_page,
)

CONTACT = "https://post.example.org"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited from one try to the next."""
    found: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float, *rest: object) -> None:
        if seconds:
            found.append(seconds)
        await sleep(seconds, *rest)

    monkeypatch.setattr(asyncio, "sleep", noted)
    return found


async def ask(url: str, seconds: float = 30, *, token: str = "", path: str = "/page") -> object:
    async with calling("The Hub", url, CONTACT, bearer(token)) as caller:
        return await caller.json(path, [("q", "topic:llm stars:>=1")], deadline=Deadline(seconds, NOON))


async def refused(url: str, seconds: float = 30, path: str = "/page") -> SourceError:
    with pytest.raises(SourceError) as caught:
        await ask(url, seconds, path=path)
    return caught.value


async def test_an_answer_is_parsed_and_the_request_says_who_asks() -> None:
    """Query, User-Agent with our address, and no login where there is no token."""
    with StandIn(lambda asked: Reply({"q": asked.one("q")})) as server:
        assert await ask(server.url) == {"q": "topic:llm stars:>=1"}
    headers = server.asked[0].headers
    assert headers["user-agent"] == "ai-morning-post (+https://post.example.org)"
    assert "authorization" not in headers


async def test_a_host_where_nobody_listens_is_reported_at_once(waits: list[float]) -> None:
    """No second try, no waiting: the reader of the demo sees it immediately."""
    error = await refused(closed_port())
    assert str(error) == "The Hub could not be reached: connection refused"
    assert isinstance(error, Unavailable)
    assert waits == []


async def test_a_passing_fault_is_tried_again() -> None:
    """Two answers of 500, then a good one."""
    with StandIn(lambda _: Reply([1])) as server:
        server.fail("/page", server_error(), times=2)
        assert await ask(server.url) == [1]
        assert len(server.asked) == 3


async def test_a_lasting_fault_is_given_up_after_three_tries() -> None:
    """The sentence says what it answered."""
    with StandIn(lambda _: server_error()) as server:
        assert str(await refused(server.url)) == "The Hub could not be read: it answered 500"
        assert len(server.asked) == 3


async def test_no_second_try_is_begun_that_the_deadline_leaves_no_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first fault is then the answer."""
    monkeypatch.setattr("app.stages.collect.client.uniform", lambda *_: 100)
    with StandIn(lambda _: server_error()) as server:
        assert str(await refused(server.url)) == "The Hub could not be read: it answered 500"
        assert len(server.asked) == 1


async def test_a_short_wait_that_the_source_asks_for_is_kept() -> None:
    """Retry-After of one second, well within the deadline."""
    with StandIn(lambda _: Reply([1])) as server:
        server.fail("/page", too_many(1), times=1)
        began = monotonic()
        assert await ask(server.url) == [1]
        assert monotonic() - began >= 1


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        (too_many(600), 600),
        (hub_window(279), 280),
        (spent(int(NOON.timestamp()) + 42), 43),
        (Reply({"message": "secondary rate limit"}, 403, {"Retry-After": "90"}), 90),
        (Reply({}, 503, {"Retry-After": "Mon, 23 Nov 2026 12:02:00 GMT"}), 120),
        (Reply({}, 429), 60),
    ],
    ids=["Retry-After", "the Hub's window", "GitHub's reset", "GitHub's secondary limit", "an HTTP date", "unsaid"],
)
async def test_a_wait_longer_than_the_deadline_is_handed_on_at_once(
    reply: Reply, wait: int, waits: list[float]
) -> None:
    """Nobody sits through ten minutes, or what the deadline leaves of them; the error says how long."""
    with StandIn(lambda _: reply) as server:
        error = await refused(server.url)
        assert isinstance(error, Unavailable)
        assert error.retry_after == pytest.approx(wait, abs=1)
        assert "asks us to wait" in str(error)
        assert len(server.asked) == 1
        assert waits == []


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (web_page(), "its answer was not JSON"),
        (broken_json(), "its answer was not JSON"),
        (Reply(b'{"likes": NaN}'), "its answer was not JSON"),
        (Reply(b"[" * 200_000), "its answer was not JSON"),
        (Reply(b"\xff\xfe[]\x00"), "its answer was not JSON"),
        (empty(), "its answer was empty"),
        (Reply({"message": "Forbidden"}, 403), "it answered 403"),
        (Reply({"message": "Not Found"}, 404), "it answered 404"),
        (Reply({"message": "Bad credentials"}, 401), "it refused our token (401)"),
        (Reply({"message": "Validation Failed"}, 422), "it answered 422"),
        (Reply(b"x" * 9_000_000), "its answer is larger than 8 MB"),
        (
            Reply(gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"}),
            "its answer is larger than 8 MB",
        ),
        (Reply(b"not gzip", headers={"Content-Encoding": "gzip"}), "its answer could not be unpacked"),
        (Reply(b"", 302, {"Location": "/page"}), "it sent us round in circles"),
        (Reply(b"", 302, {"Location": "gopher://elsewhere/"}), "its address is not one we can ask"),
    ],
)
async def test_an_answer_that_is_of_no_use_is_refused_once_with_a_reason(reply: Reply, sentence: str) -> None:
    """These do not get better by asking again."""
    with StandIn(lambda _: reply) as server:
        assert sentence in str(await refused(server.url))


@pytest.mark.parametrize("reply", [hanging(100), dripping()], ids=["silence", "a byte now and then"])
async def test_a_slow_answer_ends_with_the_deadline(reply: Reply) -> None:
    """A server that drips never trips a read time-out; the deadline holds all the same."""
    with StandIn(lambda _: reply) as server:
        began = monotonic()
        error = await refused(server.url, 0.5)
        assert str(error) == "The Hub did not answer in time"
        assert monotonic() - began < 30


async def test_nothing_is_asked_when_the_time_is_over() -> None:
    """The request is not even begun."""
    with StandIn(lambda _: Reply([])) as server:
        assert "no time left" in str(await refused(server.url, 0))
        assert server.asked == []


async def test_a_token_goes_to_its_own_host_and_to_no_other() -> None:
    """A redirect within the host keeps the login; a redirect to another loses it."""
    with (
        StandIn(lambda _: Reply(["elsewhere"])) as elsewhere,
        StandIn(
            lambda asked: Reply(["here"]) if asked.path == "/here" else Reply(b"", 301, {"Location": there})
        ) as hub,
    ):
        there = "/here"
        assert await ask(hub.url, token="hf_secret") == ["here"]
        there = f"{elsewhere.url}/there"
        assert await ask(hub.url, token="hf_secret") == ["elsewhere"]
    assert [one.headers.get("authorization") for one in hub.asked] == ["Bearer hf_secret"] * 3
    assert "authorization" not in elsewhere.asked[0].headers


async def test_a_base_address_with_a_path_keeps_it() -> None:
    """GitHub Enterprise answers below /api/v3."""
    with StandIn(lambda asked: Reply([asked.path])) as server:
        assert await ask(server.url + "/api/v3", path="/search/repositories") == ["/api/v3/search/repositories"]


async def test_a_broken_connection_is_tried_again() -> None:
    """An answer shorter than it promised, then a good one."""
    with StandIn(lambda _: Reply([1])) as server:
        server.fail("/page", Reply([1, 2], cut=True), times=1)
        assert await ask(server.url) == [1]
