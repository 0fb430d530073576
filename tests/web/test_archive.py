"""Editions for machines: feed, JSON, cards, site map; what caches may keep, and how they ask again."""

import io
import re
from collections.abc import Iterable
from datetime import timedelta

import feedparser
import pytest
from httpx import AsyncClient
from lxml import etree
from PIL import Image

from app.bootstrap import Container
from app.models.content import EditionContent, EditionKind
from app.models.states import EditionStatus
from app.stages.render import freeze
from app.store import editions
from app.web.public import sitemap

from . import sample

SLUG = sample.TODAY.isoformat()
FILES = (
    "/feed.xml",
    f"/editions/{SLUG}/edition.json",
    f"/editions/{SLUG}/card.png",
    "/card.png",
    "/edition.schema.json",
    "/sitemap.xml",
    f"/editions/{SLUG}",
    "/editions",
    "/how-we-count",
)
DIGEST = f"{4:064}"
FOR_GOOD = "public, max-age=31536000, immutable"


@pytest.fixture
async def printed(container: Container) -> EditionContent:
    paper = sample.content()
    await sample.publish(container.db, paper)
    return paper


def addresses(page: bytes) -> list[str]:
    return [str(one) for one in etree.fromstring(page).xpath("//*[local-name()='loc']/text()")]


@pytest.mark.parametrize("path", FILES)
async def test_whoever_has_it_already_is_told_so(client: AsyncClient, printed: EditionContent, path: str) -> None:
    """By ETag, in any of its spellings; HEAD answers as GET would. A 304 keeps the policy of the page it stands for."""
    first = await client.get(path)
    assert first.status_code == 200
    tag = first.headers["etag"]
    for said in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await client.get(path, headers={"if-none-match": said})
        assert again.status_code == 304
        assert again.content == b""
        for name in ("etag", "cache-control", "content-security-policy"):
            assert again.headers[name] == first.headers[name]
    head = await client.head(path)
    assert (head.status_code, head.headers["etag"], head.content) == (200, tag, b"")
    for said in ('"other"', "nonsense", ""):
        assert (await client.get(path, headers={"if-none-match": said})).status_code == 200


async def test_the_time_of_the_last_edition_is_a_validator_too(client: AsyncClient, printed: EditionContent) -> None:
    """RFC 9110 section 13.2.2: an ETag that differs wins over a date that does not."""
    first = await client.get("/feed.xml")
    said = first.headers["last-modified"]
    assert said == "Mon, 23 Nov 2026 05:35:00 GMT"
    asked = {"if-modified-since": said}
    assert (await client.get("/feed.xml", headers=asked)).status_code == 304
    assert (await client.get("/feed.xml", headers={**asked, "if-none-match": '"other"'})).status_code == 200
    for odd in ("Mon, 23 Nov 2026 05:34:59 GMT", "yesterday", "", "Mon, 99 Nov 2026 05:35:00 GMT"):
        assert (await client.get("/feed.xml", headers={"if-modified-since": odd})).status_code == 200


async def test_the_feed_holds_the_last_twenty(client: AsyncClient, container: Container) -> None:
    """Newest first; only what anybody may read; nothing before the first edition."""
    assert not feedparser.parse(io.BytesIO((await client.get("/feed.xml")).content)).entries
    days = [sample.TODAY - timedelta(days=back) for back in range(22)]
    for number, day in enumerate(reversed(days), 1):
        ready = EditionStatus.READY if day == sample.TODAY else EditionStatus.SENT
        await sample.publish(container.db, sample.content(day, number), ready)
    answer = await client.get("/feed.xml")
    assert answer.headers["content-type"] == "application/atom+xml"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in answer.headers
    read = feedparser.parse(io.BytesIO(answer.content))
    assert not read.bozo
    assert [entry.link.rpartition("/")[2] for entry in read.entries] == [str(day) for day in days[1:21]]


