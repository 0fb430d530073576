"""The front page, back numbers, editions and the code."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from httpx import AsyncClient

from app.bootstrap import Container
from app.core.clock import FixedClock
from app.models.content import Movers, Section
from app.models.states import EditionStatus

from . import sample

PAGES = ["/", "/editions", "/how-we-count", "/docs", "/outbox", "/nowhere", "/confirm/x", "/unsubscribe/x"]


async def test_before_the_first_paper_the_front_page_promises_one(client: AsyncClient) -> None:
    page = (await client.get("/")).text
    assert "The first one is due on Tuesday at 06:30, London time." in page
    assert 'action="/subscribe" method="post"' in page
    assert "Monday, 23 November 2026" in page
    assert "Vol." not in page


async def test_the_front_page_shows_the_latest_paper(client: AsyncClient, container: Container) -> None:
    """Lead, movers, three pieces, what else there is, and the way to the whole of it."""
    await sample.publish(container.db, sample.content())
    page = (await client.get("/")).text
    for text in (
        "Vol. I · No. 4",
        "Today’s front page",
        "The archive that learnt to say where it looked",
        "How a test wears out",
        "Give the blank answer its due",
        "A short history of the margin note",
        "▲\u200a41",
        'aria-label="up 41 places, from 44 to 3"',
        "44 → 3 · +10,400 stars",
        "▼\u200a2",
        "at 3 · +962 stars",
        "as of 04:55 UTC",
        "Also today: one argument, two tools, 13 chart entries.",
        "About nine minutes, and then it ends.",
        "Read today’s edition",
        'href="/editions/2026-11-23"',
    ):
        assert text in page
    assert "A third paragraph stands in the edition only." not in page
    assert page.count("<h1") == 1


async def test_a_paper_of_an_earlier_day_is_not_called_todays(client: AsyncClient, container: Container) -> None:
    await sample.publish(container.db, sample.content(sample.TODAY - timedelta(days=2)))
    page = (await client.get("/")).text
    assert "The latest front page" in page
    assert "Saturday, 21 November 2026" in page
    assert "oday’s" not in page


async def test_a_paper_with_little_in_it_leaves_no_holes(client: AsyncClient, container: Container) -> None:
    paper = sample.content(
        deep_dive=None, opinion=(), tools=(), charts=(), movers=None, weekend=(), minutes=1, number=1
    )
    await sample.publish(container.db, paper)
    page = (await client.get("/")).text
    assert "Biggest movers" not in page
    assert "Also today" not in page
    assert 'class="three"' not in page
    assert "1 minute to read" in page


async def test_young_charts_say_since_when_they_are_measured(client: AsyncClient, container: Container) -> None:
    """Gains without arrows, as the sources themselves give them."""
    rows = (sample.mover("press/quire", now=2, gained=1_200, approximate=True),)
    movers = Movers(as_of=sample.AS_OF, measuring_since=date(2026, 11, 20), rows=rows)
    await sample.publish(container.db, sample.content(movers=movers))
    page = (await client.get("/")).text
    assert "measuring since 20 November; as of 04:55 UTC" in page
    assert "GitHub · ≈1,200 stars" in page
    assert "▲" not in page


async def test_text_from_stories_is_never_markup(client: AsyncClient, container: Container) -> None:
    """Only a story's body is HTML, and that was sanitised; every other field is escaped."""
    evil = "<img src=x onerror=alert(1)>"
    lead = sample.piece(1, Section.LEAD, evil, standfirst=evil, body_text=f"{evil}\n\nSecond.", source=evil)
    dive = sample.piece(2, Section.DEEP_DIVE, evil, standfirst=evil, source=evil)
    movers = Movers(as_of=sample.AS_OF, rows=(sample.mover(evil, now=1, gained=1),))
    paper = sample.content(lead=lead, deep_dive=dive, movers=movers, subject=evil)
    await sample.publish(container.db, paper)
    await sample.publish(container.db, sample.content(sample.TODAY - timedelta(days=1), 3, subject=evil))
    for path in ("/", "/editions"):
        page = (await client.get(path)).text
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


async def test_the_front_page_lists_the_back_numbers_before_it(client: AsyncClient, container: Container) -> None:
    for days in range(7):
        day = sample.TODAY - timedelta(days=days)
        await sample.publish(container.db, sample.content(day, 10 - days, subject=f"Paper of {day}"))
    page = (await client.get("/")).text
    listed = re.findall(r"Paper of (\d{4}-\d\d-\d\d)", page)
    assert listed == [str(sample.TODAY - timedelta(days=days)) for days in range(1, 6)]


async def test_what_is_not_published_is_nowhere(client: AsyncClient, container: Container) -> None:
    """A ready or frozen edition is on no page, not even by its address."""
    for number, status in enumerate((EditionStatus.READY, EditionStatus.FROZEN), 1):
        day = sample.TODAY - timedelta(days=number)
        slug = await sample.publish(container.db, sample.content(day, number, subject="Too early"), status)
        assert (await client.get(f"/editions/{slug}")).status_code == 404
    for path in ("/", "/editions"):
        assert "Too early" not in (await client.get(path)).text


async def test_back_numbers_stand_by_month(client: AsyncClient, container: Container) -> None:
    for number, day in enumerate((date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 1)), 1):
        await sample.publish(container.db, sample.content(day, number, subject=f"Paper {number}"))
    page = (await client.get("/editions")).text
    order = ["November 2026", "1 edition<", "Paper 3", "October 2026", "2 editions", "Paper 2", "Paper 1"]
    assert [page.index(text) for text in order] == sorted(page.index(text) for text in order)
    assert "Earlier editions" not in page


