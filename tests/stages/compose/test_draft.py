"""Composing from stored rows, on both engines."""

from datetime import timedelta
from itertools import pairwise

import pytest

from app.core.db import Database
from app.core.errors import Conflict, InvalidInput
from app.models.content import EditionContent, Section
from app.models.states import EditionStatus
from app.stages.collect import stories as desk
from app.stages.compose import draft, edit
from app.store import editions, stories
from tests.people import DAY, NOON, freeze


async def write(db: Database, section: Section, headline: str, **more: object) -> int:
    fields = {"section": section, "headline": headline, "standfirst": "A standfirst.", "body": "Some *words*.", **more}
    async with db.write() as session:
        return await desk.create(session, desk.parse(fields), NOON)


async def printed(db: Database) -> EditionContent:
    async with db.read() as session:
        edition = await editions.of_day(session, DAY)
    assert edition is not None
    return EditionContent.model_validate(edition.content)


async def test_enough_material_makes_a_ready_edition(db: Database) -> None:
    """Sections in their places, numbers from one, minutes counted."""
    await write(db, Section.LEAD, "The lead")
    for index in range(3):
        await write(db, Section.OPINION, f"Opinion {index}", byline="A. Writer")
    made = await draft.compose(db, DAY, NOON)
    assert (made.status, made.reason) == (EditionStatus.READY, "")
    content = await printed(db)
    assert (content.number, content.volume, content.subject) == (1, 1, "The lead")
    assert [piece.headline for piece in content.opinion] == ["Opinion 0", "Opinion 1"]
    assert content.lead.body == "<p>Some <em>words</em>.</p>"
    assert content.charts == ()
    assert content.movers is None


async def test_a_headline_that_stays_makes_no_subject_twice(db: Database) -> None:
    """The same lead all week: no subject is that of the day before, none is empty, and no preheader says it again."""
    await write(db, Section.LEAD, "Eleven hospitals go back to pencils")
    await write(db, Section.OPINION, "A ward sister’s view", byline="A. Writer")
    lines = []
    for days in range(7):
        made = await draft.compose(db, DAY + timedelta(days=days), NOON + timedelta(days=days))
        async with db.read() as session:
            edition = await editions.get(session, made.edition_id)
        assert edition is not None
        lines.append((edition.subject, edition.preheader))
    subjects = [subject for subject, _ in lines]
    assert all(one != other for one, other in pairwise(subjects))
    assert all(28 <= len(subject) <= 50 for subject in subjects)
    assert all(preheader and subject not in preheader for subject, preheader in lines)


async def test_minutes_are_those_of_each_story_and_of_the_whole_paper(db: Database) -> None:
    """220 words a minute; the whole is counted in words, not in rounded minutes."""
    await write(db, Section.LEAD, "The lead", body="word " * 660)
    await write(db, Section.TOOLS, "A tool", body="word " * 330)
    await write(db, Section.TOOLS, "Another", body="word " * 330)
    await draft.compose(db, DAY, NOON)
    content = await printed(db)
    assert (content.lead.minutes, [piece.minutes for piece in content.tools]) == (3, [2, 2])
    assert content.minutes == 6
    assert content.preheader.endswith("6 minutes.")


async def test_too_little_material_is_held_and_composing_again_heals_it(db: Database) -> None:
    """An edition without a lead, then with a lead alone, then whole: one edition, one number."""
    made = await draft.compose(db, DAY, NOON)
    assert (made.status, made.reason) == (EditionStatus.HELD, "There is no lead story to print.")
    await write(db, Section.LEAD, "The lead")
    made = await draft.compose(db, DAY, NOON)
    assert (made.status, made.reason) == (EditionStatus.HELD, "There is nothing to print beside the lead.")
    await write(db, Section.TOOLS, "A tool")
    made = await draft.compose(db, DAY, NOON)
    assert made.status is EditionStatus.READY
    assert (await printed(db)).number == 1


async def test_composing_twice_gives_the_same_paper(db: Database) -> None:
    """The same stored rows give the same content hash."""
    await write(db, Section.LEAD, "The lead")
    await write(db, Section.TOOLS, "A tool")
    hashes = []
    for _ in range(2):
        made = await draft.compose(db, DAY, NOON)
        async with db.read() as session:
            edition = await editions.get(session, made.edition_id)
            assert edition is not None
            hashes.append(edition.content_hash)
    assert hashes[0] == hashes[1] != ""


async def test_a_frozen_edition_is_not_composed_again(db: Database) -> None:
    """Nor changed by anything that happens to its stories."""
    await write(db, Section.LEAD, "The lead")
    await write(db, Section.TOOLS, "A tool")
    made = await draft.compose(db, DAY, NOON)
    async with db.write() as session:
        edition = await editions.get(session, made.edition_id)
        assert edition is not None
        await freeze(session, edition.id)
    with pytest.raises(Conflict, match="frozen"):
        await draft.compose(db, DAY, NOON)


async def test_a_story_runs_once(db: Database) -> None:
    """What was printed is not picked again, not changed, not deleted."""
    first = await write(db, Section.LEAD, "First lead")
    await write(db, Section.TOOLS, "A tool")
    made = await draft.compose(db, DAY, NOON)
    async with db.write() as session:
        await stories.mark_printed(session, [first], made.edition_id)
    await write(db, Section.LEAD, "Second lead")
    await draft.compose(db, DAY + timedelta(days=1), NOON + timedelta(days=1))
    async with db.read() as session:
        tomorrow = await editions.of_day(session, DAY + timedelta(days=1))
        assert tomorrow is not None
        assert tomorrow.subject == "Second lead"
    async with db.write() as session:
        with pytest.raises(Conflict, match="printed"):
            await desk.change(session, first, {"headline": "Other"}, NOON)
        with pytest.raises(Conflict, match="printed"):
            await desk.remove(session, first)


async def test_only_a_ready_edition_is_approved(db: Database) -> None:
    """A held one says why; composing again takes an approval back."""
    made = await draft.compose(db, DAY, NOON)
    async with db.write() as session:
        with pytest.raises(Conflict, match="no lead story"):
            await edit.approve(session, made.edition_id, NOON)
    await write(db, Section.LEAD, "The lead")
    await write(db, Section.TOOLS, "A tool")
    await draft.compose(db, DAY, NOON)
    async with db.write() as session:
        assert (await edit.approve(session, made.edition_id, NOON)).approved_at == NOON
    await draft.compose(db, DAY, NOON)
    async with db.read() as session:
        edition = await editions.get(session, made.edition_id)
        assert edition is not None
        assert edition.approved_at is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"headline": ""}, "headline"),
        ({"headline": None}, "headline"),
        ({"headline": "two\nlines"}, "headline"),
        ({"headline": "x" * 201}, "headline"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://"}, "url"),
        ({"body": "a\0b"}, "body"),
        ({"section": "movers"}, "section"),
        ({"section": "sports"}, "section"),
        ({"minutes": 0}, "minutes"),
        ({"standfirst": "", "body": ""}, "story"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_malformed_story_is_refused_with_its_field(fields: dict[str, object], field: str) -> None:
    """Nothing is written; the error names what is wrong."""
    whole = {"section": "lead", "headline": "A headline", "standfirst": "A standfirst.", **fields}
    with pytest.raises(InvalidInput) as caught:
        desk.parse(whole)
    assert [error.field for error in caught.value.errors] == [field]
