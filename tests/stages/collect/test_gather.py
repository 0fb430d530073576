"""Gathering: what sources show becomes candidates, each thing once, whatever goes wrong at any of them."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from app.core.db import Database
from app.core.errors import Conflict
from app.models import Source, SourceHealth, Story
from app.models.content import Section
from app.models.states import StoryStatus
from app.operations import housekeeping
from app.stages.collect import sourcing
from app.stages.collect import stories as desk
from app.stages.collect.fold import fold
from app.stages.collect.found import find, unique
from app.stages.collect.gather import GatherReport, gather
from app.stages.compose import draft
from app.store import editions, health, sightings, sources, stories
from tests.conftest import NOON
from tests.stages.collect.feed_server import HOUR, News, Press, gatherer
from tests.stages.collect.standin import Reply, closed_port, too_many

KILN = News("Kiln agents run offline on one small laptop", "https://kiln.example/offline")
REED = News("Reed opens the weights of its lantern model", "https://reed.example/lantern", 5)


@pytest.fixture
def press() -> Iterator[Press]:
    made = Press()
    yield made
    made.server.close()


async def run(db: Database, hours: float = 0, within: float = 30) -> GatherReport:
    return await gather(db, gatherer(), NOON + hours * HOUR, within)


async def candidates(db: Database) -> Sequence[Story]:
    async with db.read() as session:
        return await stories.candidates(session, NOON - timedelta(days=30))


async def record(db: Database, source_id: int) -> SourceHealth:
    async with db.read() as session:
        found = await health.get(session, health.name_of(source_id))
    assert found is not None
    return found


async def one_source(db: Database, source_id: int) -> Source:
    async with db.read() as session:
        return await sourcing.one(session, source_id)


async def test_finds_become_candidates_and_asking_again_adds_nothing(db: Database, press: Press) -> None:
    """With source, date and canonical address; the source's own words are kept apart from ours."""
    source_id = await press.source(db, "/kiln", [KILN, REED], section=Section.OPINION)
    report = await run(db)
    assert report.summary == "1 sources asked: 2 new candidates, 0 folded into stories we had"
    kiln, reed = await candidates(db)
    assert (kiln.headline, kiln.section, kiln.source, kiln.source_id) == (
        KILN.title,
        Section.OPINION,
        "Kiln",
        source_id,
    )
    assert (kiln.url, kiln.canonical_url, kiln.published_at, kiln.found_at) == (KILN.url, KILN.url, KILN.at, NOON)
    assert (kiln.summary, kiln.standfirst, kiln.body) == ("It is told in a few words.", "", "")
    for hours in (1, 2):
        report = await run(db, hours)
        assert [(one.new, one.folded) for one in report.sources] == [(0, 0)]
    assert [one.id for one in await candidates(db)] == [kiln.id, reed.id]


async def test_an_unchanged_feed_is_not_sent_again(db: Database, press: Press) -> None:
    """Its ETag is kept with what was taken; 304 is a success."""
    source_id = await press.source(db, "/kiln", [KILN])
    press.print("/kiln", [KILN], etag='"1"')
    await run(db)
    await run(db, 1)
    assert press.server.asked[-1].headers["if-none-match"] == '"1"'
    one = await record(db, source_id)
    assert (one.succeeded_at, one.items, one.etag, one.data_at) == (NOON + HOUR, 1, '"1"', KILN.at)
    press.print("/kiln", [KILN, REED], etag='"2"')
    assert (await run(db, 2)).sources[0].new == 1


async def test_one_thing_at_several_sources_is_one_candidate(db: Database, press: Press) -> None:
    """By its address, also of a paper's mirror, and by the likeness of headlines; the sources are all kept."""
    await press.source(
        db, "/hn", [News("Show HN: Kiln agents run offline on one laptop", KILN.url + "?ref=hn", 1, "", 512)]
    )
    await press.source(db, "/kiln", [KILN], weight=1.5)
    await press.source(
        db, "/digest", [News("Kiln Agents Run Offline on a Small Laptop", "https://digest.example/7", 1)]
    )
    await press.source(db, "/arxiv", [News("On kilns", "https://arxiv.org/abs/2611.01234")])
    await press.source(db, "/papers", [News("A paper on kilns", "https://huggingface.co/papers/2611.01234")])
    await run(db)
    kiln, paper = await candidates(db)
    assert (kiln.headline, kiln.source, kiln.url) == (KILN.title, "Kiln", KILN.url)
    assert paper.canonical_url == "https://arxiv.org/abs/2611.01234"
    async with db.read() as session:
        seen = await sightings.of_stories(session, [kiln.id, paper.id])
    assert sorted(one.source.name for one in seen[kiln.id]) == ["Digest", "Hn", "Kiln"]
    assert max(one.row.points or 0 for one in seen[kiln.id]) == 512
    assert kiln.weight > paper.weight
    assert len(seen[paper.id]) == 2


