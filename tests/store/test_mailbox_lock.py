"""The lock of a mailbox, on PostgreSQL."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.core.db import Database, Session
from app.core.errors import StorageContention
from app.store import mailbox_lock, subscribers
from app.store.mailbox_lock import MOST
from tests.conftest import Postgres
from tests.interleave import at_once, stop_at
from tests.people import add_reader

ADA, BOB = "ada@example.org", "bob@example.org"


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as url:
        yield url


async def held(session: Session) -> int:
    """How many mailboxes this transaction has locked."""
    mine = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    return int(await session.scalar(text(mine)) or 0)


async def test_a_mailbox_is_locked_until_the_transaction_ends(db: Database) -> None:
    """Whoever wants the same one waits; others do not."""
    order: list[str] = []

    async def take(key: str) -> None:
        async with db.write() as session:
            await mailbox_lock.take(session, [key])
            order.append(key)

    async with asyncio.timeout(30):
        async with db.write() as session:
            await mailbox_lock.take(session, [ADA])
            waiting = asyncio.create_task(take(ADA))
            await take(BOB)
            await asyncio.wait({waiting}, timeout=0.2)
            order.append("the end")
        await waiting
    assert order == [BOB, "the end", ADA]


async def test_whoever_locks_several_locks_each_once(db: Database) -> None:
    """Also where a key is named twice, or the mailbox is locked already."""
    async with db.write() as session:
        await mailbox_lock.take(session, [ADA, BOB, ADA])
        await mailbox_lock.take(session, [ADA])
        await mailbox_lock.take(session, [])
        assert await held(session) == 2
    async with db.write() as session:
        assert await held(session) == 0


async def test_a_batch_has_its_bound(db: Database) -> None:
    """The lock table is everybody's."""
    async with db.write() as session:
        await mailbox_lock.take(session, [f"{number}@example.org" for number in range(MOST)])
        assert await held(session) == MOST
        with pytest.raises(ValueError, match="the most"):
            await mailbox_lock.take(session, [f"{number}@example.org" for number in range(MOST + 1)])


async def test_many_that_want_the_same_mailboxes_never_wait_in_a_ring(db: Database) -> None:
    """Whatever the order in which they name them."""
    keys = [f"{number}@example.org" for number in range(40)]

    async def take(shift: int) -> None:
        async with db.write() as session:
            await mailbox_lock.take(session, keys[shift:] + keys[:shift])

    for _ in range(5):
        await asyncio.gather(*(take(shift) for shift in range(0, 40, 5)))


def test_every_process_gives_a_mailbox_the_same_number() -> None:
    """Of whatever release: two that run side by side must meet."""
    assert mailbox_lock._number(ADA) == 7516892976645439956


async def test_a_reader_who_moves_meanwhile_is_not_held_at_their_old_address(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their row was read before the lock was had: the whole transaction is to be tried again."""
    reader = await add_reader(db, ADA)

    async def move() -> None:
        async with db.write() as session:
            assert await subscribers.hold(session, reader, beside=[BOB])
            assert await subscribers.readdress(session, reader, ADA, BOB, BOB)

    async def hold() -> int | None:
        async with db.write() as session:
            found = await subscribers.hold(session, reader)
            return found.id if found else None

    stop = stop_at(monkeypatch, subscribers, "readdress", after=True)
    moved, first = await at_once(stop, move(), hold)
    assert moved is None
    assert isinstance(first, StorageContention)
    assert await hold() == reader
