"""The database's one door, on both engines."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from app.core import sqlite
from app.core.clock import SystemClock
from app.core.db import Database, UtcDateTime, async_url, lease_clock
from app.core.errors import ConfigurationError, Refused, StorageError, StorageUnavailable
from app.models import AuditEntry, Consent

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def entry(action: str, at: datetime = NOON) -> AuditEntry:
    return AuditEntry(at=at, actor="test", action=action, noun="nothing", noun_id=None, detail={})


async def count(db: Database) -> int:
    async with db.read() as session:
        return (await session.execute(select(func.count()).select_from(AuditEntry))).scalar_one()


async def test_a_write_is_kept_when_its_block_ends(db: Database) -> None:
    """Not before: a reader beside it sees nothing until then."""
    async with db.write() as session:
        session.add(entry("kept"))
        await session.flush()
        assert await count(db) == 0
    assert await count(db) == 1


async def test_a_write_that_raises_leaves_nothing(db: Database) -> None:
    """The error comes out as it was raised."""

    async def change_my_mind() -> None:
        async with db.write() as session:
            session.add(entry("lost"))
            await session.flush()
            raise Refused("changed my mind")

    with pytest.raises(Refused, match="changed my mind"):
        await change_my_mind()
    assert await count(db) == 0


async def test_a_write_that_is_cancelled_leaves_nothing_and_frees_the_writer(db: Database) -> None:
    """A request that goes away in the middle holds nothing up."""
    begun = asyncio.Event()

    async def hang() -> None:
        async with db.write() as session:
            session.add(entry("lost"))
            await session.flush()
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(hang())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(60), db.write() as session:
        session.add(entry("kept"))
    assert await count(db) == 1


async def test_reading_sees_one_snapshot(db: Database) -> None:
    """What is committed meanwhile is not seen until the next read."""
    async with db.read() as session:
        before = (await session.execute(select(func.count()).select_from(AuditEntry))).scalar_one()
        async with db.write() as writer:
            writer.add(entry("meanwhile"))
        after = (await session.execute(select(func.count()).select_from(AuditEntry))).scalar_one()
    assert (before, after) == (0, 0)
    assert await count(db) == 1


async def test_a_read_cannot_write(db: Database) -> None:
    """Both engines refuse it."""

    async def write_in_a_read() -> None:
        async with db.read() as session:
            session.add(entry("no"))
            await session.flush()

    with pytest.raises(StorageError):
        await write_in_a_read()
    assert await count(db) == 0


async def test_a_refused_row_is_a_storage_error_without_its_values(db: Database) -> None:
    """The engine's own words name the constraint; the row's contents stay out of them."""
    async with db.write() as session:
        session.add(entry("first"))
    with pytest.raises(StorageError, match="refused a row") as caught:
        async with db.write() as session:
            await session.execute(
                insert(AuditEntry).values(
                    id=1, at=NOON, actor="ada@example.org", action="twice", noun="nothing", detail={}
                )
            )
    assert not isinstance(caught.value, StorageUnavailable)
    assert "ada@example.org" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


async def test_foreign_keys_hold(db: Database) -> None:
    """A consent needs its subscriber, on SQLite too."""
    with pytest.raises(StorageError, match="refused a row"):
        async with db.write() as session:
            session.add(
                Consent(
                    subscriber_id=1, act="asked", at=NOON, method="form", wording="", source="", ip="",
                    user_agent="", message_id="",
                )
            )  # fmt: skip


async def test_a_broken_statement_is_a_storage_error(db: Database) -> None:
    """No error of SQLAlchemy leaves core.db."""
    with pytest.raises(StorageError):
        async with db.read() as session:
            await session.execute(text("SELECT * FROM no_such_table"))


async def test_writers_queue_instead_of_failing(db: Database) -> None:
    """Fifty read-then-write transactions at once: all are kept, none fails with a lock."""

    async def one(number: int) -> None:
        async with db.write() as session:
            await session.execute(select(func.count()).select_from(AuditEntry))
            session.add(entry(f"number {number}"))

    await asyncio.gather(*(one(number) for number in range(50)))
    assert await count(db) == 50


async def test_instants_come_back_aware_and_in_utc(db: Database) -> None:
    """Whatever zone they were written with."""
    async with db.write() as session:
        session.add(entry("east", NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))))
    async with db.read() as session:
        at = (await session.execute(select(AuditEntry.at))).scalar_one()
        assert (at, at.tzinfo) == (NOON, UTC)
        assert (await session.execute(select(AuditEntry.id).where(AuditEntry.at == NOON))).scalar_one()


async def test_a_naive_instant_is_refused(db: Database) -> None:
    """It would mean a different moment on every machine."""
    with pytest.raises(StorageError, match="time zone"):
        async with db.write() as session:
            session.add(entry("naive", NOON.replace(tzinfo=None)))
    assert UtcDateTime().process_bind_param(None, None) is None  # type: ignore[arg-type]  # NULL passes through


async def test_the_lease_clock_is_the_databases_own_in_milliseconds(db: Database) -> None:
    """It runs on inside a transaction, and agrees with this machine's, which is the same one here."""
    async with db.write() as session:
        clock = select(text(lease_clock(session)))
        first = (await session.execute(clock)).scalar_one()
        await asyncio.sleep(0.05)
        second = (await session.execute(clock)).scalar_one()
    assert 30 <= second - first < 60_000
    assert abs(first - SystemClock().now().timestamp() * 1000) < 60_000
    assert isinstance(first, int)


