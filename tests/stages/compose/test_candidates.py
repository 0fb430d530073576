"""What was gathered fills the paper beneath what editors wrote, on both engines."""

from datetime import timedelta
from typing import Any

from app.core.db import Database
from app.models.content import EditionContent, Section
from app.models.states import EditionStatus
from app.stages.collect import stories as written
from app.stages.compose import draft
from app.store import editions, sightings, sources, stories
from tests.people import DAY, NOON

LINK = "https://lab.example/tool"


async def gathered(db: Database, source: str = "Hacker News", **more: Any) -> int:
    """A candidate, and the sighting that it was folded from."""
    key = more.pop("key", LINK)
    points, comments = more.pop("points", 412), more.pop("comments", 96)
    at = more.pop("found_at", NOON - timedelta(hours=9))
    async with db.write() as session:
        source_id = await sources.add(
            session,
            {"kind": "feed", "name": source, "url": f"{key}/feed", "section": Section.TOOLS, "weight": 1.0,
             "most": 20, "enabled": True},
            NOON,
        )  # fmt: skip
        assert source_id is not None
        fields = {
            "section": Section.TOOLS, "headline": "A tool that was found", "standfirst": "", "byline": "",
            "source": source, "url": key, "canonical_url": key, "source_id": source_id, "summary": "Their words.",
            "weight": 3.0, "published_at": at, "found_at": at,
        }  # fmt: skip
        story_id = await stories.add_candidate(session, {**fields, **more}, NOON)
        assert story_id is not None
        await sightings.add(
            session,
            [{"source_id": source_id, "key": key, "story_id": story_id, "url": key, "title": "x", "summary": "",
              "discussion": "https://news.example/1", "author": "", "points": points, "comments": comments,
              "published_at": at, "found_at": at, "seen_at": at}],
        )  # fmt: skip
    return story_id


async def write(db: Database, section: Section, headline: str, **more: object) -> int:
    fields = {"section": section, "headline": headline, "standfirst": "A standfirst.", **more}
    async with db.write() as session:
        return await written.create(session, written.parse(fields), NOON)


async def composed(db: Database) -> EditionContent:
    made = await draft.compose(db, DAY, NOON)
    assert made.status is EditionStatus.READY, made.reason
    async with db.read() as session:
        edition = await editions.get(session, made.edition_id)
    assert edition is not None
    return EditionContent.model_validate(edition.content)


async def test_a_candidate_is_printed_with_what_we_know_of_it_ourselves(db: Database) -> None:
    """Its source's own words are for the editor; each piece keeps why it was chosen."""
    story = await gathered(db)
    await write(db, Section.LEAD, "The lead", publish_on=DAY)
    await write(db, Section.TOOLS, "A tool")
    paper = await composed(db)
    assert [one.headline for one in paper.tools] == ["A tool", "A tool that was found"]
    found = paper.tools[1]
    assert (found.story_id, found.url, found.source) == (story, LINK, "Hacker News")
    assert found.standfirst == "412 points and 96 comments on Hacker News."
    assert "Their words" not in paper.model_dump_json()
    assert found.reason == "candidate: 412 points on Hacker News, 9 h old, 1 source"
    assert paper.lead.reason == "chosen for this date by the editor"
    assert paper.tools[0].reason == "waiting since 23 November"


async def test_a_candidate_alone_makes_no_lead(db: Database) -> None:
    """The paper is held for an editor instead."""
    await gathered(db, section=Section.LEAD)
    made = await draft.compose(db, DAY, NOON)
    assert (made.status, made.reason) == (EditionStatus.HELD, "There is no lead story to print.")


async def test_what_was_printed_this_week_is_not_printed_again(db: Database) -> None:
    """Neither under the same address nor under the same words; after a week it may."""
    lead = await write(db, Section.LEAD, "The lead")
    old = await write(db, Section.TOOLS, "Same Words, Other Marks!", url="https://elsewhere.example/a")
    await gathered(db, headline="Same words: other marks")
    stray = "https://elsewhere.example/a?page=1"
    await gathered(db, "A Lab", key=stray, url="https://elsewhere.example/a", headline="Another headline")
    yesterday = await draft.compose(db, DAY - timedelta(days=1), NOON)
    async with db.write() as session:
        await stories.mark_printed(session, [old], yesterday.edition_id)
    await write(db, Section.OPINION, "A column")
    paper = await composed(db)
    assert (paper.lead.story_id, paper.tools) == (lead, ())


async def test_what_was_found_over_a_week_ago_waits_for_an_editor(db: Database) -> None:
    """It is not printed by itself."""
    await gathered(db, found_at=NOON - timedelta(days=8))
    await write(db, Section.LEAD, "The lead")
    await write(db, Section.OPINION, "A column")
    assert (await composed(db)).tools == ()
