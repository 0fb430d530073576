"""Each reader's own morning, on both engines."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core.db import Database
from app.core.errors import Conflict
from app.core.settings import Settings, load_settings
from app.models import Delivery, Shard
from app.models.states import EditionStatus
from app.stages.send import control, release
from app.store import editions, releases
from tests.people import DAY, NOON, add_edition, add_reader, add_readers

FREEZE = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)


def settings(**more: object) -> Settings:
    return load_settings(secret_keys=("x" * 40,), **more)


async def due(db: Database) -> dict[int, datetime]:
    async with db.read() as session:
        rows = await session.execute(select(Delivery.subscriber_id, Delivery.due_at))
        return dict(rows.all())


async def tick(db: Database, edition_id: int, now: datetime, made: Settings) -> int:
    async with db.read() as session:
        edition = await editions.get(session, edition_id)
    assert edition is not None
    await release.plan(db, edition, made)
    return await release.release_due(db, edition, made, now)


async def test_two_zones_have_two_mornings(db: Database) -> None:
    """06:30 in Tokyo is 21:30 UTC of the same window; 06:30 in London comes first."""
    london = await add_reader(db, "london@example.org", zone="Europe/London")
    tokyo = await add_reader(db, "tokyo@example.org", zone="Asia/Tokyo")
    edition, made = await add_edition(db), settings()
    assert await tick(db, edition.id, FREEZE, made) == 0
    morning = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    assert await tick(db, edition.id, morning, made) == 1
    assert await due(db) == {london: morning}
    evening = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)
    assert await tick(db, edition.id, evening, made) == 1
    assert (await due(db))[tokyo] == evening
    assert await tick(db, edition.id, evening, made) == 0


async def test_a_late_freeze_releases_at_once_but_is_due_as_planned(db: Database) -> None:
    """The window is planned, never actual; the expiry counts from the planned instant."""
    reader = await add_reader(db, "ada@example.org")
    edition, made = await add_edition(db), settings()
    assert await tick(db, edition.id, NOON, made) == 1
    assert await due(db) == {reader: datetime(2026, 11, 23, 6, 30, tzinfo=UTC)}


async def test_who_confirmed_after_their_morning_is_not_released(db: Database) -> None:
    """Their first paper is tomorrow's."""
    await add_reader(db, "late@example.org", confirmed_at=NOON)
    await add_reader(db, "pending@example.org", confirmed_at=None)
    edition, made = await add_edition(db), settings()
    assert await tick(db, edition.id, NOON + timedelta(hours=1), made) == 0


async def test_an_unknown_zone_means_the_papers_own(db: Database) -> None:
    """A zone this machine does not know costs nobody a paper."""
    reader = await add_reader(db, "ada@example.org", zone="Nowhere/Land")
    edition, made = await add_edition(db), settings(timezone="Europe/Berlin")
    await tick(db, edition.id, NOON, made)
    assert await due(db) == {reader: datetime(2026, 11, 23, 5, 30, tzinfo=UTC)}


async def test_the_sweep_finds_who_the_cursor_passed(db: Database) -> None:
    """A reader who came to a pair after it was released still gets the paper of a morning they were in for."""
    await add_reader(db, "first@example.org")
    edition, made = await add_edition(db), settings()
    assert await tick(db, edition.id, NOON, made) == 1
    await add_reader(db, "second@example.org")
    assert await tick(db, edition.id, NOON, made) == 0
    async with db.read() as session:
        fresh = await editions.get(session, edition.id)
    assert fresh is not None
    assert await release.sweep(db, fresh, made, NOON) == 1
    assert await release.sweep(db, fresh, made, NOON) == 0


