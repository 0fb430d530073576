"""A stand-in for feeds, arXiv and Hacker News: real HTTP on loopback, in the shapes that those have on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Any

from app.core.db import Database
from app.core.net.guard import networks
from app.models import SourceKind
from app.models.content import Section
from app.stages.collect import sourcing
from app.stages.collect.fetch import Fetcher
from app.stages.collect.gather import Gatherer
from tests.conftest import NOON
from tests.stages.collect.standin import Asked, Reply, StandIn

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class News:
    """One thing that was published."""

    title: str
    url: str
    hours_ago: float = 2.0
    summary: str = "It is told in a few words."
    points: int = 80

    @property
    def at(self) -> datetime:
        return NOON - self.hours_ago * HOUR


def rss(news: Sequence[News], title: str = "Kiln News") -> bytes:
    """RSS 2.0, as a blog has it."""
    items = "".join(
        f"<item><title>{escape(one.title)}</title><link>{escape(one.url)}</link>"
        f"<guid isPermaLink='false'>{escape(one.url)}</guid><description>{escape(one.summary)}</description>"
        f"<pubDate>{format_datetime(one.at)}</pubDate></item>"
        for one in news
    )
    head = f"<title>{title}</title><link>https://kiln.example</link><description>-</description>"
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def atom(papers: Sequence[News]) -> bytes:
    """An answer of arXiv's API."""
    entries = "".join(
        f"<entry><id>{one.url.replace('https', 'http')}v2</id><title>{escape(one.title)}</title>"
        f"<updated>{one.at:%Y-%m-%dT%H:%M:%SZ}</updated><published>{one.at:%Y-%m-%dT%H:%M:%SZ}</published>"
        f'<link href="{one.url}v2" rel="alternate" type="text/html"/>'
        f"<summary>{escape(one.summary)}</summary><author><name>Ada Marsh</name></author>"
        "<author><name>Ben Marsh</name></author></entry>"
        for one in papers
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>arXiv Query</title>{entries}</feed>'.encode()


def hits(news: Sequence[News]) -> dict[str, Any]:
    """An answer of the search for Hacker News."""
    return {
        "nbHits": len(news),
        "hits": [
            {
                "objectID": str(48_000_000 + number),
                "title": one.title,
                "url": one.url or None,
                "points": one.points,
                "num_comments": one.points // 2,
                "created_at_i": int(one.at.timestamp()),
                "author": "somebody",
            }
            for number, one in enumerate(news)
        ],
    }


class Press:
    """What each path serves; `server.fail` breaks one."""

    def __init__(self) -> None:
        self.pages: dict[str, Reply] = {}
        self.server = StandIn(self._answer)

    def _answer(self, asked: Asked) -> Reply:
        reply = self.pages.get(asked.path, Reply(b"", 404))
        etag = reply.headers.get("ETag")
        if etag and asked.headers.get("if-none-match") == etag:
            return Reply(b"", 304, {"ETag": etag})
        return reply

    def print(self, path: str, news: Sequence[News], etag: str = "") -> str:
        """Serves `news` at `path`, as its beginning says: /arxiv…, /hn…, else a feed. Gives the address."""
        body: Any = rss(news)
        if path.startswith("/arxiv"):
            body = atom(news)
        if path.startswith("/hn"):
            body = hits(news)
        self.pages[path] = Reply(body, headers={"Content-Type": "application/xml", **({"ETag": etag} if etag else {})})
        return self.server.url + path

    async def source(self, db: Database, path: str, news: Sequence[News] = (), **fields: Any) -> int:
        """A source of the database that reads `path`, which serves `news`."""
        url = self.print(path, news)
        kind = SourceKind.ARXIV if path.startswith("/arxiv") else SourceKind.FEED
        kind = SourceKind.HACKERNEWS if path.startswith("/hn") else kind
        given = {"url": url, "kind": kind, "name": path.strip("/").title(), "section": Section.TOOLS, **fields}
        async with db.write() as session:
            return await sourcing.add(session, sourcing.parse(given), NOON)


def gatherer() -> Gatherer:
    """Allowed to read from this machine."""
    return Gatherer(Fetcher("https://post.example.org", networks(["127.0.0.1/32"])))


def since_1970(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp())
