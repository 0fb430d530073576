"""The Atom feed (RFC 4287): the whole of each edition, in plain HTML that a feed reader sets in its own way. Pure.

It is the same for everybody: nothing in it is one reader's, nothing counts who reads it, and it fetches nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from lxml import etree
from lxml.builder import ElementMaker

from app.core.publication import Publication
from app.models.content import EditionContent
from app.stages.render.characters import printable
from app.stages.render.mjml import page_url
from app.stages.render.templates import render

MOST = 20
ATOM = "http://www.w3.org/2005/Atom"
_SINCE = "2026"
"""The year in which the feed got its name; a tag names its authority at a date (RFC 4151 section 2.1)."""
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_atom = ElementMaker(namespace=ATOM, nsmap={None: ATOM})


@dataclass(frozen=True, slots=True)
class Entry:
    """A published edition, and when it was frozen."""

    slug: str
    content: EditionContent
    at: datetime


def atom(entries: Sequence[Entry], publication: Publication, updated: datetime) -> bytes:
    """The feed of `entries`, the newest first; `updated` stands where there are none."""
    home = publication.public_url
    feed = _atom.feed(
        _text("id", f"tag:{publication.list_id},{_SINCE}:editions"),
        _text("title", publication.name),
        *([_text("subtitle", publication.tagline)] if publication.tagline else []),
        _text("updated", _instant(max((entry.at for entry in entries), default=updated))),
        _atom.author(_text("name", publication.name), _text("uri", f"{home}/")),
        _atom.link(rel="self", type="application/atom+xml", href=f"{home}/feed.xml"),
        _atom.link(rel="alternate", type="text/html", href=f"{home}/editions"),
        *(_entry(entry, publication) for entry in entries),
    )
    feed.set(_LANGUAGE, "en")
    made: bytes = etree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return made


def tag_of(publication: Publication, slug: str, day: date) -> str:
    """An edition's name for good (RFC 4151): by the list's id, which stays when the site moves to another address."""
    return f"tag:{publication.list_id},{day.isoformat()}:edition/{slug}"


@lru_cache(maxsize=4 * MOST)
def body(content: EditionContent, publication: Publication, slug: str) -> str:
    """An edition as plain HTML, with whole addresses only."""
    return render("feed.html.j2", content=content, paper=publication, page=page_url(publication, slug))


def _entry(entry: Entry, publication: Publication) -> etree._Element:
    content, page = entry.content, page_url(publication, entry.slug)
    return _atom.entry(
        _text("id", tag_of(publication, entry.slug, content.date)),
        _text("title", content.subject, type="text"),
        _text("published", _instant(entry.at)),
        _text("updated", _instant(entry.at)),
        _atom.link(rel="alternate", type="text/html", href=page),
        _atom.link(rel="alternate", type="application/json", href=f"{page}/edition.json"),
        _text("summary", content.preheader, type="text"),
        _text("content", body(content, publication, entry.slug), type="html"),
    )


def _text(name: str, words: str, **attributes: str) -> etree._Element:
    return getattr(_atom, name)(printable(words), **attributes)


def _instant(instant: datetime) -> str:
    """RFC 3339, as section 3.3 asks."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
