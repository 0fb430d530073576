"""What a feed holds, whatever a stranger put into it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import SourceError
from app.core.text import is_clean
from app.stages.collect import arxiv, feeds, hackernews
from app.stages.collect.deadline import Deadline
from app.stages.collect.feeds import FeedParser
from app.stages.collect.found import HEADLINE, SUMMARY, Found, Reading, find, headline_of, plain, unique
from tests.conftest import NOON
from tests.stages.collect.feed_server import News, atom, hits, rss


async def parsed(body: bytes, content_type: str = "application/xml", within: float = 30.0) -> Reading:
    raw = await FeedParser(within).parse(body, "https://kiln.example/feed", content_type, Deadline(60, NOON))
    return feeds.reading_of(raw, content_type, NOON)


def item(inside: str) -> bytes:
    return f'<rss version="2.0"><channel><title>x</title><item>{inside}</item></channel></rss>'.encode()


async def test_a_feed_gives_headline_link_summary_and_date() -> None:
    """And its key is the link without what was hung on it."""
    reading = await parsed(rss([News("Kiln runs offline", "https://kiln.example/a?utm_source=rss", 3)]))
    assert reading == Reading(
        (
            Found(
                key="https://kiln.example/a",
                url="https://kiln.example/a?utm_source=rss",
                title="Kiln runs offline",
                summary="It is told in a few words.",
                published_at=NOON - timedelta(hours=3),
            ),
        )
    )


async def test_atom_and_relative_links_are_read() -> None:
    """A link is relative to the feed, an id may stand in for one, HTML is taken out of a title."""
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>
      <entry><title type="html">A &lt;b&gt;bold&lt;/b&gt; claim &amp;amp; more</title><link href="/one"/>
        <updated>2026-11-22T08:00:00+02:00</updated><author><name>Ada Marsh</name></author></entry>
      <entry><title>Two</title><id>https://kiln.example/two</id></entry></feed>"""
    one, two = (await parsed(body)).finds
    assert (one.key, one.title, one.author) == ("https://kiln.example/one", "A bold claim & more", "Ada Marsh")
    assert one.published_at == datetime(2026, 11, 22, 6, tzinfo=UTC)
    assert (two.key, two.published_at) == ("https://kiln.example/two", None)


async def test_an_empty_feed_is_well_and_a_web_page_is_none() -> None:
    """arXiv's is empty on Saturdays; a blog that closed shows a page instead."""
    assert await parsed(rss([])) == Reading(())
    with pytest.raises(SourceError, match="a web page, not a feed"):
        await parsed(b"<!doctype html><html><body><p>Moved</p></body></html>", "text/html; charset=utf-8")
    for body in (b"", b"{}", b"\x00\xff\xfe" * 100, b"https://kiln.example/feed", b"/etc/passwd"):
        with pytest.raises(SourceError, match=r"not a feed|read as a feed|empty"):
            await parsed(body)


async def test_what_is_malformed_is_read_as_far_as_it_goes_and_said() -> None:
    """Many feeds are, and have been for years."""
    reading = await parsed(rss([News("One", "https://kiln.example/1"), News("Two", "https://kiln.example/2")])[:-60])
    assert [one.title for one in reading.finds][:1] == ["One"]
    assert reading.problem.startswith("It is not well-formed")
    nameless = await parsed(item("<description>Only words</description>"))
    assert nameless == Reading((), "None of its entries has both a headline and a web address.")


async def test_a_date_to_come_is_now_and_an_empty_one_is_missing() -> None:
    """Neither makes a story stay on top for ever."""
    for date, expected in (("Mon, 23 Nov 2099 12:00:00 GMT", NOON), ("", None)):
        body = item(f"<title>a</title><link>https://kiln.example/a</link><pubDate>{date}</pubDate>")
        assert (await parsed(body)).finds[0].published_at == expected