async def test_the_weekly_of_a_date_stands_beside_its_daily(client: AsyncClient, container: Container) -> None:
    """Each with its page, its content, its card, its name in feed and site map; the archive marks which is which."""
    daily = await sample.publish(container.db, sample.content())
    week = sample.content(number=5, kind=EditionKind.WEEKLY, subject="The week that looked it up")
    weekly = await sample.publish(container.db, week)
    assert (daily, weekly) == (SLUG, f"{SLUG}-weekly")
    entries = feedparser.parse(io.BytesIO((await client.get("/feed.xml")).content)).entries
    assert {entry.link.rpartition("/")[2] for entry in entries} == {daily, weekly}
    assert len({entry.id for entry in entries}) == 2
    assert "Weekly · Vol. I · No. 5" in next(one.content[0].value for one in entries if one.link.endswith("weekly"))
    found = addresses((await client.get("/sitemap.xml")).content)
    assert {f"http://post.test/editions/{slug}" for slug in (daily, weekly)} <= set(found)
    told = {slug: (await client.get(f"/editions/{slug}/edition.json")).json() for slug in (daily, weekly)}
    assert [told[slug]["kind"] for slug in (daily, weekly)] == ["daily", "weekly"]
    cards = {(await client.get(f"/editions/{slug}/card.png")).content for slug in (daily, weekly)}
    assert len(cards) == 2
    tags = {(await client.get(f"/editions/{slug}")).headers["etag"] for slug in (daily, weekly)}
    assert len(tags) == 2
    page = (await client.get("/editions")).text
    assert page.index(f'href="/editions/{daily}"') < page.index(f'href="/editions/{weekly}"')
    assert page.count(">Weekly<") == 1
    assert (await client.get(f"/editions/{SLUG}-monthly")).status_code == 404


@pytest.mark.parametrize("path", ["/", "/editions", "/how-we-count"])
async def test_pages_name_the_feed_themselves_and_their_other_language(client: AsyncClient, path: str) -> None:
    page = (await client.get(path)).text
    assert '<link rel="alternate" type="application/atom+xml" title="The AI Morning Post" href="/feed.xml">' in page
    here = f"http://post.test{path}"
    assert f'<link rel="canonical" href="{here}">' in page
    assert f'hreflang="x-default" href="{here}"' in page
    assert f'hreflang="de" href="{here}?lang=de"' in page
    assert '<meta property="og:image" content="http://post.test/card.png">' in page
    assert "noindex" not in page
    german = (await client.get(path, params={"lang": "de", "utm_source": "x"})).text
    assert f'<link rel="canonical" href="{here}?lang=de">' in german


async def test_pages_behind_a_link_are_not_to_be_found(client: AsyncClient) -> None:
    for path in ("/confirm/x", "/preferences/x", "/unsubscribe/x"):
        page = (await client.get(path)).text
        assert '<meta name="robots" content="noindex">' in page
        assert "canonical" not in page
        assert "og:" not in page


async def test_an_older_stretch_of_back_numbers_is_a_page_of_its_own(client: AsyncClient) -> None:
    page = (await client.get("/editions?before=2026-11-01")).text
    assert '<link rel="canonical" href="http://post.test/editions?before=2026-11-01">' in page


async def test_the_web_edition_says_what_it_is(client: AsyncClient, container: Container) -> None:
    """Open Graph in the head of the page, and in no mail."""
    paper = sample.content(subject="A <subject> & more")
    await sample.publish(container.db, paper, EditionStatus.READY)
    async with container.db.read() as session:
        edition = await editions.of_day(session, sample.TODAY)
    assert edition is not None
    now = container.clock.now()
    await freeze.freeze(container.db, edition.id, container.settings.publication, now)
    async with container.db.write() as session:
        await editions.move(session, edition.id, EditionStatus.FROZEN, EditionStatus.SENDING, "")
    page = (await client.get(f"/editions/{SLUG}")).text
    head = page.partition("</head>")[0]
    said = dict(re.findall(r'<meta (?:property|name)="((?:og|twitter|article):[^"]+)" content="([^"]*)"', head))
    here = f"http://post.test/editions/{SLUG}"
    assert said["og:type"] == "article"
    assert said["og:title"] == paper.lead.headline
    assert said["og:url"] == here
    assert said["og:image"] == f"{here}/card.png"
    assert (said["og:image:width"], said["og:image:height"]) == ("1200", "630")
    assert said["twitter:card"] == "summary_large_image"
    assert f'<link rel="canonical" href="{here}">' in head
    assert 'href="http://post.test/feed.xml"' in head
    assert f'href="{here}/edition.json"' in head
    assert 'href="http://post.test/how-we-count"' in page
    async with container.db.read() as session:
        bodies = await editions.bodies(session, edition.id)
    assert bodies is not None
    assert re.search(r"How we count \[(\d+)\](?s:.*)\[\1\] http://post.test/how-we-count\n", bodies[1])


async def test_an_edition_as_json_is_what_was_stored(client: AsyncClient, printed: EditionContent) -> None:
    """Whoever names its hash may keep it for good."""
    path = f"/editions/{SLUG}/edition.json"
    answer = await client.get(path)
    assert EditionContent.model_validate_json(answer.content) == printed
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-cache"
    assert (await client.get(path, params={"v": DIGEST})).headers["cache-control"] == FOR_GOOD
    assert (await client.get(path, params={"v": "0" * 64})).headers["cache-control"] == "no-cache"
    assert "</edition.schema.json>" in answer.headers["link"].replace("http://post.test", "")


