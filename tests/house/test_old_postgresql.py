"""The migrations on Debian's own PostgreSQL, which is older than the wheel's: up, down and up again."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command

from app.core.db import Database
from app.core.settings import load_settings
from app.operations import migrations
from app.stages.send import release
from tests.people import NOON, add_edition, add_reader
from tests.stages.collect.standin import closed_port

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
OWNER = "postgres" if os.geteuid() == 0 else None
"""PostgreSQL refuses to run as root."""


def run(*words: str) -> None:
    subprocess.run(words, user=OWNER, check=True, capture_output=True, cwd="/")


@pytest.fixture(params=PROGRAMS, ids=lambda folder: folder.parent.name)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of a server that ends with the test."""
    programs: Path = request.param
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="morningpost-old-"))
    if OWNER:
        shutil.chown(folder, OWNER)
    port = closed_port().rpartition(":")[2].strip("/")
    run(str(programs / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
    options = f"-p {port} -k {folder} -c listen_addresses='' -c fsync=off"
    run(str(programs / "pg_ctl"), "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log", "-w", "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}&port={port}"
    finally:
        run(str(programs / "pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(
    not PROGRAMS and not os.environ.get("CI"), reason="wants Debian's postgresql installed, not running"
)
def test_a_server_of_debians_is_there() -> None:
    assert PROGRAMS


async def test_the_tables_are_made_and_used(url: str) -> None:
    """A new value of an enumeration is not used in the transaction that adds it (PostgreSQL before 17)."""
    await migrations.upgrade(url)
    db = Database(url)
    assert await migrations.current(db)
    await add_reader(db, "ada@example.org")
    edition = await add_edition(db)
    assert await release.send_now(db, edition.id, load_settings(secret_keys=("x" * 40,)), NOON) == 1
    await db.close()


def test_every_migration_can_be_undone_and_done_again(url: str) -> None:
    configuration = migrations.config(url)
    command.upgrade(configuration, "head")
    command.downgrade(configuration, "base")
    command.upgrade(configuration, "head")
    command.check(configuration)


def test_a_migration_that_fails_leaves_nothing_and_can_be_repeated(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue's tables are made in several transactions: what they left is dropped."""
    configuration = migrations.config(url)
    original = Path.read_text

    def broken(path: Path, *args: object, **kwargs: object) -> str:
        if path.name.startswith("03.04.00_50"):
            return "SELECT no_such_function()"
        return original(path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", broken)
    with pytest.raises(Exception, match="no_such_function"):
        command.upgrade(configuration, "head")
    monkeypatch.undo()
    command.upgrade(configuration, "head")
    command.check(configuration)