def test_both_engines_get_our_drivers() -> None:
    """DATABASE_URL names no driver."""
    assert async_url("sqlite:///var/x.db").drivername == "sqlite+aiosqlite"
    assert async_url("postgresql://host/x").drivername == "postgresql+psycopg"
    assert async_url("postgres://host/x").drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://host/x", "sqlite://", "sqlite:///:memory:", "sqlite:////proc/x/y"]
)
def test_a_database_we_cannot_use_is_a_sentence(url: str) -> None:
    """Another engine, a database in memory, a folder that cannot be made."""
    with pytest.raises(ConfigurationError):
        Database(url)


async def test_an_unreachable_postgresql_is_unavailable() -> None:
    """Nothing listens there; the password is in no message."""
    db = Database("postgresql://post:hush@127.0.0.1:1/post")
    with pytest.raises(StorageUnavailable) as caught:
        await db.check()
    assert "hush" not in str(caught.value)
    await db.close()


async def test_a_file_that_is_no_database_is_a_storage_error(tmp_path: Path) -> None:
    """A sentence, not a traceback of the driver."""
    (tmp_path / "post.db").write_text("this is not a database, though it is long enough to be looked at " * 50)
    db = Database(f"sqlite:///{tmp_path}/post.db")
    with pytest.raises(StorageError):
        await db.check()
    await db.close()


