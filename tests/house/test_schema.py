"""Models and migrations are in step, up and down, on both engines."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, Table, create_engine, inspect, text

from app.core import resources
from app.core.db import Database, async_url
from app.models import Base
from app.operations import migrations

QUEUE = {f"procrastinate_{name}" for name in ("events", "jobs", "periodic_defers", "workers")}
"""Made by Procrastinate's own files, on PostgreSQL."""


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A plain connection of the test's own, whose work is kept."""
    engine = create_engine(
        async_url(url).set(drivername="sqlite" if url.startswith("sqlite") else "postgresql+psycopg")
    )
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def tables(url: str) -> set[str]:
    """The tables there are."""
    with connected(url) as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


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


_EDITION = """
INSERT INTO editions (kind, date, revision, number, status, reason, subject, preheader, salt, edits, version, holds,
  content_hash, composed_at)
VALUES ('daily', :day, 1, :number, 'draft', '', '', '', 's', '{}', 0, 0, '', '2026-11-23 12:00:00')
"""


def test_editions_keep_their_numbers_up_and_down(database_url: str) -> None:
    """A draft without one gets the next on the way down; what hangs on an edition stays, and no id is given twice."""
    configuration = migrations.config(database_url)

    def numbers() -> list[tuple[int, int | None]]:
        with connected(database_url) as connection:
            rows = connection.execute(text("SELECT id, number FROM editions ORDER BY id")).all()
            assert connection.scalar(text("SELECT count(*) FROM listings")) == 1
        return [(row[0], row[1]) for row in rows]

    with connected(database_url) as connection:
        for day, number in (("2026-11-23", 7), ("2077-01-01", None), ("1977-01-01", None)):
            connection.execute(text(_EDITION), {"day": day, "number": number})
        connection.execute(text("INSERT INTO listings (edition_id, ref, printed, name) VALUES (1, 'a', true, '')"))
    command.downgrade(configuration, "0022")
    assert numbers() == [(1, 7), (2, 8), (3, 9)]
    command.upgrade(configuration, "head")
    assert numbers() == [(1, 7), (2, 8), (3, 9)]
    with connected(database_url) as connection:
        connection.execute(text("DELETE FROM editions WHERE id = 3"))
        connection.execute(text(_EDITION), {"day": "2026-11-24", "number": None})
    assert numbers() == [(1, 7), (2, 8), (4, None)]


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
