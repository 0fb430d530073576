"""Brings the database to this version's tables, and says whether it is there."""

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.core import resources
from app.core.db import Database, Session
from app.core.errors import ConfigurationError, StorageError
from app.core.settings import PREFIX
from app.store import schema

OLDEST_POSTGRESQL = 14
ASK_EVERY, KEEP_OPEN_EVERY = 0.25, 2.0
"""Seconds."""


def config(database_url: str) -> Config:
    """Alembic's configuration for the migrations that travel with this code."""
    made = Config()
    made.set_main_option("script_location", str(resources.folder("migrations")))
    made.attributes["database_url"] = database_url
    return made


async def upgrade(database_url: str) -> None:
    """Runs every migration that has not run yet; running it again changes nothing.

    Raises ConfigurationError where the database cannot be used at all, and StorageError where a migration fails: the
    database is then as the last one that succeeded left it.
    """
    db = Database(database_url)  # makes the folder of a SQLite file, refuses an unknown engine
    try:
        await demand_usable(db)
        await make_tables(db, database_url)
        if not await current(db):
            await _upgrade(database_url)
    finally:
        await db.close()


async def make_tables(db: Database, database_url: str) -> None:
    """Makes the tables of an empty database; one that holds any is left as it is.

    Any number of processes may begin at once: one makes them, the others wait for it. Raises as `upgrade` does.
    """
    if await current(db):
        return
    async with _alone(db):  # by now another may have made them
        async with db.read() as session:
            empty = await schema.is_empty(session)
        if empty:
            await _upgrade(database_url)


async def _upgrade(database_url: str) -> None:
    await asyncio.to_thread(command.upgrade, config(database_url), "head")


@asynccontextmanager
async def _alone(db: Database) -> AsyncIterator[None]:
    """While no other process makes this database's tables, on whatever machine it is."""
    if db.file is not None:
        with db.file.with_name(db.file.name + ".migrating").open("w") as handle:
            await asyncio.to_thread(fcntl.flock, handle, fcntl.LOCK_EX)
            yield
        return
    async with db.write() as session:
        while not await schema.try_lock(session):  # noqa: ASYNC110  # another process has it
            await asyncio.sleep(ASK_EVERY)
        keeping = asyncio.create_task(_keep_open(session))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])


async def _keep_open(session: Session) -> None:
    while True:
        await asyncio.sleep(KEEP_OPEN_EVERY)
        await schema.keep_open(session)


async def demand_usable(db: Database) -> None:
    """Raises ConfigurationError, in one sentence, where the database cannot be used at all: it is not there, does not
    let us in, is no database, is too old, or cannot hold every letter.
    """
    try:
        async with db.read() as session:
            server = await schema.server(session)
    except StorageError as error:
        raise ConfigurationError(f"the database that {PREFIX}DATABASE_URL names cannot be used: {error}") from None
    if server is None:
        return
    if server.version < OLDEST_POSTGRESQL:
        raise ConfigurationError(f"this is PostgreSQL {server.version}; the oldest that works is {OLDEST_POSTGRESQL}")
    if server.encoding != "UTF8":
        raise ConfigurationError(
            f"the database's encoding is {server.encoding}, which cannot hold every letter;"
            " make it anew with: createdb --encoding UTF8 --template template0"
        )


def newest() -> str:
    """The revision this code wants."""
    head = ScriptDirectory(str(Path(resources.folder("migrations")))).get_current_head()
    if head is None:
        raise FileNotFoundError("migrations/ holds no revision")
    return head


async def current(db: Database) -> bool:
    """Is the database at this code's revision?"""
    async with db.read() as session:
        return await schema.revision(session) == newest()