async def test_a_locked_file_is_unavailable(tmp_path: Path) -> None:
    """Another program holds it for longer than we wait: later may work."""
    db = Database(f"sqlite:///{tmp_path}/post.db")
    await db.check()
    other = sqlite3.connect(tmp_path / "post.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StorageUnavailable, match="locked"):
            async with db.write() as session:
                await session.execute(text("SELECT 1"))
    finally:
        other.close()
        await db.close()


async def test_every_sqlite_connection_is_set_up(tmp_path: Path) -> None:
    """WAL, full durability, foreign keys, overwritten deletes; readers may only read."""
    db = Database(f"sqlite:///{tmp_path}/post.db")

    async def pragmas() -> list[object]:
        names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys", "secure_delete", "query_only")
        return [(await session.execute(text(f"PRAGMA {name}"))).scalar_one() for name in names]

    async with db.write() as session:
        assert await pragmas() == ["wal", 2, 5000, 1, 1, 0]
    async with db.read() as session:
        assert await pragmas() == ["wal", 2, 5000, 1, 1, 1]
    assert db.file == tmp_path / "post.db"
    await db.close()


async def test_only_the_folder_of_our_own_is_made(tmp_path: Path) -> None:
    """An empty folder is enough to start in; a path that is not there may be a slip of the pen."""
    db = Database("sqlite:///var/post.db")
    await db.check()
    assert (tmp_path / "var/post.db").exists()
    await db.close()
    with pytest.raises(ConfigurationError, match="there is no folder"):
        Database(f"sqlite:///{tmp_path}/a/b/post.db")
    assert not (tmp_path / "a").exists()


@pytest.fixture
def errands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to the threads of SQLite's connections."""
    sent: list[str] = []
    run = sqlite.Connection._execute

    async def counted(self: sqlite.Connection, what: Callable[..., object], *given: object, **named: object) -> object:
        sent.append(what.__name__)
        return await run(self, what, *given, **named)  # type: ignore[no-untyped-call]  # aiosqlite's

    monkeypatch.setattr(sqlite.Connection, "_execute", counted)
    return sent


async def test_a_statement_is_one_errand_to_sqlites_thread(tmp_path: Path, errands: list[str]) -> None:
    """Its rows come back with it; to open, to fetch and to close a cursor are no errands of their own."""
    db = Database(f"sqlite:///{tmp_path}/post.db")
    async with db.write() as session:
        await session.execute(text("CREATE TABLE counted (number INTEGER)"))
        errands.clear()
        rows = await session.execute(text("INSERT INTO counted VALUES (1), (2), (3) RETURNING number"))
        assert rows.scalars().all() == [1, 2, 3]
        assert len(errands) == 1, errands
    await db.close()


async def test_a_brief_write_stays_where_it_is(tmp_path: Path, errands: list[str]) -> None:
    """Only its BEGIN and its end, which wait for others and for the disk, are errands. The next one is as ever."""
    db = Database(f"sqlite:///{tmp_path}/post.db")
    async with db.write() as session:
        await session.execute(text("CREATE TABLE counted (number INTEGER)"))
    errands.clear()
    async with db.write(brief=True) as session:
        rows = await session.execute(text("INSERT INTO counted VALUES (1), (2), (3) RETURNING number"))
        assert rows.scalars().all() == [1, 2, 3]
        assert await session.scalar(text("SELECT sum(number) FROM counted")) == 6
    assert errands == ["_asked", "commit", "rollback"], "BEGIN, and the pool makes sure of the end"
    errands.clear()
    async with db.write() as session:
        assert await session.scalar(text("SELECT sum(number) FROM counted")) == 6
    assert errands == ["_asked", "_asked", "commit", "rollback"]
    await db.close()


async def test_what_is_read_beside_a_brief_write_is_not_brief(tmp_path: Path, errands: list[str]) -> None:
    """Another connection's statements, and that it opens, are for its own thread: it may have to wait."""
    db = Database(f"sqlite:///{tmp_path}/post.db")
    async with db.write(brief=True) as session:
        await session.execute(text("CREATE TABLE counted (number INTEGER)"))
        await db.check()
        errands.clear()
        async with db.read() as reading:
            await reading.execute(text("SELECT 1"))
        await session.execute(text("INSERT INTO counted VALUES (1)"))
        assert errands.count("_asked") == 2, "the reader's BEGIN and SELECT, and not our INSERT"
    await db.close()


async def test_a_brief_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A fault is told as one of the database, whoever executed the statement."""
    db = Database(f"sqlite:///{tmp_path}/post.db")
    async with db.write() as session:
        await session.execute(text("CREATE TABLE counted (number INTEGER UNIQUE)"))

    async def count_twice() -> None:
        async with db.write(brief=True) as session:
            await session.execute(text("INSERT INTO counted VALUES (1)"))
            await session.execute(text("INSERT INTO counted VALUES (1)"))

    with pytest.raises(StorageError, match="UNIQUE"):
        await count_twice()
    async with db.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM counted")) == 0
    await db.close()
