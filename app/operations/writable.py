"""Could something be written down now? A full disk answers every question, and keeps nothing."""

import shutil

from app.core.db import Database
from app.core.errors import StorageUnavailable
from app.store import schema

ROOM = 16 << 20
"""Bytes that must be free beside SQLite's file. A small row may still fit into its log where a group of outcomes does
not: so a write that goes well is no proof."""


async def check(db: Database) -> None:
    """Raises StorageUnavailable where it could not, by writing down what stands there already."""
    if db.file is not None and shutil.disk_usage(db.file.parent).free < ROOM:
        raise StorageUnavailable(f"less than {ROOM >> 20} MiB are free on the database's disk")
    async with db.write() as session:
        await schema.touch(session)