@pytest.mark.parametrize("date", ["soon", "Di, 10 Jun 2025 08:00:00 MESZ", "mar., 10 juin 2025", "10/06/2025 08:00"])
async def test_a_date_that_cannot_be_read_is_not_today(date: str) -> None:
    """What it stands at is left out, and that is said; the others are taken."""
    other = "</item><item><title>b</title><link>https://kiln.example/b</link>"
    body = item(f"<title>a</title><link>https://kiln.example/a</link><pubDate>{date}</pubDate>{other}")
    reading = await parsed(body)
    assert [one.title for one in reading.finds] == ["b"]
    assert reading.problem == f"1 of its 2 entries has a date that cannot be read (“{date}”), and was left out."


async def test_seconds_since_1970_are_a_date() -> None:
    """Ten digits or thirteen."""
    for date in ("1749542400", "1749542400000"):
        body = item(f"<title>a</title><link>https://kiln.example/a</link><pubDate>{date}</pubDate>")
        found = (await parsed(body)).finds[0].published_at
        assert found is not None
        assert found.isoformat() == "2025-06-10T08:00:00+00:00"


@pytest.mark.parametrize(
    ("charset", "declared"),
    [("utf-8", "UTF-8"), ("", "utf-8"), ("utf-8", ""), ("", ""), ("iso-8859-1", "utf-8")],
)
async def test_one_bad_byte_is_one_bad_letter(charset: str, declared: str) -> None:
    """All others stay as they are, whoever declared the character set; and it is said."""
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    good = item("<title>Grüße, größer</title><link>https://kiln.example/a</link>").decode()
    old = "<item><title>l@nger</title><link>https://kiln.example/b</link></item></channel>"
    body = (head + good.replace("</channel>", old)).encode().replace(b"@", b"\xe4")
    reading = await parsed(body, "application/rss+xml" + (f"; charset={charset}" if charset else ""))
    assert [one.title for one in reading.finds] == ["Grüße, größer", "länger"]
    assert reading.problem == "It is not all in its character set: 1 of its characters had to be guessed."


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("iso-8859-1", "Grüße"),
        ("windows-1251", "Привет"),
        ("shift_jis", "港の模型"),
        ("gb2312", "港口"),
        ("utf-16", "Grüße"),
    ],
)
async def test_other_character_sets_are_read_as_declared(encoding: str, title: str) -> None:
    """With or without a faulty byte, where the set can have one."""
    text = item(f"<title>{title * 5}</title><link>https://kiln.example/a</link>").decode()
    body = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
    assert [one.title for one in (await parsed(body)).finds] == [title * 5]
    if encoding in ("shift_jis", "gb2312"):
        spoilt = body.replace(b"</channel>", b"<item><title>x\xff</title></item></channel>")
        assert (await parsed(spoilt)).finds[0].title == title * 5


async def test_what_is_utf8_is_read_as_utf8() -> None:
    """Though a server says Latin-1 of everything."""
    body = item("<title>Grüße</title><link>https://kiln.example/a</link>")
    assert (await parsed(body, "text/xml; charset=iso-8859-1")).finds[0].title == "Grüße"


async def test_a_blank_in_a_link_is_read_as_browsers_do() -> None:
    """And an entry without a link is told of."""
    body = item(
        "<title>a</title><link> https://kiln.example/a file.html?q=x y </link></item>"
        "<item><title>b</title><link>https://ki ln.example/b</link>"
    )
    reading = await parsed(body)
    assert [one.url for one in reading.finds] == ["https://kiln.example/a%20file.html?q=x%20y"]
    assert reading.problem == "1 of its 2 entries has no headline or no web address, and was left out."


def fill(unit: bytes, before: bytes = b'<rss version="2.0"><channel>', size: int = 600_000) -> bytes:
    return before + unit * (size // len(unit))


@pytest.mark.parametrize(
    "body",
    [
        fill(b"<a>"),
        fill(b'<item xml:base="http://kiln.example/"><link>a</link>'),
        fill(b"<"),
        fill(b"&"),
        fill(b"<!ENTITY a 'b'>", b"<!DOCTYPE rss ["),
        b'<!DOCTYPE r [<!ENTITY a "ha">'
        + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10 if n else b"&a;" * 10) for n in range(9))
        + b']><rss version="2.0"><channel><title>&a8;</title></channel></rss>',
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><item><title>&x;</title></item></rss>',
    ],
    ids=["open tags", "nested items", "brackets", "ampersands", "entities", "billion laughs", "external entity"],
)
async def test_a_feed_that_is_made_to_hurt_ends_soon(body: bytes) -> None:
    """In a process of its own, which is ended; nothing of it is left behind, and no file of ours is told."""
    began = monotonic()
    try:
        reading = await parsed(body, within=2.0)
        assert "root:" not in "".join(one.title for one in reading.finds)
    except SourceError:
        pass
    assert monotonic() - began < 90