async def test_two_repositories_are_two_however_alike_their_names(db: Database, press: Press) -> None:
    """And two papers; while a post about one of them is folded into it."""
    title = "Hearth keeps a model's capsules of files warm"
    await press.source(db, "/repos", [News(title, f"https://github.com/hearth/{name}") for name in ("files", "memory")])
    await run(db)
    assert len(await candidates(db)) == 2
    await press.source(db, "/blog", [News(title, "https://hearth.example/warm")])
    await run(db, 1)
    assert len(await candidates(db)) == 2


async def test_what_a_candidate_says_does_not_depend_on_who_was_first(db: Database, press: Press) -> None:
    """A link that is found before the house's own words gives way to them; points that rise are followed."""
    await press.source(db, "/hn", [News("Kiln agents run offline on one laptop", KILN.url, 1, "", 60)])
    await run(db)
    (before,) = await candidates(db)
    assert (before.source, before.summary) == ("kiln.example", "Discussed on Hacker News: 60 points, 30 comments.")
    await press.source(db, "/kiln", [KILN])
    press.print("/hn", [News("Kiln agents run offline on one laptop", KILN.url, 1, "", 900)])
    await run(db, 1)
    (after,) = await candidates(db)
    assert (after.id, after.headline, after.source) == (before.id, KILN.title, "Kiln")
    assert after.summary == KILN.summary
    assert after.weight > before.weight


async def test_the_order_of_finds_is_nothing(db: Database, press: Press) -> None:
    """Shuffled and in two halves they give the same candidates."""
    news = [
        News(f"Harbour number {n} opens its gates {word} small models", f"https://{house}.example/{n}", n)
        for n in range(8)
        for word, house in (("to", "harbour"), ("for", "echo"))
    ]
    results = []
    for seed in range(3):
        shuffled = list(news)
        Random(seed).shuffle(shuffled)
        source_id = await press.source(db, f"/feed-{seed}", section=Section.TOOLS)
        found = unique([find(one.url, one.title, published_at=one.at, now=NOON) for one in shuffled])
        async with db.write() as session:
            source = await sourcing.one(session, source_id)
            for half in (found[:8], found[8:], found):
                await fold(session, source, half, NOON)
        rows = await candidates(db)
        results.append(sorted(one.headline.replace(" for ", " to ") for one in rows))
        async with db.write() as session:
            await sources.remove(session, source_id)
            for row in rows:
                await stories.remove(session, row.id)
    assert results[0] == results[1] == results[2]
    assert len(results[0]) == 8


async def test_what_was_printed_is_not_proposed_again(db: Database, press: Press) -> None:
    """Neither its address nor, for a week, a headline like it; a week later the same words are news."""
    async with db.write() as session:
        for section, headline, url in (
            ("lead", "Reed opens the weights of its lantern model", "https://reed.example/lantern?utm_source=x"),
            ("tools", "A tool", "https://tool.example/"),
        ):
            fields = {"section": section, "headline": headline, "standfirst": "x", "url": url}
            await desk.create(session, desk.parse(fields), NOON)
    made = await draft.compose(db, date(2026, 11, 23), NOON)
    async with db.write() as session:
        edition = await editions.get(session, made.edition_id)
        assert edition is not None
        await stories.mark_printed(session, [1, 2], made.edition_id)
    again = News("Reed Opens Weights of Its Lantern Model", "https://echo.example/reed", -48)
    await press.source(db, "/echo", [again, News("Tools", "http://www.tool.example/#top", -48), KILN])
    await run(db, 49)
    assert [one.headline for one in await candidates(db)] == [KILN.title]
    late = News("Reed opens the weights of its lantern model", "https://late.example/reed", -24 * 9)
    await press.source(db, "/late", [late])
    await run(db, 24 * 9 + 1)
    assert late.url in [one.url for one in await candidates(db)]


