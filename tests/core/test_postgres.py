"""How long PostgreSQL lets a transaction wait, which sessions are thrown away, and what costs how many round trips."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import CursorResult, text
from sqlalchemy.engine import make_url

from app.core import postgres
from app.core.db import Database, async_url
from app.core.errors import StorageError, StorageUnavailable
from tests.conftest import Postgres
from tests.proxy import Proxy


@pytest.fixture
async def server_db(postgres: Postgres) -> AsyncIterator[Database]:
    with postgres.database() as url:
        db = Database(url)
        yield db
        await db.close()


async def ask(db: Database, query: str, *, brief: bool = False) -> str:
    async with db.write(brief=brief) as session:
        found = await session.execute(text(query))
        return str(found.scalar()) if isinstance(found, CursorResult) and found.returns_rows else ""


def through(proxy: Proxy, url: str) -> str:
    direct = make_url(url)
    return f"postgresql://{direct.username}@127.0.0.1:{proxy.port}/{direct.database}"


def socket_of(url: str) -> str:
    return f"{make_url(url).query['host']}/.s.PGSQL.5432"


@pytest.mark.parametrize(
    ("given", "hosts"),
    [
        ("postgresql://u:p@a:1,b:2/post?application_name=x", "a,b"),
        ("postgresql://u@a,b/post", "a,b"),
        ("postgresql://u@/post?host=a:1&host=b:2", "a,b"),
    ],
)
def test_of_several_hosts_the_one_that_can_be_written_to_is_taken(given: str, hosts: str) -> None:
    made = postgres.arguments(async_url(given))
    assert (made["host"], made["dbname"], made["target_session_attrs"]) == (hosts, "post", "read-write")


def test_an_operator_may_ask_for_another_kind_of_host() -> None:
    made = postgres.arguments(async_url("postgresql://u@a,b/post?target_session_attrs=any"))
    assert made["target_session_attrs"] == "any"


async def test_limits_hold_for_one_transaction(server_db: Database) -> None:
    """So a pooler in transaction mode may hand the session to somebody else."""
    assert await ask(server_db, "SHOW lock_timeout", brief=True) == "5s"
    assert await ask(server_db, "SHOW statement_timeout", brief=True) == "8s"
    assert await ask(server_db, "SHOW statement_timeout") == "2min"
    assert await ask(server_db, "SHOW idle_in_transaction_session_timeout", brief=True) == "8s"
    if int(await ask(server_db, "SHOW server_version_num")) >= 170_000:
        assert await ask(server_db, "SHOW transaction_timeout", brief=True) == "12s"
    async with server_db._writer.connect() as connection:
        raw = await connection.get_raw_connection()
        cursor = await raw.driver_connection.execute("SHOW lock_timeout")  # type: ignore[union-attr]  # outside a transaction
        assert await cursor.fetchone() == ("0",)


async def test_a_snapshot_refuses_to_write(server_db: Database) -> None:
    async with server_db.read() as session:
        with pytest.raises(Exception, match="read-only transaction"):
            await session.execute(text("CREATE TABLE t (a int)"))


async def test_a_connection_that_died_in_the_pool_is_replaced_at_once(server_db: Database, postgres: Postgres) -> None:
    """Nothing is asked of it before it is needed, and nothing fails for it."""
    process = await ask(server_db, "SELECT pg_backend_pid()")
    postgres.run(f"SELECT pg_terminate_backend({process})")
    assert await ask(server_db, "SELECT pg_backend_pid()") != process


async def test_a_read_only_session_is_thrown_away(server_db: Database, postgres: Postgres) -> None:
    """As a failover leaves them: the server became a standby for a moment, and is the primary again."""
    name = server_db.url.database
    await ask(server_db, "CREATE TABLE t (a int)")
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await server_db._writer.dispose()  # new sessions are as the standby has them
    with pytest.raises(StorageUnavailable, match="read-only"):
        await ask(server_db, "INSERT INTO t VALUES (1) RETURNING a")
    postgres.run(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert await ask(server_db, "INSERT INTO t VALUES (1) RETURNING a") == "1"


async def test_what_is_alone_is_one_round_trip_and_leaves_nothing_open(postgres: Postgres) -> None:
    with postgres.database() as url, Proxy(socket_of(url)) as proxy:
        db = Database(through(proxy, url))
        await ask(db, "CREATE TABLE t (a int)")
        before = proxy.asked
        await db.alone([("INSERT INTO t VALUES (:a)", {"a": 1}), ("INSERT INTO t VALUES (:a)", {"a": 2})])
        assert proxy.asked - before == 1
        with pytest.raises(StorageError):
            await db.alone([("INSERT INTO t VALUES (:a)", {"a": 3}), ("INSERT INTO nowhere VALUES (1)", {})])
        assert await ask(db, "SELECT string_agg(a::text, ',' ORDER BY a) FROM t") == "1,2"
        await db.close()


async def test_who_is_cut_off_in_a_transaction_keeps_nobody_waiting(postgres: Postgres) -> None:
    """Its packets are gone and the server is not told: what it locked is free within 15 seconds."""
    with postgres.database() as url, Proxy(socket_of(url)) as proxy:
        lost, healthy = Database(through(proxy, url)), Database(url)
        await ask(healthy, "CREATE TABLE t (a int)")
        await ask(healthy, "INSERT INTO t VALUES (1) RETURNING a")

        async def hold() -> None:
            async with lost.write(brief=True) as session:
                await session.execute(text("UPDATE t SET a = 2"))
                proxy.silent = True
                await session.execute(text("SELECT 1"))

        held = asyncio.create_task(hold())
        while not proxy.silent:  # noqa: ASYNC110  # another thread sets it
            await asyncio.sleep(0.01)
        began = time.monotonic()
        while True:
            try:
                assert await ask(healthy, "UPDATE t SET a = a + 10 RETURNING a", brief=True) == "11"
                break
            except StorageUnavailable:  # waited for the lock as long as it may
                assert time.monotonic() - began < 15
        assert time.monotonic() - began < 15
        held.cancel()
        await asyncio.gather(held, return_exceptions=True)
        await healthy.close()


async def test_where_no_connection_is_free_one_is_waited_for(postgres: Postgres) -> None:
    with postgres.database() as url:
        name = make_url(url).database
        postgres.run(f"CREATE ROLE narrow_{name} LOGIN CONNECTION LIMIT 1")
        narrow = url.replace("postgres@", f"narrow_{name}@")
        assert narrow != url
        first, second = Database(narrow), Database(narrow)
        async with first.read() as session:
            await session.execute(text("SELECT 1"))
            waiting = asyncio.create_task(ask(second, "SELECT 1"))
            await asyncio.sleep(1)
            assert not waiting.done()
        await first.close()
        assert await waiting == "1"
        await second.close()
        postgres.run(f"DROP ROLE narrow_{name}")
