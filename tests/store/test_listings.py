"""The paper's memory: what stood on the charts of editions that readers could see."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from app.core.db import Database
from app.models.states import EditionStatus
from app.store import drafts, editions, listings
from app.store.listings import Listed, Memory
from tests.people import freeze
from tests.stages.render.sample import bare

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


async def edition(db: Database, day: date, rows: Sequence[Listed], *, frozen: bool = True) -> int:
    """An edition of `day` that lists `rows`, frozen unless said otherwise."""
    async with db.write() as session:
        number = await editions.next_number(session)
        await drafts.add(session, day=day, number=number, salt="00", now=NOW)
        made = await editions.of_day(session, day)
        assert made is not None
        await drafts.fill(session, made.id, bare(), "hash", NOW)
        await listings.replace_all(session, made.id, rows)
        await editions.move(session, made.id, EditionStatus.DRAFT, EditionStatus.READY, "")
        if frozen:
            await freeze(session, made.id, now=NOW)
        return made.id


async def memory(db: Database, before: date, *refs: str) -> dict[str, Memory]:
    async with db.read() as session:
        return dict(await listings.memory(session, refs, before))


DAY = date(2026, 11, 23)
GRIST, HALYARD = "github:repository:101", "github:repository:102"


async def test_earlier_editions_say_how_often_a_thing_was_charted_and_printed(db: Database) -> None:
    """Charted and printed are counted apart, each with its first day; the name is that of the last print."""
    await edition(db, DAY - timedelta(days=9), [Listed(GRIST, 40), Listed(HALYARD, 1, True, "old/halyard")])
    await edition(db, DAY - timedelta(days=8), [Listed(GRIST, 4, True, "a/grist")])
    await edition(db, DAY - timedelta(days=1), [Listed(GRIST, None, True, "b/grist")])
    assert await memory(db, DAY, GRIST, HALYARD, "github:repository:9") == {
        GRIST: Memory(2, DAY - timedelta(days=9), 2, DAY - timedelta(days=8), "b/grist"),
        HALYARD: Memory(1, DAY - timedelta(days=9), 1, DAY - timedelta(days=9), "old/halyard"),
    }


async def test_an_edition_that_nobody_saw_and_that_of_the_day_itself_are_no_memory(db: Database) -> None:
    """A draft that was never frozen, today's, and tomorrow's."""
    await edition(db, DAY - timedelta(days=2), [Listed(GRIST, 1, True, "a/grist")], frozen=False)
    await edition(db, DAY, [Listed(GRIST, 1, True, "a/grist")])
    await edition(db, DAY + timedelta(days=1), [Listed(GRIST, 1, True, "a/grist")])
    assert await memory(db, DAY, GRIST) == {}


async def test_composing_again_replaces_what_an_edition_lists(db: Database) -> None:
    """The second composition knows better; nothing of the first is left."""
    number = await edition(db, DAY - timedelta(days=1), [Listed(GRIST, 1, True, "a/grist"), Listed(HALYARD, 2)])
    for _ in range(2):
        async with db.write() as session:
            await listings.replace_all(session, number, [Listed(HALYARD, 1)])
    assert set(await memory(db, DAY, GRIST, HALYARD)) == {HALYARD}


async def test_a_thousand_things_are_remembered_in_a_few_questions(db: Database) -> None:
    """More than an engine takes as parameters of one question."""
    refs = [f"github:repository:{n}" for n in range(1_200)]
    await edition(db, DAY - timedelta(days=1), [Listed(ref, n + 1) for n, ref in enumerate(refs)])
    assert len(await memory(db, DAY, *refs)) == 1_200
