"""How a start that cannot succeed is refused: one sentence, exit code 2, and nothing left behind."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command

from app.operations import migrations
from tests.cli.test_commands import folder, post
from tests.conftest import Postgres

__all__ = ["folder"]
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://ada:secret-word@no-such-host.invalid/post", "no-such-host.invalid"),
        ("postgresql://ada:secret-word@127.0.0.1:1/post", "Connection refused"),
        ("sqlite:///vra/post.db", "there is no folder vra"),
        ("sqlite:///file.db", "file is not a database"),
    ],
)
@pytest.mark.parametrize("words", [("migrate",), ("editions", "list"), ("worker",)])
def test_a_database_that_cannot_be_used(tmp_path: Path, url: str, sentence: str, words: tuple[str, ...]) -> None:
    """An unknown host, a stopped server, a mistyped path, a file that is none. No password is told."""
    (tmp_path / "file.db").write_text("this is a text, and no database, and it is longer than a hundred octets" * 3)
    done = post(*words, folder=tmp_path, DATABASE_URL=url)
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret-word" not in done.stderr
    assert not (tmp_path / "vra").exists()


@pytest.mark.parametrize("words", [("migrate",), ("editions", "list")])
def test_a_database_that_is_not_there_or_lets_nobody_in(
    tmp_path: Path, postgres: Postgres, words: tuple[str, ...]
) -> None:
    """A name that was mistyped, and a role that there is none of."""
    missing = post(*words, folder=tmp_path, DATABASE_URL=postgres.url("no_such_database"))
    stranger = post(
        *words, folder=tmp_path, DATABASE_URL=postgres.url("template_post").replace("postgres@", "nobody:wrong@")
    )
    for done, sentence in ((missing, 'database "no_such_database" does not exist'), (stranger, "nobody")):
        assert done.returncode == 2, done.stderr
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr


def test_a_database_that_cannot_hold_every_letter(tmp_path: Path, postgres: Postgres) -> None:
    """SQL_ASCII takes octets for letters; the sentence says how to make another."""
    postgres.run("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        done = post("migrate", folder=tmp_path, DATABASE_URL=postgres.url("ascii"))
        assert done.returncode == 2, done.stderr
        assert "encoding is SQL_ASCII" in done.stderr
        assert "createdb --encoding UTF8" in done.stderr
    finally:
        postgres.run("DROP DATABASE ascii WITH (FORCE)")


def test_a_setting_that_nobody_knows_is_named(folder: Path) -> None:
    """With the nearest that there is, and never with its value: a warning in development, the end in production."""
    (folder / ".env").write_text("MORNINGPOST_TIME_ZONE=Mars/Base\n")
    done = post("editions", "list", folder=folder, FREEZ_AT="06:66", PROVIDER="smtp://a:hidden@b")
    assert done.returncode == 0
    for name, near in (("FREEZ_AT", "FREEZE_AT"), ("PROVIDER", "PROVIDERS"), ("TIME_ZONE", "TIMEZONE")):
        assert f"MORNINGPOST_{name} is no setting; did you mean MORNINGPOST_{near}?" in done.stderr
    assert "hidden" not in done.stderr
    refused = post("editions", "list", folder=folder, ENVIRONMENT="production", FREEZ_AT="06:66")
    assert refused.returncode == 2
    assert "MORNINGPOST_FREEZ_AT is no setting" in refused.stderr
    assert "06:66" not in refused.stderr


def server(folder: Path, url: str, *words: str) -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MORNINGPOST_")}
    environ |= {"MORNINGPOST_DATABASE_URL": url, "MORNINGPOST_PORT": "0", "MORNINGPOST_LOG_FORMAT": "json"}
    called = [sys.executable, "-P", "-m", "app", *words]
    return subprocess.Popen(  # ours
        called,
        cwd=folder,
        env=environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
        text=True,
    )


def until(process: subprocess.Popen[str], words: str) -> None:
    """Reads what it says until `words` are in it."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if words in line:
            return
    raise AssertionError("".join(said))


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_services_that_begin_at_once_make_the_tables_once(engine: str, tmp_path: Path, postgres: Postgres) -> None:
    """On an empty database, with nobody having migrated it: one command is a whole newsletter."""
    with contextlib.ExitStack() as stack:
        url = "sqlite:///post.db" if engine == "sqlite" else stack.enter_context(postgres.database("template0"))
        words = [("serve", "--no-worker"), ("serve", "--no-worker"), ("worker",)]
        processes = [server(tmp_path, url, *one) for one in words]
        try:
            for process, one in zip(processes, words, strict=True):
                until(process, "the worker runs" if one == ("worker",) else "Application startup complete")
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(20)
                assert process.stdout is not None
                process.stdout.close()


def test_older_tables_are_not_migrated_unasked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/post.db"
    command.upgrade(migrations.config(url), "0015")
    done = post("worker", folder=tmp_path, DATABASE_URL=url)
    assert (done.returncode, "run: morningpost migrate" in done.stderr) == (2, True)
