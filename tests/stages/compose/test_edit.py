"""What operators ask of an edition: it stays through composing again, nobody overwrites it unseen, on both engines."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.core.db import Database, Session
from app.core.errors import Conflict, InvalidInput, NotFound, Stale
from app.models import Edition
from app.models.content import EditionContent, Section
from app.models.states import EditionStatus
from app.operations import audit
from app.stages.compose import draft, edit
from app.stages.compose.edit import Changes, Hand
from app.store import drafts, editions, stories
from tests.people import DAY, NOON, freeze

from .test_candidates import gathered, write

EDITORS = ("ada@example.org", "ben@example.org")


async def nothing(_: Session, __: Edition) -> None:
    """No audit line."""


def hand(version: int | None = None, then: edit.Then = nothing) -> Hand:
    return Hand(NOON, then, frozenset({version}) if version else None, EDITORS)


async def paper(db: Database) -> Edition:
    """Stories 1 to 5: a lead, three tools, a column; composed."""
    await write(db, Section.LEAD, "The lead")
    for name in ("An awl", "A bellows", "A clamp"):
        await write(db, Section.TOOLS, name)
    await write(db, Section.OPINION, "A column")
    return await again(db)


async def again(db: Database) -> Edition:
    made = await draft.compose(db, DAY, NOON, EDITORS)
    return await read(db, made.edition_id)


async def read(db: Database, edition_id: int) -> Edition:
    async with db.read() as session:
        edition = await editions.get(session, edition_id)
    assert edition is not None
    return edition


def tools(edition: Edition) -> list[str]:
    return [one.headline for one in EditionContent.model_validate(edition.content).tools]


async def count(db: Database, statement: str) -> int:
    async with db.read() as session:
        return int(await session.scalar(text(statement)) or 0)


async def test_what_was_asked_for_outlives_composing_again(db: Database) -> None:
    """Order, subject, preheader and what was taken out; giving the decision back brings the paper's own."""
    made = await paper(db)
    changes = Changes(
        subject="Awls are back in the press room",
        preheader="A line of the editor's own, as long as the editor likes.",
        sections={Section.TOOLS: [4, 2]},
        remove=[3],
    )
    changed = await edit.change(db, made.id, changes, hand(made.version))
    assert (changed.version, tools(changed)) == (made.version + 1, ["A clamp", "An awl"])
    await write(db, Section.TOOLS, "A drill")
    later = await again(db)
    assert tools(later) == ["A clamp", "An awl", "A drill"]
    assert later.subject == changes.subject
    assert later.preheader == changes.preheader
    back = Changes(subject="", preheader="", sections={Section.TOOLS: []}, restore=[3])
    whole = await edit.change(db, made.id, back, hand(later.version))
    assert tools(whole) == ["An awl", "A bellows", "A clamp", "A drill"]
    assert whole.subject == "The lead"
    assert whole.edits == {}


async def test_what_is_not_named_stays(db: Database) -> None:
    """A second change of another field keeps the first; a story that is put elsewhere leaves where it was."""
    made = await paper(db)
    await edit.change(db, made.id, Changes(subject="Awls are back in the press room"), hand())
    await edit.change(db, made.id, Changes(sections={Section.TOOLS: [3, 4]}), hand())
    changed = await edit.change(db, made.id, Changes(sections={Section.OPINION: [3]}), hand())
    content = EditionContent.model_validate(changed.content)
    assert content.subject == "Awls are back in the press room"
    assert [one.headline for one in content.opinion] == ["A bellows", "A column"]
    assert [one.section for one in content.opinion] == [Section.OPINION] * 2
    assert tools(changed) == ["A clamp", "An awl"]


async def test_two_operators_at_once_do_not_overwrite_each_other(db: Database) -> None:
    """Of changes made on what both saw one is taken; the other is told, and its audit line is not written."""
    made = await paper(db)

    async def noted(session: Session, _: Edition) -> None:
        await audit.record(session, "test", "edit", "edition", made.id, NOON)

    asked = [Changes(subject=f"The subject of operator number {index}") for index in range(4)]
    answers = await asyncio.gather(
        *(edit.change(db, made.id, one, hand(made.version, noted)) for one in asked), return_exceptions=True
    )
    taken = [one for one in answers if isinstance(one, Edition)]
    assert [type(one) for one in answers if not isinstance(one, Edition)] == [Stale] * 3
    assert len(taken) == 1
    assert (await read(db, made.id)).subject == taken[0].subject
    assert await count(db, "SELECT count(*) FROM audit_log WHERE action = 'edit'") == 1


async def test_composing_beside_an_edit_loses_neither(db: Database) -> None:
    """Whichever is first, what was asked for stands in the paper in the end."""
    made = await paper(db)
    await asyncio.gather(
        again(db), edit.change(db, made.id, Changes(remove=[2]), hand()), again(db), return_exceptions=True
    )
    left = await read(db, made.id)
    if left.edits:
        assert tools(left) == ["A bellows", "A clamp"]
    changed = await edit.change(db, made.id, Changes(remove=[2]), hand(left.version))
    assert tools(changed) == ["A bellows", "A clamp"]


