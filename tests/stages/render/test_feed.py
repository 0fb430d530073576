"""The Atom feed holds whole editions, is valid for any text, and is the same for everybody."""

import io
from datetime import UTC, datetime, timedelta

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from lxml import html as lxml_html

from app.models.content import EditionContent
from app.stages.render import feed
from app.stages.render.characters import printable

from . import sample

AT = datetime(2026, 11, 20, 5, 31, 7, 250, tzinfo=UTC)
NAMES = {"a": feed.ATOM}


def parsed(*papers: EditionContent) -> etree._Element:
    entries = [feed.Entry(paper.date.isoformat(), paper, AT - timedelta(days=ago)) for ago, paper in enumerate(papers)]
    return etree.fromstring(feed.atom(entries, sample.PAPER, AT))


def one(tree: etree._Element, path: str) -> str:
    (found,) = tree.xpath(path, namespaces=NAMES)
    return str(found)


def test_a_feed_reader_reads_the_whole_edition() -> None:
    """As feedparser, which many readers are built on, understands it."""
    made = feed.atom([feed.Entry(sample.SLUG, sample.full(), AT)], sample.PAPER, AT)
    read = feedparser.parse(io.BytesIO(made), sanitize_html=False)
    assert not read.bozo
    assert read.feed.title == "The AI Morning Post"
    (entry,) = read.entries
    assert entry.title == sample.full().subject
    assert entry.link == "https://post.example.org/editions/2026-11-20"
    page = lxml_html.fragment_fromstring(entry.content[0].value, create_parent=True)
    text = " ".join(page.itertext())
    for piece in sample.full().pieces:
        assert piece.headline in text
    for chart in sample.full().charts:
        for row in chart.rows:
            assert row.name in text
    assert "up 41 places, from 44 to 3" in text
    assert "8.5× its usual week" in text
    assert "By September the gauge had won on two days of three." in text


def test_names_addresses_and_times_are_those_of_the_standard() -> None:
    """RFC 4287 sections 4.1.1 and 4.1.2; the names are tags (RFC 4151), which outlive a change of address."""
    tree = parsed(sample.full())
    assert one(tree, "a:id/text()") == "tag:daily.example.org,2026:editions"
    assert one(tree, "a:entry/a:id/text()") == "tag:daily.example.org,2026-11-20:edition/2026-11-20"
    assert one(tree, "a:updated/text()") == one(tree, "a:entry/a:updated/text()") == "2026-11-20T05:31:07Z"
    assert one(tree, "a:link[@rel='self']/@href") == "https://post.example.org/feed.xml"
    assert one(tree, "a:link[@rel='alternate']/@href") == "https://post.example.org/editions"
    assert one(tree, "a:entry/a:link[@type='text/html']/@href") == "https://post.example.org/editions/2026-11-20"
    assert one(tree, "a:author/a:name/text()") == "The AI Morning Post"
    assert tree.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"


def test_the_newest_entry_says_when_the_feed_changed() -> None:
    tree = parsed(sample.full(), sample.full(date=sample.DAY - timedelta(days=1), number=213))
    assert one(tree, "a:updated/text()") == "2026-11-20T05:31:07Z"
    assert tree.xpath("a:entry/a:updated/text()", namespaces=NAMES)[1] == "2026-11-19T05:31:07Z"


def test_before_the_first_edition_the_feed_is_empty_and_whole() -> None:
    tree = parsed()
    assert one(tree, "a:updated/text()") == "2026-11-20T05:31:07Z"
    assert not tree.xpath("a:entry", namespaces=NAMES)


@pytest.mark.parametrize("make", [sample.full, sample.bare, sample.awkward])
def test_nothing_is_fetched_and_every_address_is_whole(make: object) -> None:
    """No image, script or style; nothing of one reader; links that work wherever the feed is read."""
    assert callable(make)
    page = lxml_html.fragment_fromstring(feed.body(make(), sample.PAPER, sample.SLUG), create_parent=True)
    assert not list(page.iter("img", "script", "style", "link", "iframe", "form"))
    assert not page.xpath("//@style | //@class")
    for address in page.xpath("//@href"):
        assert address.startswith(("https://", "http://", "mailto:"))
        assert "unsubscribe" not in address
        assert "preferences" not in address


@given(st.text(), st.text(), st.text())
def test_any_text_makes_a_valid_feed(words: str, odd: str, address: str) -> None:
    """What XML refuses is left out, and everything else arrives as it was written."""
    lead = sample.bare().lead.model_copy(
        update={"headline": f"H{words}", "standfirst": odd, "source": odd, "url": address, "body_text": words}
    )
    paper = sample.bare().model_copy(update={"lead": lead, "subject": f"S{odd}", "preheader": f"P{words}"})
    tree = parsed(paper)
    kept = printable(f"S{odd}")
    assert one(tree, "a:entry/a:title/text()") == kept
    inside = lxml_html.fragment_fromstring(one(tree, "a:entry/a:content/text()"), create_parent=True)
    headline = inside.find(".//h3")
    assert "".join(headline.itertext()).split() == printable(f"H{words}").split()
