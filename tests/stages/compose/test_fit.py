"""An edition that would be too long for a mail loses stories, never its lead; on both engines."""

from collections.abc import Mapping
from functools import partial

import pytest

from app.core.db import Database
from app.core.errors import Conflict
from app.models.content import EditionContent, Section
from app.models.states import EditionStatus
from app.stages.compose import draft, edit
from app.stages.compose.edit import Changes, Hand
from app.stages.compose.fit import BUDGET, Weigh, longest
from app.stages.render import freeze
from app.stages.render.weight import weigh
from app.store import editions, stories
from tests.people import DAY, NOON
from tests.stages.render.sample import PAPER

from .test_candidates import write
from .test_edit import nothing, read

LEAD, DIVE, OPINION, TOOLS = Section.LEAD, Section.DEEP_DIVE, Section.OPINION, Section.TOOLS
WEIGH: Weigh = partial(weigh, publication=PAPER)


LONG = "\n\n".join("What was said at the meeting was written down there. " * 19 for _ in range(19))
"""About as much as a story may have: 20,000 characters."""


@pytest.mark.parametrize(
    ("weights", "lengths", "section"),
    [
        ({DIVE: 9_000, TOOLS: 2_000}, {LEAD: 0, DIVE: 1, TOOLS: 4}, DIVE),
        ({DIVE: 9_000, TOOLS: 2_000}, {LEAD: 3, DIVE: 0, TOOLS: 4}, TOOLS),
        ({Section.TRENDING: 40_000, TOOLS: 2_000}, {LEAD: 3, TOOLS: 1}, TOOLS),
        ({}, {LEAD: 3, TOOLS: 0}, LEAD),
        ({}, {LEAD: 0}, None),
    ],
)
def test_the_longest_section_that_has_a_story_gives_one(
    weights: Mapping[Section, int], lengths: Mapping[Section, int], section: Section | None
) -> None:
    """Charts have none; the other leads of a weekly go last, the lead never."""
    assert longest(weights, lengths) is section


async def a_long_paper(db: Database) -> int:
    """A lead, a deep dive and two columns, each as long as may be; gives the second column."""
    await write(db, LEAD, "The lead", body=LONG)
    await write(db, DIVE, "A deep dive", body=LONG)
    await write(db, OPINION, "A first long column", body=LONG)
    return await write(db, OPINION, "A second long column", body=LONG)


async def test_what_is_too_much_waits_for_another_day(db: Database) -> None:
    """It is named in the reason, is in neither preheader nor minutes, and the freeze has nothing to say."""
    last = await a_long_paper(db)
    uncut = await draft.compose(db, DAY, NOON)
    before = EditionContent.model_validate((await read(db, uncut.edition_id)).content)
    made = await draft.compose(db, DAY, NOON, weigh=WEIGH)
    edition = await read(db, made.edition_id)
    content = EditionContent.model_validate(edition.content)
    assert [one.headline for one in content.opinion] == ["A first long column"]
    assert edition.status is EditionStatus.READY
    assert edition.reason == made.reason
    assert made.reason.endswith(f"more than 90,000 bytes: {last} “A second long column”.")
    assert "A second long column" in before.preheader
    assert "A second long column" not in content.preheader
    assert content.minutes < before.minutes
    weighed = await WEIGH(content)
    assert weighed is not None
    assert weighed[0] <= BUDGET
    assert "size" not in {one.rule for one in await freeze.freeze(db, edition.id, PAPER, NOON)}
    async with db.read() as session:
        story = await stories.get(session, last)
    assert story is not None
    assert story.edition_id is None


async def test_an_edit_is_weighed_too(db: Database) -> None:
    """What an operator puts first stays; taking a story out lets another one in again, and the note goes."""
    second = await a_long_paper(db)
    first = second - 1
    made = await draft.compose(db, DAY, NOON, weigh=WEIGH)
    hand = Hand(NOON, nothing, weigh=WEIGH)
    changed = await edit.change(db, made.edition_id, Changes(sections={OPINION: [second, first]}), hand)
    assert f"{first} “A first long column”" in changed.reason
    changed = await edit.change(db, made.edition_id, Changes(remove=[first]), hand)
    assert changed.reason == ""
    assert [one.story_id for one in EditionContent.model_validate(changed.content).opinion] == [second]


async def test_a_lead_that_is_too_long_by_itself_is_held_by_lint(db: Database) -> None:
    """Nothing else would help: an editor shortens it."""
    await write(db, LEAD, "The lead", body="\n\n".join(["No."] * 3_000))
    await write(db, TOOLS, "An awl")
    made = await draft.compose(db, DAY, NOON, weigh=WEIGH)
    assert "An awl" in made.reason
    with pytest.raises(Conflict, match="Gmail"):
        await freeze.freeze(db, made.edition_id, PAPER, NOON)
    async with db.read() as session:
        held = await editions.get(session, made.edition_id)
    assert held is not None
    assert held.status is EditionStatus.HELD


async def test_what_cannot_be_printed_is_not_weighed(db: Database) -> None:
    """The freeze says what is wrong with it."""
    await write(db, LEAD, "The lead")
    await write(db, TOOLS, "An awl")
    made = await draft.compose(db, DAY, NOON)
    content = EditionContent.model_validate((await read(db, made.edition_id)).content)
    bad = content.model_copy(update={"lead": content.lead.model_copy(update={"url": "javascript:alert(1)"})})
    assert await WEIGH(bad) is None