async def test_any_change_takes_an_approval_back(db: Database) -> None:
    """And an approval of what was changed since is refused."""
    made = await paper(db)
    async with db.write() as session:
        approved = await edit.approve(session, made.id, NOON, frozenset({made.version}))
    assert approved.version == made.version + 1
    with pytest.raises(Stale):  # what is approved is changed by somebody who saw the approval
        await edit.change(db, made.id, Changes(remove=[2]), hand(made.version))
    changed = await edit.change(db, made.id, Changes(remove=[2]), hand(approved.version))
    assert changed.approved_at is None
    async with db.write() as session:
        with pytest.raises(Stale):
            await edit.approve(session, made.id, NOON, frozenset({approved.version}))


async def test_an_operators_hold_lasts_until_it_is_let_go(db: Database) -> None:
    """Composing again does not let it go; letting go what is not held is refused."""
    made = await paper(db)
    held = await edit.hold(db, made.id, "The lead is  not checked", hand(made.version))
    assert (held.status, held.reason) == (EditionStatus.HELD, "The lead is not checked")
    assert (await again(db)).status is EditionStatus.HELD
    assert (await edit.unhold(db, made.id, hand())).status is EditionStatus.READY
    with pytest.raises(Conflict, match="not held"):
        await edit.unhold(db, made.id, hand())


async def test_an_operator_lets_a_thin_paper_go_but_not_one_without_a_lead(db: Database) -> None:
    """And it stays let go when it is composed again."""
    made = await draft.compose(db, DAY, NOON, EDITORS)
    with pytest.raises(Conflict, match="no lead story"):
        await edit.unhold(db, made.edition_id, hand())
    await write(db, Section.LEAD, "The lead")
    assert (await again(db)).status is EditionStatus.HELD
    assert (await edit.unhold(db, made.edition_id, hand())).status is EditionStatus.READY
    assert (await again(db)).status is EditionStatus.READY


async def test_a_ready_paper_whose_lead_is_taken_out_is_held(db: Database) -> None:
    """With nothing in it, until there is a lead again."""
    made = await paper(db)
    held = await edit.change(db, made.id, Changes(remove=[1]), hand())
    assert (held.status, held.content, held.reason) == (EditionStatus.HELD, None, "There is no lead story to print.")


async def test_each_hold_is_one_letter_to_each_operator(db: Database) -> None:
    """However often it is composed, whatever the reason turns into; held again, one more."""
    letters = "SELECT count(*) FROM operator_mails"
    for _ in range(3):
        await draft.compose(db, DAY, NOON, (*EDITORS, EDITORS[0]))
    assert await count(db, letters) == 2
    await write(db, Section.LEAD, "The lead")
    made = await again(db)
    assert (made.status, made.reason) == (EditionStatus.HELD, "There is nothing to print beside the lead.")
    assert await count(db, letters) == 2
    await edit.unhold(db, made.id, hand())
    await edit.hold(db, made.id, "A doubt", hand())
    await edit.hold(db, made.id, "Another doubt", hand())
    assert await count(db, letters) == 4


async def test_two_composers_at_once_write_one_letter(db: Database) -> None:
    """Two workers, one hold."""
    await asyncio.gather(*(draft.compose(db, DAY, NOON, EDITORS) for _ in range(4)))
    assert await count(db, "SELECT count(*) FROM operator_mails") == 2


async def test_a_candidate_leads_where_an_operator_puts_it(db: Database) -> None:
    """By hand it may."""
    await write(db, Section.OPINION, "A column")
    found = await gathered(db)
    made = await again(db)
    changed = await edit.change(db, made.id, Changes(sections={Section.LEAD: [found]}), hand())
    assert (changed.status, changed.subject) == (EditionStatus.READY, "A tool that was found; also: A column")


async def test_a_frozen_edition_is_not_edited(db: Database) -> None:
    """Neither changed nor held nor let go."""
    made = await paper(db)
    async with db.write() as session:
        await freeze(session, made.id)
    for deed in (
        edit.change(db, made.id, Changes(remove=[2]), hand()),
        edit.hold(db, made.id, "Too late", hand()),
        edit.unhold(db, made.id, hand()),
    ):
        with pytest.raises(Conflict, match="frozen"):
            await deed
    with pytest.raises(NotFound):
        await edit.change(db, 99, Changes(), hand())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"sections": {"movers": [1]}}, "filled from counts"),
        ({"sections": {"lead": [1, 2]}}, "has room for 1"),
        ({"sections": {"tools": [2], "opinion": [2]}}, "one place only"),
        ({"sections": {"tools": [2, 77]}}, "Not there, dismissed, or printed already: 77"),
        ({"sections": {"tools": [6]}}, "Not there, dismissed, or printed already: 6"),
        ({"subject": "two\nlines"}, "one line"),
        ({"subject": "Yesterday’s SUBJECT"}, "same subject"),
        ({"preheader": "The lead, and more of it."}, "repeats the subject"),
    ],
)
async def test_an_edit_that_cannot_be_is_refused_and_changes_nothing(
    db: Database, asked: dict[str, Any], said: str
) -> None:
    """With a sentence."""
    made = await paper(db)
    printed = await write(db, Section.TOOLS, "Printed before")
    assert printed == 6
    async with db.write() as session:
        await drafts.add(session, day=DAY - timedelta(days=1), number=9, salt="s", now=NOON)
        yesterday = await editions.of_day(session, DAY - timedelta(days=1))
        assert yesterday is not None
        await session.execute(text("UPDATE editions SET subject = 'Yesterday’s subject' WHERE number = 9"))
        await stories.mark_printed(session, [printed], yesterday.id)
    with pytest.raises(InvalidInput, match=said):
        await edit.change(db, made.id, Changes.model_validate(asked), hand())
    assert (await read(db, made.id)).version == made.version
