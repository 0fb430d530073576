"""Asks a source: bounded in time and size, patient where the source asks for patience.

Every failure leaves as SourceError with a sentence that names the source and says why.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from random import uniform
from typing import Any, NoReturn

import httpx

from app.core.errors import SourceError
from app.core.net.reasons import reason
from app.core.net.trust import trusted
from app.stages.collect.deadline import Deadline
from app.stages.collect.waits import Limits, asked_to_wait

LARGEST = 8 * 1024 * 1024
CONNECT, EXCHANGE = 3.0, 20.0
"""Seconds to reach a host, and for a whole answer."""
TRIES = 3
_TIMEOUT = httpx.Timeout(10.0, connect=CONNECT)

_GONE = (httpx.codes.NOT_FOUND, httpx.codes.GONE, httpx.codes.UNAVAILABLE_FOR_LEGAL_REASONS)

Params = Sequence[tuple[str, str]]


class Unavailable(SourceError):
    """Nobody listens there, or it refuses our token, or it asks us to wait: asking for more is of no use now."""


class _Passing(Exception):
    """A failure that may be gone in a moment; `wait` is in seconds where the source named them."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Gone(SourceError):
    """There is no such thing any more: 404, 410, or 451, taken down for legal reasons."""


class Caller:
    """One source's address, asked until `deadline`."""

    def __init__(self, name: str, client: httpx.AsyncClient) -> None:
        self._name = name
        self._client = client
        self._limits = Limits()

    async def json(self, path: str, params: Params = (), *, deadline: Deadline, tries: int = TRIES) -> Any:
        """The parsed answer to a GET. Raises SourceError; `retry_after` is set where the source asks us to wait."""
        return _parsed(self._name, await self._ask("GET", path, deadline, tries, params=list(params)))

    async def post(self, path: str, body: Any, *, deadline: Deadline, tries: int = TRIES) -> Any:
        """The parsed answer to a POST of JSON that changes nothing, as a GraphQL query is one."""
        return _parsed(self._name, await self._ask("POST", path, deadline, tries, json=body))

    async def raw(self, path: str, *, deadline: Deadline, tries: int = TRIES) -> bytes:
        """The answer to a GET as it came."""
        return await self._ask("GET", path, deadline, tries)

    async def _ask(self, method: str, path: str, deadline: Deadline, tries: int, **more: Any) -> bytes:
        for attempt in range(1, tries + 1):
            try:
                self._stand_back(path, deadline)
                return await self._exchange(method, path, deadline, more)
            except _Passing as trouble:
                wait = trouble.wait
                if wait is None:
                    # Jitter, so that many papers do not come back in the same instant.
                    wait = 0.4 * 2 ** (attempt - 1) * uniform(0.5, 1.5)  # noqa: S311  # not a secret
                if attempt == tries or wait >= deadline.left:
                    self._give_up(trouble)
                await asyncio.sleep(wait)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.ProxyError) as error:
                raise Unavailable(f"{self._name} could not be reached: {reason(error)}") from error
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                raise SourceError(f"{self._name} could not be read: {reason(error)}") from error
        raise AssertionError("the last attempt answers or gives up")

    def _stand_back(self, path: str, deadline: Deadline) -> None:
        """Raises _Passing where the source's headers said that its limit is spent: asking on would be an offence."""
        wait = self._limits.wait_for(path, deadline.now)
        if wait > 0:
            raise _Passing(f"its limit is spent for another {wait:.0f} s", wait)

    def _give_up(self, trouble: _Passing) -> NoReturn:
        kind = SourceError if trouble.wait is None else Unavailable
        raise kind(f"{self._name} could not be read: {trouble}", retry_after=trouble.wait) from trouble

    async def _exchange(self, method: str, path: str, deadline: Deadline, more: Mapping[str, Any]) -> bytes:
        limit = min(EXCHANGE, deadline.left)
        if limit <= 0:
            raise SourceError(f"{self._name} could not be read: there was no time left to ask")
        try:
            async with asyncio.timeout(limit):
                async with self._client.stream(method, path, **more) as response:
                    self._limits.learn(path, response.headers, deadline.now)
                    self._refuse(response, deadline)
                    return await _body(response)
        except TimeoutError:
            raise SourceError(f"{self._name} did not answer in time") from None
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadTimeout) as error:
            raise _Passing(reason(error)) from error

    def _refuse(self, response: httpx.Response, deadline: Deadline) -> None:
        """Raises for every status but 200."""
        status = response.status_code
        if status == httpx.codes.OK:
            return
        wait = asked_to_wait(status, response.headers, deadline.now)
        if wait is not None:
            raise _Passing(f"it answered {status} and asks us to wait {wait:.0f} s", wait)
        if status >= 500:
            raise _Passing(f"it answered {status}")
        if status == httpx.codes.UNAUTHORIZED:
            raise Unavailable(f"{self._name} could not be read: it refused our token (401)")
        if status in _GONE:
            raise Gone(f"{self._name} could not be read: it answered {status}")
        raise ValueError(f"it answered {status}")


@asynccontextmanager
async def calling(name: str, url: str, contact: str, headers: Mapping[str, str]) -> AsyncIterator[Caller]:
    """A Caller for the source `name` at `url`. `contact` is where its owner finds us, as its etiquette demands.

    A redirect to another origin is followed without the Authorization header (httpx drops it).
    """
    async with httpx.AsyncClient(
        base_url=url,
        headers={"User-Agent": f"ai-morning-post (+{contact})", "Accept": "application/json", **headers},
        verify=trusted(),
        timeout=_TIMEOUT,
        follow_redirects=True,
        max_redirects=3,
    ) as client:
        yield Caller(name, client)


def bearer(token: str) -> dict[str, str]:
    """The login header; nothing where there is no token."""
    return {"Authorization": f"Bearer {token}"} if token else {}


async def _body(response: httpx.Response) -> bytes:
    # Counted after decompression: a small answer can unpack to a very large one.
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > LARGEST:
            raise ValueError(f"its answer is larger than {LARGEST // 1024 // 1024} MB")
        parts.append(part)
    return b"".join(parts)


def _parsed(name: str, body: bytes) -> Any:
    """Raises SourceError for what is no JSON."""
    if not body.strip():
        raise SourceError(f"{name} could not be read: its answer was empty")
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise SourceError(f"{name} could not be read: its answer was not JSON") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON (RFC 8259 section 6)")
