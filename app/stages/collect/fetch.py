"""Fetches what a stranger's address leads to: bounded in time, size and redirects, and only from public addresses.

Every failure leaves as SourceError with a clause that says why; the caller says of what source.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import uniform

import httpx

from app.core.errors import SourceError
from app.core.net.guard import Network
from app.core.net.pinned import PinnedTransport
from app.core.net.reasons import reason
from app.core.net.trust import trusted
from app.core.text import is_printable_ascii
from app.stages.collect.deadline import Deadline
from app.stages.collect.inflate import ACCEPTED, body_of
from app.stages.collect.waits import asked_to_wait

LARGEST = 5_000_000
EXCHANGE = 20.0
"""Seconds for a whole answer with all its redirects."""
TRIES = 3
REDIRECTS = 5
_PERMANENT = (301, 308)
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)


class Gone(SourceError):
    """It said that it is gone for good (410, RFC 9110 section 15.5.11)."""


@dataclass(frozen=True, slots=True)
class Validators:
    """An ETag and a Last-Modified as a source once gave them; empty where it gave none."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is None where nothing changed since the validators that were sent (304)."""

    body: bytes | None
    url: str
    """Where the answer came from in the end."""
    moved: str | None
    """The new address, where every redirect on the way was said to be for good."""
    content_type: str
    validators: Validators


class _Passing(Exception):
    """A failure that may be gone in a moment."""


@dataclass(frozen=True)
class Fetcher:
    """`contact` is where a source's owner finds us; `allowed` are networks that sources may lie in though private."""

    contact: str
    allowed: Sequence[Network] = ()
    largest: int = LARGEST
    exchange: float = EXCHANGE

    async def get(self, url: str, known: Validators, deadline: Deadline, pause: float = 0.4) -> Answer:
        """Asks once, and again after about `pause` seconds where that may help. Raises SourceError, Gone, Forbidden.

        `retry_after` is set on the error where the source asks us to wait: then it is not asked again now.
        """
        async with self._client() as client:
            for attempt in range(1, TRIES + 1):
                try:
                    return await self._within(client, url, known, deadline)
                except _Passing as trouble:
                    # Jitter, so that many papers do not come back in the same instant.
                    wait = pause * 2 ** (attempt - 1) * uniform(1.0, 1.5)  # noqa: S311  # not a secret
                    if attempt == TRIES or wait >= deadline.left:
                        raise SourceError(str(trouble)) from trouble
                    await asyncio.sleep(wait)
        raise AssertionError("the last attempt answers or gives up")

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=PinnedTransport(trusted(), self.allowed),
            headers={"User-Agent": f"ai-morning-post (+{self.contact})", "Accept-Encoding": ACCEPTED},
            timeout=_TIMEOUT,
            follow_redirects=False,
        )

    async def _within(self, client: httpx.AsyncClient, url: str, known: Validators, deadline: Deadline) -> Answer:
        limit = min(self.exchange, deadline.left)
        if limit <= 0:
            raise SourceError("there was no time left to ask")
        try:
            async with asyncio.timeout(limit):
                return await self._exchange(client, url, known, deadline)
        except TimeoutError:
            raise SourceError("it did not answer in time") from None
        except httpx.RemoteProtocolError as error:
            if "location header" in str(error):
                raise SourceError("it sent us on to something that is not a web address") from error
            raise _Passing(reason(error)) from error
        except (httpx.NetworkError, httpx.TimeoutException) as error:
            raise _Passing(reason(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise SourceError(reason(error)) from error

    async def _exchange(self, client: httpx.AsyncClient, url: str, known: Validators, deadline: Deadline) -> Answer:
        """One question with its redirects, each of which is a question of its own to the transport's guard."""
        request = client.build_request("GET", url, headers=_conditions(known))
        permanent = True
        for _ in range(REDIRECTS + 1):
            response = await client.send(request, stream=True)
            try:
                if response.next_request is None:
                    moved = str(request.url) if permanent and str(request.url) != url else None
                    return await self._answer(response, moved, deadline)
                permanent = permanent and response.status_code in _PERMANENT
                _refuse_downgrade(request.url, response.next_request.url)
                request = response.next_request
            finally:
                await response.aclose()
        raise SourceError("it sent us round in circles")

    async def _answer(self, response: httpx.Response, moved: str | None, deadline: Deadline) -> Answer:
        _refuse(response, deadline)
        headers = response.headers
        unchanged = response.status_code == httpx.codes.NOT_MODIFIED
        return Answer(
            body=None if unchanged else await body_of(response, self.largest),
            url=str(response.request.url),
            moved=moved,
            content_type=headers.get("content-type", ""),
            validators=Validators(headers.get("etag", ""), headers.get("last-modified", "")),
        )


def _conditions(known: Validators) -> dict[str, str]:
    pairs = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in pairs.items() if value and is_printable_ascii(value)}


def _refuse_downgrade(from_: httpx.URL, to: httpx.URL) -> None:
    if from_.scheme == "https" and to.scheme != "https":
        raise SourceError("it sent us on from https to http, where anybody on the way could write the answer")


def _refuse(response: httpx.Response, deadline: Deadline) -> None:
    """Raises for every status but 200 and 304."""
    status = response.status_code
    if status in (httpx.codes.OK, httpx.codes.NOT_MODIFIED):
        return
    if status == httpx.codes.GONE:
        raise Gone("it says that it is gone for good (410)")
    wait = asked_to_wait(status, response.headers, deadline.now)
    if wait is not None:
        raise SourceError(f"it answered {status} and asks us to wait {wait:.0f} s", retry_after=wait)
    if status >= 500:
        raise _Passing(f"it answered {status}")
    raise SourceError(f"it answered {status}")
