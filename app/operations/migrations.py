"""Brings the database to this version's tables, and says whether it is there."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.core import resources
from app.core.db import Database
from app.store import schema


def config(database_url: str) -> Config:
    """Alembic's configuration for the migrations that travel with this code."""
    made = Config()
    made.set_main_option("script_location", str(resources.folder("migrations")))
    made.attributes["database_url"] = database_url
    return made


async def upgrade(database_url: str) -> None:
    """Runs every migration that has not run yet; running it again changes nothing."""
    Database(database_url)  # makes the folder of a SQLite file, refuses an unknown engine
    await asyncio.to_thread(command.upgrade, config(database_url), "head")


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