async def test_back_numbers_are_cut_between_months(client: AsyncClient, container: Container) -> None:
    """Walking the pages shows every edition once, and every month whole."""
    days = [sample.TODAY - timedelta(days=back) for back in range(130)]
    for number, day in enumerate(reversed(days), 1):
        await sample.publish(container.db, sample.content(day, number, subject=f"Paper of {day}"))
    path, seen, months = "/editions", [], []
    while path:
        page = (await client.get(path)).text
        seen += re.findall(r"Paper of (\d{4}-\d\d-\d\d)", page)
        months += re.findall(r'<h2 class="label">([^<]+)', page)
        following = re.search(r'href="(/editions\?before=[^"]+)">Earlier', page)
        path = following[1] if following else ""
    assert seen == [str(day) for day in days]
    assert len(months) == len(set(months)) == 5


@pytest.mark.parametrize("before", ["yesterday", "2026-13-01", "23/11/2026"])
async def test_a_date_that_is_none_is_refused_in_words(client: AsyncClient, before: str) -> None:
    answer = await client.get("/editions", params={"before": before})
    assert answer.status_code == 422
    assert "before" in answer.text


async def test_nothing_before_the_first(client: AsyncClient) -> None:
    assert "Nothing was printed before" in (await client.get("/editions?before=1999-01-01")).text


async def test_an_edition_is_served_as_it_was_stored(client: AsyncClient, container: Container) -> None:
    """`v` picks the cut that was mailed; one that is not ours shows the whole paper."""
    paper = sample.content()
    slug = await sample.publish(container.db, paper)
    answer = await client.get(f"/editions/{slug}")
    assert answer.status_code == 200
    assert answer.text == sample.web_page(paper)
    assert (await client.get(f"/editions/{slug}?v=short")).text == "<p>short</p>"
    assert (await client.get(f"/editions/{slug}?v=forged")).text == sample.web_page(paper)
    policy = answer.headers["content-security-policy"]
    assert "style-src 'unsafe-inline'" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("slug", ["2026-11-22", "20261122", "nonsense", "2026-11-22x", "%00", "..%2f..", "x" * 3000])
async def test_an_edition_that_was_never_printed(client: AsyncClient, slug: str) -> None:
    answer = await client.get(f"/editions/{slug}")
    assert answer.status_code == 404
    assert "No such page in any edition." in answer.text
    assert 'href="/editions"' in answer.text


async def test_todays_paper_before_it_is_out(client: AsyncClient, clock: FixedClock) -> None:
    clock.move(clock.now().replace(hour=6, minute=0))
    answer = await client.get("/editions/2026-11-23")
    assert answer.status_code == 404
    assert "No paper today." in answer.text
    assert "The next one is on Monday at 06:30, London time." in answer.text


async def test_the_code_leads_here_and_its_address_stands_beside_it(client: AsyncClient) -> None:
    svg = await client.get("/qr.svg")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert ElementTree.fromstring(svg.text).tag.endswith("svg")
    png = await client.get("/qr.png")
    assert png.headers["content-type"] == "image/png"
    assert png.content.startswith(b"\x89PNG\r\n")
    page = (await client.get("/")).text
    assert 'alt="QR code: post.test"' in page
    assert '<a href="http://post.test/">post.test</a>' in page


@pytest.mark.parametrize("path", [*PAGES, "/qr.svg", "/healthz", "/readyz"])
async def test_head_answers_as_get_would(client: AsyncClient, path: str) -> None:
    head, get = await client.head(path), await client.get(path)
    assert head.status_code == get.status_code
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_has_one_heading_labels_a_skip_link_and_no_inline_code(
    client: AsyncClient, container: Container, path: str
) -> None:
    """What the policy forbids is not on the page either."""
    await sample.publish(container.db, sample.content())
    page = (await client.get(path)).text
    assert '<html lang="en"' in page
    assert "<style" not in page
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    if path == "/docs":
        return
    assert page.count("<h1") == 1
    assert '<a class="skip" href="#main">' in page
    assert 'id="main"' in page
    for field in re.findall(r'<input id="([^"]+)"', page):
        assert f'<label for="{field}">' in page
    assert len(re.findall(r'\sid="', page)) == len(set(re.findall(r'\sid="([^"]+)"', page)))


async def test_nothing_is_loaded_from_elsewhere(client: AsyncClient, container: Container) -> None:
    await sample.publish(container.db, sample.content())
    for path in PAGES:
        page = (await client.get(path)).text
        named = re.sub(r'<link rel="(?:canonical|alternate)"[^>]*>', "", page)  # named to machines, not loaded
        loaded = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', named)
        assert all(link.startswith("/") and not link.startswith("//") for link in loaded), path


async def test_static_files_are_kept_for_a_year_under_their_hash_only(client: AsyncClient) -> None:
    page = (await client.get("/")).text
    links = re.findall(r'"(/static/[^"]+)"', page)
    assert {link.split("?")[0] for link in links} == {"/static/site.css", "/static/icon.svg", "/static/timezone.js"}
    for link in links:
        named = await client.get(link)
        assert named.status_code == 200
        assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
        bare = await client.get(link.split("?")[0] + "?v=0")
        assert bare.headers["cache-control"] == "no-cache"
        assert bare.content == named.content
    assert (await client.get("/static/../main.py")).status_code == 404
    assert (await client.get("/static/%2e%2e/pages.py")).status_code == 404


async def test_browsers_find_the_mark_where_they_look_unasked(client: AsyncClient) -> None:
    """A stored edition names no icon, so they ask for /favicon.ico."""
    for method in ("GET", "HEAD"):
        answer = await client.request(method, "/favicon.ico")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/svg+xml"