async def test_what_an_editor_decided_stays(db: Database, press: Press) -> None:
    """Accepted, dismissed or deleted: no source brings it back or changes its words."""
    third = News("Heron counts birds with a model of 40 MB", "https://heron.example/birds", 3)
    source_id = await press.source(db, "/kiln", [KILN, REED, third])
    await run(db)
    ids = {one.headline: one.id for one in await candidates(db)}
    async with db.write() as session:
        accepted = await desk.accept(session, ids[KILN.title], {"section": "lead", "headline": "Our own"}, NOON)
        assert (accepted.status, accepted.standfirst) == (StoryStatus.READY, KILN.summary)
        await desk.dismiss(session, ids[REED.title], NOON)
        await desk.remove(session, ids[third.title])
        with pytest.raises(Conflict, match="only a candidate"):
            await desk.accept(session, ids[REED.title], {}, NOON)
    await press.source(db, "/echo", [KILN, REED, third])
    for hours in (1, 2):
        await run(db, hours)
    assert await candidates(db) == []
    async with db.write() as session:
        kept = await stories.get(session, ids[KILN.title])
        assert kept is not None
        assert (kept.headline, kept.section) == ("Our own", Section.LEAD)
        back = await desk.restore(session, ids[REED.title], NOON)
        assert back.status is StoryStatus.CANDIDATE
        with pytest.raises(Conflict, match="accept it, with your changes"):
            await desk.change(session, back.id, {"headline": "x"}, NOON)
        await sourcing.remove(session, source_id)
    assert [one.id for one in await candidates(db)] == [ids[REED.title]]


async def test_old_news_is_not_taken_and_a_day_has_its_measure(db: Database, press: Press) -> None:
    """A blog lists its posts of years; a source with a hundred a day proposes as many as it may, the newest first."""
    old = News("Reed looks back on a decade", "https://reed.example/decade", 24 * 8)
    many = [News(f"Word{n} tells of thing{n} and place{n}", f"https://many.example/{n}", n) for n in range(1, 40)]
    await press.source(db, "/many", [old, *many], most=5)
    await run(db)
    assert [one.url for one in await candidates(db)] == [one.url for one in many[:5]]
    await run(db, 1)
    assert len(await candidates(db)) == 5
    await run(db, 25)
    assert len(await candidates(db)) == 10


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(b"", 500), "answered 500"),
        (Reply(b"", 404), "answered 404"),
        (Reply(b"<html></html>", headers={"Content-Type": "text/html"}), "a web page"),
        (Reply(b"x" * 5_000_001), "larger than 5 MB"),
        (Reply(b"", 301, {"Location": "http://169.254.169.254/latest"}), "169.254.169.254"),
        (Reply(b"<rss/>", headers={"Content-Encoding": "br"}), "packed"),
    ],
)
async def test_a_source_that_fails_harms_no_other(db: Database, press: Press, reply: Reply, why: str) -> None:
    """It is in the report and in its record."""
    bad, good = await press.source(db, "/bad"), await press.source(db, "/kiln", [KILN])
    press.pages["/bad"] = reply
    report = await run(db)
    assert "without answer: Bad" in report.summary
    assert [one.headline for one in await candidates(db)] == [KILN.title]
    one = await record(db, bad)
    assert why in one.problem
    assert (one.failures, one.succeeded_at) == (1, None)
    assert (await record(db, good)).failures == 0


async def test_a_source_that_fails_three_times_is_left_alone(db: Database, press: Press) -> None:
    """For an hour, then two; one good answer closes the breaker."""
    source_id = await press.source(db, "/kiln", [KILN])
    press.server.fail("/kiln", Reply(b"", 404))
    for hours in range(4):
        await run(db, hours)
    assert len(press.server.asked) == 4
    assert (await record(db, source_id)).open_until == NOON + 5 * HOUR
    assert (await run(db, 4)).sources == ()
    press.server.heal()
    assert (await run(db, 5)).sources[0].new == 1
    assert (await record(db, source_id)).failures == 0


async def test_a_wait_that_a_source_asks_for_is_kept(db: Database, press: Press) -> None:
    """It is not asked before."""
    await press.source(db, "/kiln", [KILN])
    press.server.fail("/kiln", too_many(3 * 3600), times=1)
    await run(db)
    await run(db, 2)
    assert len(press.server.asked) == 1
    assert (await run(db, 3.1)).sources[0].new == 1


