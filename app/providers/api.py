"""What every provider behind an HTTP API shares: the client, its time-outs, its pace, and what a failure proves."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

CONNECT, WRITE, READ = 10.0, 60.0, 60.0
_LONGEST_WINDOW = 60.0


class Failure(Exception):
    """No answer. `written`: the whole request body was with the transport, so the provider may have acted on it."""

    def __init__(self, why: str, *, written: bool) -> None:
        super().__init__(why)
        self.why = why
        self.written = written


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said: `body` is the decoded JSON, None where it was something else."""

    status: int
    headers: Mapping[str, str]
    body: Any

    def seconds(self, *names: str) -> float | None:
        """The first of these headers that is a number of seconds."""
        for name in names:
            try:
                value = float(self.headers.get(name, ""))
            except ValueError:
                continue
            if 0 <= value < float("inf"):
                return value
        return None


class Pace:
    """When the next call may be made, by what the provider said last (draft-ietf-httpapi-ratelimit-headers)."""

    def __init__(self) -> None:
        self._until = 0.0

    def heed(self, answer: Answer) -> None:
        """Takes note of the rate-limit headers of an answer."""
        reset = answer.seconds("ratelimit-reset")
        if answer.headers.get("ratelimit-remaining") == "0" and reset is not None:
            self._until = max(self._until, time.monotonic() + min(reset, _LONGEST_WINDOW))

    async def ready(self) -> None:
        """Waits until a call may be made."""
        await asyncio.sleep(max(0.0, self._until - time.monotonic()))


class Api:
    """Calls under one base URL, with one key. The key stands in a header only, and in no error."""

    def __init__(self, base: str, headers: Mapping[str, str]) -> None:
        self.base = base
        self._headers = dict(headers)
        self._tls = httpx.create_ssl_context()  # here, at start: it reads a large file
        self._client: httpx.AsyncClient | None = None

    async def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        written: Callable[[], None] | None = None,
    ) -> Answer:
        """One request; `written` is called when its body goes to the transport. Raises Failure."""
        gone = False

        async def content() -> AsyncIterator[bytes]:
            nonlocal gone
            gone = True
            if written:
                written()
            yield body

        sent = {"Content-Length": str(len(body)), "Content-Type": "application/json", **(headers or {})} if body else {}
        try:
            response = await self._open().request(method, path, content=content() if body else None, headers=sent)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Failure(_words(error), written=gone) from None
        return Answer(response.status_code, response.headers, _decoded(response))

    async def close(self) -> None:
        """Closes connections; a later call opens them again."""
        client, self._client = self._client, None
        if client:
            await client.aclose()

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=self.base,
                headers=self._headers,
                verify=self._tls,
                timeout=httpx.Timeout(connect=CONNECT, write=WRITE, read=READ, pool=CONNECT),
            )
        return self._client


def _decoded(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def _words(error: Exception) -> str:
    match error:
        case httpx.ConnectTimeout():
            return "no connection in time"
        case httpx.ConnectError():
            return f"no connection: {error}"
        case httpx.ReadTimeout():
            return "no answer in time"
        case _:
            return f"the connection broke ({type(error).__name__})"
