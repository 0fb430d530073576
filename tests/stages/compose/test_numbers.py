"""Numbers are those of the papers that go out: drafts have the next ones by date, stray drafts none."""

import asyncio
import contextlib
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from app.core.db import Database
from app.core.errors import Conflict, NotFound, Stale
from app.models import Edition
from app.models.content import EditionKind, Section, content_hash
from app.models.states import EditionStatus
from app.stages.compose import correct, draft, edit
from app.stages.render import freeze, message, preview
from app.store import archive, drafts, editions, listings, published
from app.store.listings import Listed
from tests.people import DAY, NOON
from tests.stages.compose.test_draft import write
from tests.stages.render import sample

FAR = date(2077, 1, 1)
LONDON = ZoneInfo("Europe/London")


@pytest.fixture
async def stories(db: Database) -> None:
    await write(db, Section.LEAD, "The lead of these tests stands first")
    await write(db, Section.TOOLS, "A tool")


async def composed(db: Database, day: date, now: datetime = NOON, kind: EditionKind = EditionKind.DAILY) -> Edition:
    made = await draft.compose(db, day, now, kind=kind)
    return await again(db, made.edition_id)


async def again(db: Database, edition_id: int) -> Edition:
    async with db.read() as session:
        found = await editions.get(session, edition_id)
    assert found is not None
    return found


async def numbers(db: Database) -> dict[date, int | None]:
    async with db.read() as session:
        return {one.date: one.number for one in await editions.newest(session, 50, None)}


async def frozen(db: Database, edition: Edition, now: datetime = NOON) -> Edition:
    await freeze.freeze(db, edition.id, sample.PAPER, now, force=True)
    return await again(db, edition.id)


async def delete(db: Database, edition_id: int, version: int | None = None) -> Edition:
    async with db.write() as session:
        return await edit.delete(session, edition_id, NOON, LONDON, frozenset({version}) if version else None)


@pytest.mark.usefixtures("stories")
@pytest.mark.parametrize("stray", [FAR, date(1999, 12, 31), DAY + timedelta(days=15), DAY - timedelta(days=15)])
async def test_a_stray_draft_takes_no_number(db: Database, stray: date) -> None:
    """Composed before or after today's, which is the first; it is previewed under its volume alone."""
    far = await composed(db, stray)
    assert far.number is None
    content = editions.content_of(far)
    assert content is not None
    assert content.number is None
    today = await composed(db, DAY)
    assert (today.number, (await again(db, far.id)).number) == (1, None)
    seen = await preview.of_edition(db, far.id, sample.PAPER)
    assert "Vol. I · " in seen.text
    assert "No. " not in seen.text
    assert "No. " not in seen.html
    mail = await message.trial_of(db, far.id, sample.PAPER, "eve@example.org", NOON)
    assert "No. " not in mail.text()
    assert "No. 1" in (await preview.of_edition(db, today.id, sample.PAPER)).html


@pytest.mark.usefixtures("stories")
async def test_the_edge_of_near_is_a_day_of_the_papers_zone(db: Database) -> None:
    """At half past eleven in the evening of UTC it is tomorrow in Berlin, and a fortnight ends a day later."""
    late = NOON.replace(hour=23, minute=30)
    made = await draft.compose(db, DAY + timedelta(days=15), late, zone=ZoneInfo("Europe/Berlin"))
    assert (await again(db, made.edition_id)).number == 1
    made = await draft.compose(db, DAY + timedelta(days=15), late)
    assert (await again(db, made.edition_id)).number is None


@pytest.mark.usefixtures("stories")
async def test_drafts_have_the_next_numbers_by_date(db: Database) -> None:
    """In whatever order they are composed; a past date's comes last, for it may never go out."""
    for away in (3, -1, 0, 1):
        await composed(db, DAY + timedelta(days=away))
    found = await numbers(db)
    assert [found[DAY + timedelta(days=away)] for away in (-1, 0, 1, 3)] == [4, 1, 2, 3]
    saturday = date(2026, 11, 28)
    weekly = await composed(db, saturday, kind=EditionKind.WEEKLY)
    daily = await composed(db, saturday)
    assert (daily.number, (await again(db, weekly.id)).number) == (4, 5)


@pytest.mark.usefixtures("stories")
async def test_papers_that_go_out_are_numbered_without_a_gap(db: Database) -> None:
    """Though drafts are composed early, never frozen, or deleted. What is frozen has the number it shows."""
    tomorrow = await composed(db, DAY + timedelta(days=1))
    assert tomorrow.number == 1
    today = await frozen(db, await composed(db, DAY))
    assert (today.number, (await again(db, tomorrow.id)).number) == (1, 2)
    await write(db, Section.LEAD, "Another lead for another day of these")
    await write(db, Section.TOOLS, "Another tool")
    later = NOON + timedelta(days=2)
    after = await frozen(db, await composed(db, DAY + timedelta(days=2), later), later)
    assert after.number == 2, "tomorrow's never went out"
    assert (await again(db, tomorrow.id)).number == 3
    await delete(db, tomorrow.id)
    await write(db, Section.LEAD, "A third lead for the day after that")
    third = await composed(db, DAY + timedelta(days=3), later)
    assert third.number == 3


