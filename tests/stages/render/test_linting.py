"""Lint at the press: what holds an edition, how it goes on, and who may overrule it. On both engines."""

from datetime import UTC, datetime

import pytest

from app.core.db import Database
from app.core.errors import Conflict, NotFound, Stale
from app.models import OperatorMail
from app.models.content import EditionContent
from app.models.states import EditionStatus
from app.stages.render import freeze, linting
from app.store import drafts, editions, holding, streams
from app.store.holding import Hold, Holder
from tests.stages.render import sample

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
SPOILT = sample.full(subject="Lorem ipsum")


async def ready(db: Database, content: EditionContent) -> int:
    async with db.write() as session:
        await drafts.add(session, day=sample.DAY, number=214, salt=sample.SALT, now=NOW)
        draft = await editions.of_day(session, sample.DAY)
        assert draft is not None
        await drafts.fill(session, draft.id, content, "hash", NOW)
        await editions.move(session, draft.id, EditionStatus.DRAFT, EditionStatus.READY, "")
    return draft.id


async def state(db: Database, number: int) -> tuple[EditionStatus, str]:
    async with db.read() as session:
        edition = await editions.get(session, number)
    assert edition is not None
    return edition.status, edition.reason


async def test_an_error_holds_the_edition_with_its_reason(db: Database) -> None:
    """And it stays held, however often it is asked for, until it is composed anew."""
    number = await ready(db, SPOILT)
    for _ in range(2):
        with pytest.raises(Conflict, match=r"held and cannot be frozen: Lint found 1 error\. Subject: “Lorem"):
            await freeze.freeze(db, number, sample.PAPER, NOW)
        assert await state(db, number) == (
            EditionStatus.HELD, "Lint found 1 error. Subject: “Lorem ipsum” is filler."
        )  # fmt: skip
    async with db.write() as session:
        await drafts.fill(session, number, sample.full(), "mended", NOW)
        await editions.move(session, number, EditionStatus.HELD, EditionStatus.READY, "")
    found = await freeze.freeze(db, number, sample.PAPER, NOW)
    assert await state(db, number) == (EditionStatus.FROZEN, "")
    assert {one.rule for one in found} == {"link"}, "warnings are given, and hold nothing"
    assert await freeze.freeze(db, number, sample.PAPER, NOW) == ()


async def test_an_operator_may_overrule_it_before_and_after_it_was_held(db: Database) -> None:
    """What was overruled is given back, for the record."""
    number = await ready(db, SPOILT)
    with pytest.raises(Conflict):
        await freeze.freeze(db, number, sample.PAPER, NOW)
    found = await freeze.freeze(db, number, sample.PAPER, NOW, force=True)
    assert found[0].rule == "placeholder"
    assert await state(db, number) == (EditionStatus.FROZEN, "")


async def test_force_freezes_a_ready_edition_as_well(db: Database) -> None:
    """Without a detour by way of held."""
    number = await ready(db, SPOILT)
    await freeze.freeze(db, number, sample.PAPER, NOW, force=True)
    assert (await state(db, number))[0] is EditionStatus.FROZEN


async def test_what_cannot_be_printed_is_held_and_cannot_be_overruled(db: Database) -> None:
    """A link that is neither web nor mail: the press refuses, in words, and there is nothing to send."""
    lead = sample.full().lead.model_copy(update={"url": "javascript:alert(1)"})
    number = await ready(db, sample.full(lead=lead))
    for force in (False, True):
        with pytest.raises(Conflict, match="It cannot be printed: the edition would link to javascript:"):
            await freeze.freeze(db, number, sample.PAPER, NOW, force=force)
        assert (await state(db, number))[0] is EditionStatus.HELD
    report = await linting.of_edition(db, number, sample.PAPER, NOW)
    assert [(one.rule, one.severity.value) for one in report.problems] == [("print", "error")]


async def test_content_that_changed_meanwhile_is_not_held_for_what_was_before(db: Database) -> None:
    """The hold is for the content that was looked at."""
    number = await ready(db, SPOILT)
    async with db.read() as session:
        seen = await editions.get(session, number)
    assert seen is not None
    async with db.write() as session:
        await drafts.fill(session, number, sample.full(), "another hash", NOW)
    async with db.write() as session:
        with pytest.raises(Stale):
            await holding.hold(session, seen, Hold("why", Holder.LINT, ("ada@example.org",)), NOW)
        assert await streams.any_due(session, OperatorMail, NOW) is False
    assert (await state(db, number))[0] is EditionStatus.READY


async def test_a_report_is_the_same_before_and_after_the_freeze(db: Database) -> None:
    """Errors are counted and come first."""
    number = await ready(db, SPOILT)
    before = await linting.of_edition(db, number, sample.PAPER, NOW)
    await freeze.freeze(db, number, sample.PAPER, NOW, force=True)
    assert await linting.of_edition(db, number, sample.PAPER, NOW) == before
    assert (before.errors, before.problems[0].rule) == (1, "placeholder")
    assert before.warnings == len(before.problems) - 1
    with pytest.raises(NotFound):
        await linting.of_edition(db, number + 1, sample.PAPER, NOW)