async def test_the_schema_names_every_field(client: AsyncClient, printed: EditionContent) -> None:
    schema = (await client.get("/edition.schema.json")).json()
    edition = (await client.get(f"/editions/{SLUG}/edition.json")).json()
    assert schema["$id"] == "http://post.test/edition.schema.json"
    assert set(schema["properties"]) == set(edition)
    assert set(schema["$defs"]["Piece"]["properties"]) == set(edition["lead"])


async def test_a_card_is_a_picture_of_the_size_that_is_asked_for(client: AsyncClient, printed: EditionContent) -> None:
    for path in (f"/editions/{SLUG}/card.png", "/card.png"):
        answer = await client.get(path)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"] == "public, max-age=86400"
        assert Image.open(io.BytesIO(answer.content)).size == (1200, 630)
        assert len(answer.content) < 100_000
    named = await client.get(f"/editions/{SLUG}/card.png", params={"v": DIGEST})
    assert named.headers["cache-control"] == FOR_GOOD


@pytest.mark.parametrize("slug", ["2026-11-22", "2026-11-22-weakly", "20261122", "nonsense", "%00", "x" * 3000])
@pytest.mark.parametrize("file", ["edition.json", "card.png"])
async def test_what_was_never_printed_has_no_files(client: AsyncClient, slug: str, file: str) -> None:
    assert (await client.get(f"/editions/{slug}/{file}")).status_code == 404


async def test_what_is_not_out_yet_is_shown_to_nobody(client: AsyncClient, container: Container) -> None:
    """Composed, and frozen: the slug is known, the paper is not."""
    await sample.publish(container.db, sample.content(), EditionStatus.FROZEN)
    for path in (f"/editions/{SLUG}", f"/editions/{SLUG}/edition.json", f"/editions/{SLUG}/card.png"):
        assert (await client.get(path)).status_code == 404
    assert not feedparser.parse(io.BytesIO((await client.get("/feed.xml")).content)).entries
    assert SLUG not in (await client.get("/sitemap.xml")).text


async def test_the_site_map_names_every_page(client: AsyncClient, container: Container) -> None:
    for number in range(1, 4):
        await sample.publish(container.db, sample.content(sample.TODAY - timedelta(days=number), number))
    answer = await client.get("/sitemap.xml")
    found = addresses(answer.content)
    assert found[:3] == [f"http://post.test{path}" for path in ("/", "/editions", "/how-we-count")]
    assert found[3:] == [f"http://post.test/editions/2026-11-{day}" for day in (20, 21, 22)]
    for address in found:
        assert (await client.get(address)).status_code == 200
    assert (await client.get("/sitemap-2.xml")).status_code == 404


async def test_a_long_site_map_is_split(
    client: AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every address once, and none of the files longer than it may be."""
    for number in range(1, 9):
        await sample.publish(container.db, sample.content(sample.TODAY - timedelta(days=number), number))
    whole = addresses((await client.get("/sitemap.xml")).content)
    monkeypatch.setattr(sitemap, "MOST", 5)
    files = addresses((await client.get("/sitemap.xml")).content)
    assert files == [f"http://post.test/sitemap-{page}.xml" for page in (1, 2, 3)]
    parts = [addresses((await client.get(file)).content) for file in files]
    assert flat(parts) == whole
    assert max(len(part) for part in parts) == 5
    for path in ("/sitemap-0.xml", "/sitemap-4.xml", "/sitemap-x.xml"):
        assert (await client.get(path)).status_code == 404


def flat(parts: Iterable[list[str]]) -> list[str]:
    return [one for part in parts for one in part]


async def test_robots_keep_out_of_what_is_somebodys(client: AsyncClient) -> None:
    lines = (await client.get("/robots.txt")).text.splitlines()
    assert lines[0] == "User-agent: *"
    for path in ("/confirm/", "/preferences/", "/unsubscribe/"):
        assert f"Disallow: {path}" in lines
    assert lines[-1] == "Sitemap: http://post.test/sitemap.xml"
    assert "Disallow: /" not in lines


async def test_nobody_is_followed(client: AsyncClient, printed: EditionContent) -> None:
    """No answer sets a cookie, and none differs by who asks."""
    for path in FILES:
        plain = await client.get(path)
        other = await client.get(path, headers={"user-agent": "a reader", "cookie": "who=me"})
        assert "set-cookie" not in plain.headers
        assert plain.content == other.content


async def test_how_we_count_is_told_in_both_languages(client: AsyncClient) -> None:
    english = (await client.get("/how-we-count")).text
    assert "the difference of two counts of ours" in english
    assert 'href="/how-we-count"' in (await client.get("/")).text
    german = (await client.get("/how-we-count?lang=de")).text
    assert "Wie wir zählen" in german
    assert "der Unterschied zweier eigener Zählungen" in german
