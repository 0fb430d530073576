"""The newest release of repositories that may be printed: `https://github.com/{name}/releases.atom`.

A feed of the web site, so it costs nothing of the API's limits; asked at most twice a day for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from lxml import etree

from app.core.errors import SourceError
from app.models.counts import Asked, Note, NoteKind, Row
from app.stages.collect import values
from app.stages.collect.client import Caller, Unavailable, calling
from app.stages.collect.deadline import Deadline
from app.stages.collect.lanes import each
from app.stages.collect.repositories import SITE
from app.stages.collect.words import one_line

AGAIN = timedelta(hours=12)
PREFIX = "releases:"
_ATOM = "{http://www.w3.org/2005/Atom}"
_ENTRIES = 10


@dataclass
class News:
    """`notes` on the newest releases, and what was asked."""

    notes: list[Note] = field(default_factory=list)
    asked: dict[str, Asked] = field(default_factory=dict)


async def newest(
    api: str, contact: str, rows: Sequence[Row], asked: Mapping[str, Asked], deadline: Deadline, lanes: int
) -> News:
    """The newest release of each of `rows`, as far as time goes. A feed that fails is no fault: there is no note."""
    news = News()
    now = deadline.now
    due = [row for row in rows if (last := asked.get(PREFIX + row.external_id)) is None or now - last.at >= AGAIN]
    if not due or not deadline.left:
        return news
    async with calling("GitHub", site_of(api), contact, {"Accept": "application/atom+xml"}) as caller:
        await each(due, lambda row: _one(caller, row, deadline, news), deadline, lanes)
    return news


def site_of(api: str) -> str:
    """The web site beside an API: https://github.com for https://api.github.com, a server's own root elsewhere."""
    parts = urlsplit(api)
    return urlunsplit((parts.scheme, parts.netloc.removeprefix("api."), "", "", ""))


def newest_in(feed: bytes, row: Row) -> Note | None:
    """The newest entry of a release feed; None where there is none that we can read."""
    # No entity is resolved and nothing is loaded: a feed is a stranger's text.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(feed, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    entries = root.findall(f"{_ATOM}entry")[:_ENTRIES] if root.tag == f"{_ATOM}feed" else []
    found = [note for note in (_note(entry, row) for entry in entries) if note is not None]
    return max(found, key=lambda note: (note.at, note.title), default=None)


async def _one(caller: Caller, row: Row, deadline: Deadline, news: News) -> bool:
    try:
        feed = await caller.raw(f"/{row.name}/releases.atom", deadline=deadline, tries=1)
    except Unavailable:
        return False
    except SourceError:
        feed = b""
    news.asked[PREFIX + row.external_id] = Asked(deadline.now)
    if (note := newest_in(feed, row)) is not None:
        news.notes.append(note)
    return True


def _note(entry: Any, row: Row) -> Note | None:
    title = one_line(entry.findtext(f"{_ATOM}title"), 80)
    at = values.instant((entry.findtext(f"{_ATOM}updated") or "").strip())
    link = entry.find(f"{_ATOM}link")
    _, found, tag = urlsplit(link.get("href", "") if link is not None else "").path.partition("/releases/tag/")
    if not found or not title or at is None or not tag or len(tag) > 120:
        return None
    # The address is made from the name, never taken from the feed.
    return Note(row.external_id, NoteKind.RELEASE, title, f"{SITE}/{row.name}/releases/tag/{tag}", at)