@pytest.mark.usefixtures("stories")
async def test_an_edition_shows_the_number_that_it_has_at_the_freeze(db: Database) -> None:
    """Composed as No. 1, it goes out as No. 2, because one of an earlier date came before it since."""
    tomorrow = await composed(db, DAY + timedelta(days=1))
    await frozen(db, await composed(db, DAY))
    made = await frozen(db, tomorrow)
    content = editions.content_of(made)
    assert content is not None
    assert (made.number, made.content and made.content["number"]) == (2, 2)
    assert made.content_hash == content_hash(content) != tomorrow.content_hash
    async with db.write() as session:
        bodies = await editions.bodies(session, made.id)
        await editions.move(session, made.id, EditionStatus.FROZEN, EditionStatus.SENDING, "")
    assert bodies is not None
    assert all("No. 2" in body for body in bodies)
    async with db.read() as session:
        assert [one.number for one in await published.listed(session, 5)] == [2], "today's is not sent yet"
        ((printed, found),) = await archive.newest(session, 5)
    assert (found.number, printed.digest) == (2, made.content_hash)


@pytest.mark.usefixtures("stories")
async def test_who_is_frozen_first_goes_before_the_other_drafts(db: Database) -> None:
    """Today's may yet be held for good, and no number is to be missing. A correction keeps its edition's number."""
    today, tomorrow = await composed(db, DAY), await composed(db, DAY + timedelta(days=1))
    assert (today.number, tomorrow.number) == (1, 2)
    made = await frozen(db, tomorrow)
    assert (made.number, made.content and made.content["number"]) == (1, 1)
    assert (await again(db, today.id)).number == 2
    async with db.write() as session:
        await editions.move(session, made.id, EditionStatus.FROZEN, EditionStatus.CANCELLED, "")
        successor = await correct.successor(session, made.id, NOON)
    corrected = await frozen(db, await composed(db, successor.date))
    assert (corrected.id, corrected.revision, corrected.number) == (successor.id, 2, 1)
    assert (await again(db, today.id)).number == 2


@pytest.mark.usefixtures("stories")
async def test_a_stray_draft_that_goes_out_after_all_has_the_next_number(db: Database) -> None:
    """It is given at the freeze, and drafts go back by one."""
    far = await composed(db, FAR)
    today = await composed(db, DAY)
    made = await frozen(db, far)
    assert (made.number, made.content and made.content["number"]) == (1, 1)
    assert (await again(db, today.id)).number == 2
    async with db.read() as session:
        bodies = await editions.bodies(session, far.id)
    assert bodies is not None
    assert all("No. 1" in body for body in bodies)


@pytest.mark.usefixtures("stories")
async def test_a_stray_draft_founds_no_paper(db: Database) -> None:
    """A slip into the last century makes no volume of today's."""
    await composed(db, date(1926, 11, 23))
    content = editions.content_of(await composed(db, DAY))
    assert content is not None
    assert (content.volume, content.number) == (1, 1)


@pytest.mark.usefixtures("stories")
async def test_a_draft_is_deleted_with_what_it_listed(db: Database) -> None:
    """Once; its stories are free, its number too, and its id is never another's."""
    made = await composed(db, FAR)
    async with db.write() as session:
        await listings.replace_all(session, made.id, [Listed("github:repository:1", 1)])
    gone = await delete(db, made.id, made.version)
    assert (gone.id, gone.date) == (made.id, FAR)
    async with db.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM listings")) == 0
    with pytest.raises(NotFound, match=f"There is no edition {made.id}."):
        await delete(db, made.id)
    new = await composed(db, DAY)
    assert (new.id != made.id, new.number, new.status) == (True, 1, EditionStatus.READY)


@pytest.mark.usefixtures("stories")
async def test_what_was_frozen_is_not_deleted(db: Database) -> None:
    """In any state; nor what somebody changed since."""
    made = await composed(db, DAY)
    with pytest.raises(Stale, match="was changed since you looked at version 77"):
        await delete(db, made.id, 77)
    for status in (EditionStatus.FROZEN, EditionStatus.SENDING, EditionStatus.CANCELLED):
        if status is EditionStatus.FROZEN:
            await frozen(db, made)
        else:
            async with db.write() as session:
                at = await again(db, made.id)
                await editions.move(session, made.id, at.status, status, "")
        words = (
            f"The edition of {DAY} is {status.value}. Only an edition that was never frozen can be deleted; "
            "one that goes out can be cancelled."
        )
        with pytest.raises(Conflict) as refused:
            await delete(db, made.id)
        assert str(refused.value) == words


async def test_a_draft_without_a_number_is_never_frozen(db: Database) -> None:
    """The database itself refuses it."""
    async with db.write() as session:
        await drafts.add(session, day=FAR, number=None, salt="s", now=NOON)
    with pytest.raises(Exception, match="numbered"):
        async with db.write() as session:
            await session.execute(
                text("UPDATE editions SET status = 'frozen', html = 'x', text = 'x', content = '{}', number = NULL")
            )


@pytest.mark.usefixtures("stories")
async def test_many_composed_frozen_and_deleted_at_once_have_numbers_of_their_own(db: Database) -> None:
    """Nobody waits for another in a circle, and what was frozen shows the number it has."""
    made = [await composed(db, DAY + timedelta(days=away)) for away in range(6)]

    async def freezes(edition: Edition) -> None:
        with contextlib.suppress(Stale):
            await frozen(db, edition)

    await asyncio.gather(
        *(draft.compose(db, DAY + timedelta(days=away), NOON) for away in (6, 7, 8, 5, 4)),
        draft.compose(db, FAR, NOON),
        freezes(made[0]),
        freezes(made[2]),
        delete(db, made[1].id),
        delete(db, made[3].id),
    )
    last = await composed(db, DAY + timedelta(days=9))
    async with db.read() as session:
        found = await editions.newest(session, 50, None)
    given = [one.number for one in found if one.number is not None]
    assert sorted(given) == list(range(1, len(found)))
    assert last.number == len(found) - 1
    for one in found:
        if one.frozen_at:
            assert one.content is not None
            assert one.content["number"] == one.number
