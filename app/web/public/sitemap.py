"""What search engines are told: every page that may be found (sitemaps.org), and what is nobody's to look at."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from lxml import etree
from lxml.builder import ElementMaker

from app.core.errors import NotFound
from app.store import archive
from app.web.deps import ContainerDep, ReadSession
from app.web.fresh import revalidated
from app.web.pages import PUBLIC

router = APIRouter(include_in_schema=False)

MOST = 50_000
"""Addresses in one file, by the protocol."""
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_STANDING = ("/how-we-count",)
"""Pages that do not change with the day."""
_PRIVATE = ("/confirm/", "/preferences/", "/unsubscribe/", "/subscribe", "/embed", "/altcha", "/outbox", "/api/")
_map = ElementMaker(namespace=NAMESPACE, nsmap={None: NAMESPACE})


@router.api_route("/sitemap.xml", methods=["GET", "HEAD"])
async def sitemap(request: Request, session: ReadSession, container: ContainerDep) -> Response:
    """Every address; past 50,000 of them, where the files lie that have them."""
    home = container.settings.public_url
    pages, last = await _size(session)
    if pages > 1:
        files = (_line("sitemap", f"{home}/sitemap-{page}.xml") for page in range(1, pages + 1))
        return _answer(request, _map.sitemapindex(*files), last)
    return await _page(request, session, home, 1, last)


@router.api_route("/sitemap-{page:int}.xml", methods=["GET", "HEAD"])
async def part(request: Request, page: int, session: ReadSession, container: ContainerDep) -> Response:
    """One file of several."""
    pages, last = await _size(session)
    if not 1 <= page <= pages:
        raise NotFound("There are not so many files of the site map.")
    return await _page(request, session, container.settings.public_url, page, last)


@router.api_route("/robots.txt", methods=["GET", "HEAD"])
async def robots(container: ContainerDep) -> PlainTextResponse:
    """RFC 9309. It counts at the root of a host; below a path the operator repeats it there."""
    home = container.settings.public_url
    base = urlsplit(home).path
    lines = ["User-agent: *", *(f"Disallow: {base}{path}" for path in _PRIVATE), f"Sitemap: {home}/sitemap.xml"]
    return PlainTextResponse("\n".join(lines) + "\n", headers={"cache-control": "public, max-age=86400"})


async def _size(session: ReadSession) -> tuple[int, datetime | None]:
    """How many files there are, and when the last edition was frozen. The first file has the standing pages too."""
    editions, last = await archive.count(session)
    return -(-(editions + _first()) // MOST), last


def _first() -> int:
    return 2 + len(_STANDING)


async def _page(request: Request, session: ReadSession, home: str, page: int, last: datetime | None) -> Response:
    before = (page - 1) * MOST
    lines = []
    if page == 1:
        lines = [_line("url", f"{home}{path}", last) for path in ("/", "/editions")]
        lines += [_line("url", f"{home}{path}") for path in _STANDING]
    found = await archive.listed(session, MOST - len(lines), max(0, before - _first()))
    lines += [_line("url", f"{home}/editions/{one.slug}", one.at) for one in found]
    return _answer(request, _map.urlset(*lines), last)


def _line(name: str, address: str, changed: datetime | None = None) -> etree._Element:
    line = getattr(_map, name)(_map.loc(address))
    if changed is not None:
        line.append(_map.lastmod(changed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))
    return line


def _answer(request: Request, tree: etree._Element, last: datetime | None) -> Response:
    made = etree.tostring(tree, encoding="utf-8", xml_declaration=True)
    answer = Response(made, media_type="application/xml", headers={"cache-control": PUBLIC})
    return revalidated(request, answer, last)
