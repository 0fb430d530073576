"""Questions about the schema itself."""

from dataclasses import dataclass

from sqlalchemy import inspect, text

from app.core.db import Session
from app.store.statements import is_sqlite


async def revision(session: Session) -> str | None:
    """The Alembic revision the database is at; None where it was never migrated."""
    connection = await session.connection()
    if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
        return None
    return (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()


async def is_empty(session: Session) -> bool:
    """Is there no table at all?"""
    connection = await session.connection()
    return not await connection.run_sync(lambda sync: inspect(sync).get_table_names())


_MIGRATING = 7_302_516
"""A number of ours among PostgreSQL's advisory locks."""


async def try_lock(session: Session) -> bool:
    """On PostgreSQL: does nobody else make this database's tables? Then nobody does until the transaction ends."""
    return bool(await session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _MIGRATING}))


async def keep_open(session: Session) -> None:
    """Asks for nothing: PostgreSQL ends a transaction whose owner says nothing for long."""
    await session.execute(text("SELECT 1"))


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server's major version, and the encoding of the database."""

    version: int
    encoding: str


async def server(session: Session) -> Server | None:
    """What answers; None for SQLite, which is read to see that it is a database. Raises StorageError."""
    if is_sqlite(session):
        await session.execute(text("SELECT count(*) FROM sqlite_master"))
        return None
    row = (
        await session.execute(
            text("SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding')")
        )
    ).one()
    return Server(row[0], row[1])


async def touch(session: Session) -> None:
    """Writes the revision down as it is: a write that changes nothing."""
    await session.execute(text("UPDATE alembic_version SET version_num = version_num"))