async def test_a_move_for_good_is_followed_for_good(db: Database, press: Press) -> None:
    """And 410 switches the source off; a move to another source's address leaves both as they are."""
    first = await press.source(db, "/old")
    new = press.print("/new", [KILN])
    press.pages["/old"] = Reply(b"", 301, {"Location": "/new"})
    await run(db)
    assert (await one_source(db, first)).url == new
    second = await press.source(db, "/older")
    press.pages["/older"] = Reply(b"", 308, {"Location": "/new"})
    press.pages["/new"] = Reply(b"", 410)
    await run(db, 1)
    assert not (await one_source(db, first)).enabled
    assert "gone for good" in (await record(db, first)).problem
    assert not (await one_source(db, second)).enabled
    assert (await run(db, 2)).sources == ()


async def test_arxiv_is_asked_slowly_and_seldom(db: Database, press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three seconds between two requests to it, and every six hours."""
    slept: list[float] = []
    sleep = asyncio.sleep

    async def short(seconds: float, *rest: Any) -> None:
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", short)
    for n in range(3):
        await press.source(db, f"/arxiv-{n}", [News(f"On kilns {n}", f"https://arxiv.org/abs/2611.0123{n}")])
    await run(db)
    assert slept.count(3.0) == 2
    await run(db, 5)
    assert len(press.server.asked) == 3
    await run(db, 6)
    assert len(press.server.asked) == 6


async def test_time_is_shared_and_its_end_is_kept(db: Database, press: Press) -> None:
    """A source that hangs costs itself, and the deadline holds for all."""
    await press.source(db, "/slow")
    press.pages["/slow"] = Reply(b"<rss/>", pause=20)
    report = await run(db, within=1)
    assert report.sources[0].failed
    assert "in time" in report.problems[0]


async def test_two_workers_at_once_find_everything_once(db: Database, database_url: str, press: Press) -> None:
    """Each in its own transaction, neither failing."""
    news = [News(f"Word{n} tells of thing{n} and place{n}", f"https://many.example/{n}", n) for n in range(12)]
    for name in ("/one", "/two", "/three"):
        await press.source(db, name, news)
    other = Database(
        str(db.url.render_as_string(hide_password=False)).replace("+aiosqlite", "").replace("+psycopg", "")
    )
    await asyncio.gather(run(db), gather(other, gatherer(), NOON, 30))
    await other.close()
    assert len(await candidates(db)) == 12


async def test_a_source_removed_while_it_is_asked_leaves_nothing(db: Database, press: Press) -> None:
    """And no error."""
    source_id = await press.source(db, "/kiln", [KILN])
    press.pages["/kiln"] = Reply(press.pages["/kiln"].body, pause=3)
    asking = asyncio.create_task(run(db))
    while not press.server.asked:  # noqa: ASYNC110  # a thread answers
        await asyncio.sleep(0.01)
    async with db.write() as session:
        await sourcing.remove(session, source_id)
    assert (await asking).sources[0].new == 0
    assert await candidates(db) == []


async def test_a_check_shows_and_takes_nothing(db: Database, press: Press) -> None:
    """Nor does it keep the ETag of what was not taken; where it fails it says so, and in the record."""
    source_id = await press.source(db, "/kiln", [KILN])
    press.print("/kiln", [KILN], etag='"1"')
    tried = await sourcing.check(db, gatherer(), source_id, NOON)
    assert (tried.ok, [one.title for one in tried.finds]) == (True, [KILN.title])
    assert await candidates(db) == []
    assert (await record(db, source_id)).items == 1
    assert (await run(db, 1)).sources[0].new == 1
    async with db.write() as session:
        await sourcing.change(session, source_id, {"url": closed_port()}, NOON)
    tried = await sourcing.check(db, gatherer(), source_id, NOON)
    assert (tried.ok, "connection refused" in tried.problem) == (False, True)
    assert (await record(db, source_id)).failures == 1


async def test_candidates_nobody_took_are_forgotten_but_not_what_they_were(db: Database, press: Press) -> None:
    """After two weeks; and as long as a source lists an undated thing, it does not come back."""
    await press.source(db, "/kiln", [KILN])
    undated = f"<item><title>{KILN.title}</title><link>{KILN.url}</link></item>"
    press.pages["/kiln"] = Reply(f"<rss version='2.0'><channel>{undated}</channel></rss>".encode())
    await run(db)
    assert len(await candidates(db)) == 1
    await housekeeping.tidy(db, NOON + timedelta(days=15))
    assert await candidates(db) == []
    await run(db, 24 * 15)
    assert await candidates(db) == []
    await housekeeping.tidy(db, NOON + timedelta(days=120))
    async with db.read() as session:
        assert await sightings.homes(session, [KILN.url]) == {}