async def test_a_reading_that_is_broken_off_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The paper does not wait for a feed, and nor does a feed outlive it."""
    children = []
    start = asyncio.create_subprocess_exec

    async def watched(*args: str, **options: int) -> asyncio.subprocess.Process:
        child = await start(*args, **options)  # type: ignore[arg-type]  # passed on as they came
        children.append(child)
        return child

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    with pytest.raises(SourceError, match="took too long"):
        await parsed(fill(b"<a>", size=3_000_000), within=1.0)
    assert [child.returncode is not None for child in children] == [True]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("A \u202egnp.exe\u202c trap\u0007", "A gnp.exe trap"),
        ("<script>alert(1)</script>Kiln <img src=x onerror=alert(1)>news", "Kiln news"),
        ("Why 3 < 5 and x<y", "Why 3 < 5 and x<y"),
        ("Tom &amp; Jerry", "Tom &amp; Jerry"),
        ("Using Vec<T> and Option<String>", "Using Vec<T> and Option<String>"),
        ("Vec<T> &amp; Co", "Vec<T> & Co"),
        ("If a<b and c>d then <b>so</b>", "If a<b and c>d then so"),
        ("A guide to the <head> element", "A guide to the <head> element"),
        ("10<sup>12</sup> in CO<sub>2</sub>, x<sup>k+1</sup>, 1<sup>st</sup>", "10¹² in CO₂, x^(k+1), 1st"),
        ("<del>9</del> 10<div>more</div>words", "~~9~~ 10 more words"),
        ("Attention in O(n^2) at 20 °C", "Attention in O(n^2) at 20 °C"),
        ("two\nlines\tand  spaces", "two lines and spaces"),
        ("Kiln 🚀🚀 lifts off", "Kiln lifts off"),
        ("<b></b>", ""),
        ("المقال الأول", "المقال الأول"),
    ],
)
def test_a_headline_is_one_line_of_words(title: str, expected: str) -> None:
    """Control characters, turned directions and markup go; a bracket that is none of those stays."""
    assert headline_of(title) == expected


@given(st.text(max_size=400))
def test_any_text_becomes_a_printable_line(text: str) -> None:
    """Short enough for its column, and without anything that may not stand in a mail."""
    for found in (find("https://kiln.example/a", f"x{text}", summary=text, author=text, now=NOON),):
        assert found is not None
        assert len(found.title) <= HEADLINE
        assert len(found.summary) <= SUMMARY
        assert is_clean(found.title + found.summary + found.author)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("<title>Using Vec&lt;T&gt; in cranes</title>", "Using Vec<T> in cranes"),
        ("<title>Using Vec&amp;lt;T&amp;gt; in cranes</title>", "Using Vec<T> in cranes"),
        ("<title><![CDATA[If a<b and c>d then]]></title>", "If a<b and c>d then"),
        ("<title>10&lt;sup&gt;12&lt;/sup&gt; tokens</title>", "10¹² tokens"),
        ("<title>2^10 at 20 °C, № 5</title>", "2^10 at 20 °C, № 5"),
    ],
)
async def test_a_feeds_headline_says_what_was_written(title: str, expected: str) -> None:
    """Whichever way its brackets are escaped."""
    reading = await parsed(item(f"{title}<link>https://kiln.example/a</link>"))
    assert [one.title for one in reading.finds] == [expected]


async def test_a_title_of_megabytes_is_cut() -> None:
    """Before anybody looks at all of it."""
    reading = await parsed(item(f"<title>{'word ' * 800_000}</title><link>https://kiln.example/a</link>"))
    assert len(reading.finds[0].title) <= HEADLINE


def test_paragraphs_do_not_run_into_each_other() -> None:
    """And a script is no words."""
    assert plain("<p>One.</p><p>Two.<br/>Three</p><script>x()</script>").split() == ["One.", "Two.", "Three"]


def test_the_same_thing_twice_in_a_feed_is_one_find() -> None:
    """The first of them."""
    links = (("https://kiln.example/a", "One"), ("https://kiln.example/a/#x", "Again"), ("nowhere", "Lost"))
    made = [find(url, title, now=NOON) for url, title in links]
    assert [one.title for one in unique(made)] == ["One"]


def test_the_usual_gap_is_the_middle_one() -> None:
    """Of at least three gaps; a feed with fewer dates has no habit."""
    made = unique([find(f"https://kiln.example/{n}", "x", published_at=NOON - timedelta(days=n), now=NOON)
                   for n in (0, 1, 2, 30)])  # fmt: skip
    assert Reading(made).usual_gap == 86_400
    assert Reading(made).newest == NOON
    assert Reading(made[:3]).usual_gap is None
    assert Reading(()).newest is None


async def test_arxiv_gives_papers_by_their_page() -> None:
    """Without version and PDF, with who wrote them; its complaint about a query is passed on."""
    raw = await FeedParser().parse(
        atom([News("On kilns", "https://arxiv.org/abs/2611.01234")]), "https://x.example/", "", Deadline(30, NOON)
    )
    (paper,) = arxiv.reading(raw, "", NOON).finds
    assert (paper.key, paper.url) == ("https://arxiv.org/abs/2611.01234", "https://arxiv.org/abs/2611.01234")
    assert paper.author == "Ada Marsh and Ben Marsh"
    complaint = {"entries": [{"id": "http://arxiv.org/api/errors#x", "title": "Error", "summary": "incorrect id"}]}
    with pytest.raises(SourceError, match="does not understand the query: incorrect id"):
        arxiv.reading(complaint, "", NOON)
    assert arxiv.reading({"version": "atom10", "entries": []}, "", NOON) == Reading(())


def test_authors_are_named_and_counted() -> None:
    """Three names, and how many more."""
    assert feeds.authors_of({"authors": ["A", "B", "C"], "others": 12}) == "A, B, C and 12 others"
    assert feeds.authors_of({"authors": ["A", "B", "C"]}) == "A, B and C"
    assert feeds.authors_of({"authors": ["A"]}) == "A"
    assert feeds.authors_of({}) == ""


def test_hacker_news_gives_links_with_their_discussion() -> None:
    """A question without a link is its own discussion; what is not as it should be is left out."""
    answer = hits([News("Kiln 2 is out", "https://kiln.example/2", points=512), News("Ask HN: Which kiln?", "")])
    answer["hits"] += [None, {"objectID": "<1>", "title": "x"}, {"objectID": "7", "title": None, "url": "https://a.b/"}]
    link, question = hackernews.reading(json.dumps(answer).encode(), NOON).finds
    assert (link.key, link.points, link.comments) == ("https://kiln.example/2", 512, 256)
    assert link.discussion == "https://news.ycombinator.com/item?id=48000000"
    assert question.url == question.discussion == "https://news.ycombinator.com/item?id=48000001"
    for body in (b"", b"[]", b'{"hits": 1}', b"[" * 100_000, b"<html>"):
        with pytest.raises(SourceError):
            hackernews.reading(body, NOON)


def test_hacker_news_is_asked_for_the_last_three_days() -> None:
    """Beside what the operator set up."""
    asked = hackernews.query("https://hn.algolia.com/api/v1/search_by_date?query=LLM&numericFilters=points>=50", NOON)
    since = int((NOON - timedelta(days=3)).timestamp())
    assert f"numericFilters=points%3E%3D50%2Ccreated_at_i%3E%3D{since}" in asked
    assert "query=LLM" in asked
    assert "hitsPerPage=100" in asked