async def test_chunks_release_everybody_once(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cursor by cursor, shard by shard, none twice."""
    monkeypatch.setattr(release, "CHUNK", 3)
    monkeypatch.setattr("app.store.releases.SHARD", 2)
    readers = await add_readers(db, 8)
    edition, made = await add_edition(db), settings()
    assert await tick(db, edition.id, NOON, made) == 8
    assert sorted(await due(db)) == sorted(readers)
    async with db.read() as session:
        shards = list((await session.scalars(select(Delivery.shard).order_by(Delivery.subscriber_id))).all())
    assert shards == [1, 1, 2, 3, 3, 4, 5, 5]


async def test_every_shard_has_somebody(db: Database) -> None:
    """Room is made before anybody is found; what is not needed is gone again, also where nobody was found."""
    edition = await add_edition(db)
    await add_readers(db, releases.SHARD + 1)
    assert await release.send_now(db, edition.id, settings(), NOON) == releases.SHARD + 1
    await release.late(db, edition.id, settings(), NOON + timedelta(hours=1))
    async with db.read() as session:
        numbers = set(await session.scalars(select(Shard.number)))
        assert numbers == set(await session.scalars(select(Delivery.shard).distinct()))
    assert len(numbers) == 2


async def test_an_edition_is_sent_once(db: Database) -> None:
    """A second `send` is refused; late readers are a matter of their own."""
    await add_reader(db, "ada@example.org")
    edition, made = await add_edition(db), settings()
    assert await release.send_now(db, edition.id, made, NOON) == 1
    assert await release.send_now(db, edition.id, made, NOON) == 0
    async with db.write() as session:
        await editions.move(session, edition.id, EditionStatus.SENDING, EditionStatus.SENT, "")
    with pytest.raises(Conflict, match="already sent"):
        await release.send_now(db, edition.id, made, NOON)
    await add_reader(db, "bob@example.org")
    assert await release.late(db, edition.id, made, NOON) == 1
    assert await release.late(db, edition.id, made, NOON) == 0
    async with db.read() as session:
        again = await editions.get(session, edition.id)
        assert again is not None
        assert again.status is EditionStatus.SENDING


async def test_a_draft_or_a_paused_edition_cannot_be_sent(db: Database) -> None:
    """The refusal names the state."""
    ready = await add_edition(db, status=EditionStatus.READY)
    with pytest.raises(Conflict, match="ready"):
        await release.send_now(db, ready.id, settings(), NOON)
    frozen = await add_edition(db, date(2026, 11, 24))
    async with db.write() as session:
        await control.pause(session, frozen.id)
    with pytest.raises(Conflict, match="paused"):
        await release.send_now(db, frozen.id, settings(), NOON)
    async with db.write() as session:
        assert (await control.resume(session, frozen.id)).status is EditionStatus.FROZEN


async def test_a_paper_without_readers_comes_out_at_its_own_morning(db: Database) -> None:
    """Its page is public and it ends as sent."""
    edition, made = await add_edition(db), settings()
    await tick(db, edition.id, NOON, made)
    async with db.read() as session:
        out = await editions.get(session, edition.id)
    assert out is not None
    assert out.status is EditionStatus.SENDING
    assert await release.try_end(db, out, made, NOON) is EditionStatus.SENT


async def test_an_edition_stays_open_while_a_morning_is_to_come(db: Database) -> None:
    """Honolulu wakes up long after London."""
    await add_reader(db, "hawaii@example.org", zone="Pacific/Honolulu")
    edition, made = await add_edition(db, DAY), settings()
    await tick(db, edition.id, NOON, made)
    async with db.read() as session:
        out = await editions.get(session, edition.id)
    assert out is not None
    assert await release.try_end(db, out, made, NOON) is None


@pytest.mark.parametrize(("rows", "most"), [(500, 500), (1000, 1000), (1999, 1000), (4000, 4000)])
def test_a_chunk_fills_its_shards(rows: int, most: int) -> None:
    """Whatever the pace says: a shard of a few readers costs as many statements as a full one."""
    assert release.whole_shards(rows) == most


async def test_a_release_that_holds_the_writer_too_long_goes_on_in_smaller_chunks(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite, whose one writer others wait for; nobody is forgotten on the way."""
    asked: list[int] = []
    chunk, ticks = releases.release_chunk, itertools.count()

    async def listened(*given: Any, most: int, **named: Any) -> releases.Chunk:
        asked.append(most)
        return await chunk(*given, most=most, **named)

    monkeypatch.setattr(releases, "release_chunk", listened)
    monkeypatch.setattr(release, "monotonic", lambda: next(ticks) * release.AIM * 2)
    monkeypatch.setattr(release, "CHUNK", 4)
    monkeypatch.setattr(release, "SMALL", 1)
    await add_readers(db, 8)
    edition = await add_edition(db)
    assert await tick(db, edition.id, NOON, settings()) == 8
    assert asked[:3] == ([4, 2, 1] if db.is_sqlite else [4, 4, 4])
