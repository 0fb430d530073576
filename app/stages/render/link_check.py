"""Looks the links of an edition up: bounded in time, on public addresses only, and never more than a few at one host.

HEAD first (RFC 9110 section 9.3.2), then GET where a server does not care for HEAD; no body is read. What does not
answer is written down as silent: the paper waits for nobody.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx

from app.core.db import Database
from app.core.errors import SourceError
from app.core.net.guard import Network
from app.core.net.pinned import Forbidden, PinnedTransport
from app.core.net.reasons import reason
from app.core.net.trust import trusted
from app.core.publication import Publication
from app.models.links import LinkVerdict, Looked
from app.stages.render import linting
from app.store import links

A_DAY = timedelta(days=1)
REDIRECTS = 5
_GONE = (httpx.codes.NOT_FOUND, httpx.codes.GONE)


@dataclass(frozen=True)
class LinkChecker:
    """`contact` is where a site's owner finds us. Times are in seconds: for one link, and for all together."""

    contact: str
    allowed: Sequence[Network] = ()
    each: float = 10.0
    altogether: float = 120.0
    at_once: int = 8
    per_host: int = 2

    async def look(self, urls: Sequence[str]) -> dict[str, Looked]:
        """What came of each address that there was time for."""
        room = asyncio.Semaphore(self.at_once)
        hosts: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(self.per_host))
        async with self._client() as client:
            tasks = {
                url: asyncio.create_task(self._in_turn(client, url, room, hosts[urlsplit(url).netloc.lower()]))
                for url in urls
            }
            if not tasks:
                return {}
            _, late = await asyncio.wait(tasks.values(), timeout=self.altogether)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        return {url: task.result() for url, task in tasks.items() if task not in late}

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=PinnedTransport(trusted(), self.allowed),
            headers={"User-Agent": f"ai-morning-post (+{self.contact})", "Accept": "*/*"},
            timeout=self.each,
            follow_redirects=False,
        )

    async def _in_turn(
        self, client: httpx.AsyncClient, url: str, room: asyncio.Semaphore, host: asyncio.Semaphore
    ) -> Looked:
        # The host's own queue first: who waits for a slow host must not keep others out.
        async with host, room:
            try:
                async with asyncio.timeout(self.each):
                    return await _looked(client, url)
            except TimeoutError:
                return Looked(LinkVerdict.SILENT, "it did not answer in time")
            except Forbidden as error:
                return Looked(LinkVerdict.PRIVATE, str(error))
            except SourceError as error:
                return Looked(LinkVerdict.SILENT, str(error))
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                return Looked(LinkVerdict.SILENT, reason(error))


async def of_edition(
    db: Database, edition_id: int, publication: Publication, checker: LinkChecker, now: datetime
) -> dict[str, Looked]:
    """Looks up what is not known to have worked in the last day; keeps it, and gives all that is known now.

    Raises NotFound, and Conflict where nothing is composed yet.
    """
    urls = await linting.outgoing_of(db, edition_id, publication, now)
    async with db.read() as session:
        known = await links.looked_up(session, urls, now - A_DAY)
    wanted = [url for url in urls if url not in known or known[url].verdict is not LinkVerdict.WORKS]
    found = await checker.look(wanted)
    async with db.write() as session:
        await links.keep(session, found, now)
    return known | found


async def _looked(client: httpx.AsyncClient, url: str) -> Looked:
    status = await _status(client, "HEAD", url)
    if status >= 400 and status != httpx.codes.TOO_MANY_REQUESTS:
        status = await _status(client, "GET", url)
    if status in _GONE:
        return Looked(LinkVerdict.GONE, f"it answered {status}")
    if status >= 400:
        return Looked(LinkVerdict.SILENT, f"it answered {status}")
    return Looked(LinkVerdict.WORKS)


async def _status(client: httpx.AsyncClient, method: str, url: str) -> int:
    """The last status after all redirects, each of which the transport's guard looks at."""
    request = client.build_request(method, url)
    for _ in range(REDIRECTS + 1):
        response = await client.send(request, stream=True)
        await response.aclose()
        if response.next_request is None:
            return response.status_code
        request = response.next_request
    raise SourceError("it sends readers round in circles")
