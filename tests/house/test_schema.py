"""Models and migrations are in step, up and down, on both engines."""

from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from procrastinate.schema import SchemaManager
from sqlalchemy import Table, create_engine, inspect

from app.core import resources
from app.core.db import Database, async_url
from app.models import Base
from app.operations import migrations

QUEUE = {f"procrastinate_{name}" for name in ("events", "jobs", "periodic_defers", "workers")}
"""Made by Procrastinate's own files, on PostgreSQL."""


def tables(url: str) -> set[str]:
    """The tables there are, by a plain connection of the test's own."""
    engine = create_engine(
        async_url(url).set(drivername="sqlite" if url.startswith("sqlite") else "postgresql+psycopg")
    )
    try:
        return set(inspect(engine).get_table_names()) - {"alembic_version"}
    finally:
        engine.dispose()


def test_the_models_ask_for_nothing_that_the_migrations_do_not_make(database_url: str) -> None:
    """Alembic finds no difference: columns, types, constraints and indexes."""
    command.check(migrations.config(database_url))
    assert tables(database_url) - QUEUE == set(Base.metadata.tables)
    assert tables(database_url) & QUEUE == (set() if database_url.startswith("sqlite") else QUEUE)


def test_every_migration_can_be_undone_and_done_again(database_url: str) -> None:
    """Down to nothing, and up to the same tables."""
    configuration = migrations.config(database_url)
    command.downgrade(configuration, "base")
    assert tables(database_url) == set()
    command.upgrade(configuration, "head")
    command.check(configuration)


def test_the_installed_queue_brings_no_file_that_no_migration_runs() -> None:
    """A newer Procrastinate wants a revision of its own, which runs the files that came with it."""
    ours = ScriptDirectory(str(resources.folder("migrations"))).walk_revisions()
    last = max(str(getattr(one.module, "LAST", "")) for one in ours)
    files = sorted(path.name for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    assert files[-1] == last


async def test_a_database_knows_whether_it_is_current(db: Database) -> None:
    """`/readyz` asks this."""
    assert await migrations.current(db)


async def test_an_empty_database_is_not_current_and_upgrading_twice_is_harmless(tmp_path: Path) -> None:
    """The second run changes nothing."""
    url = f"sqlite:///{tmp_path}/post.db"
    db = Database(url)
    assert not await migrations.current(db)
    await migrations.upgrade(url)
    await migrations.upgrade(url)
    assert await migrations.current(db)
    await db.close()


def test_there_is_one_line_of_revisions() -> None:
    """Two heads would leave it to chance which one a database has."""
    script = ScriptDirectory(str(resources.folder("migrations")))
    assert script.get_heads() == [migrations.newest()]


@pytest.mark.parametrize("table", Base.metadata.sorted_tables, ids=lambda table: table.name)
def test_every_constraint_has_a_name(table: Table) -> None:
    """A constraint without one cannot be dropped on both engines; none is longer than PostgreSQL's 63 characters."""
    names = [constraint.name for constraint in table.constraints] + [index.name for index in table.indexes]
    assert all(name and len(str(name)) <= 63 for name in names)
