"""Alembic's environment: the same revisions on SQLite and PostgreSQL."""

import asyncio
from typing import Any, Literal

from alembic import context
from sqlalchemy import event, pool
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from app.core import postgres
from app.core.db import UtcDateTime, async_url
from app.models import Base


def _render_item(kind: str, item: Any, _: Any) -> str | Literal[False]:
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def _include_name(name: str | None, kind: str, _: Any) -> bool:
    """The queue's tables are Procrastinate's: its own files make them, and no model of ours describes them."""
    return not (kind == "table" and str(name).startswith("procrastinate_"))


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=False,
        transaction_per_migration=True,
        render_item=_render_item,
        include_name=_include_name,
    )
    with context.begin_transaction():
        context.run_migrations()


def _on_sqlite_connect(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    # A batch operation copies a table; with foreign keys on, dropping the old one would cascade.
    connection.execute("PRAGMA foreign_keys=OFF")


async def _run() -> None:
    url = async_url(context.config.attributes["database_url"])
    sqlite = url.get_backend_name() == "sqlite"
    arguments = {} if sqlite else {**postgres.arguments(url), "prepare_threshold": None}
    engine = create_async_engine(url, poolclass=pool.NullPool, connect_args=arguments)
    if sqlite:
        event.listen(engine.sync_engine, "connect", _on_sqlite_connect)
        event.listen(engine.sync_engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    else:
        event.listen(engine.sync_engine, "begin", lambda c: c.exec_driver_sql("SET LOCAL lock_timeout = '3s'"))
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
        await connection.commit()
    await engine.dispose()


asyncio.run(_run())
