"""The command line as a tired operator meets it: a sentence and an exit code, never a traceback."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.typed import typed

ROOT = Path(__file__).resolve().parents[2]


def post(*words: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs `morningpost WORDS` in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            **{f"MORNINGPOST_{key}": value for key, value in settings.items()},
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Path:
    """A folder with a migrated database in its place."""
    (tmp_path / "var").mkdir()
    shutil.copy(sqlite_template, tmp_path / "var" / "morningpost.db")
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"PROVIDERS": "pigeon://loft"}, "there is no such provider"),
        ({"PROVIDERS": "smtp://"}, "host is missing"),
        ({"PROVIDERS": "outbox: outbox:"}, "another provider is called outbox already"),
        ({"DATABASE_URL": "mysql://x/y"}, "only sqlite and postgresql"),
        ({"TIMEZONE": "Mars/Olympus"}, "not an IANA time zone"),
        ({"COMPOSE_AT": "25:00"}, "COMPOSE_AT"),
        ({"COMPOSE_AT": "07:00"}, "must not be later than FREEZE_AT"),
        ({"MAX_LATE": "soon"}, "write a duration as 12h or 90m"),
        ({"SECRET_KEYS": "short"}, "at least 32 characters"),
        ({"ENVIRONMENT": "production"}, "SECRET_KEYS needs a random key"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence(folder: Path, settings: dict[str, str], sentence: str) -> None:
    """Exit code 2, for the server as for any command."""
    for done in (post("serve", folder=folder, **settings), typed("editions", "list", folder=folder, **settings)):
        assert done.returncode == 2, done.stderr
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr


def test_a_database_without_tables_is_told_how_to_get_them(tmp_path: Path) -> None:
    """`migrate` makes them, and may run again."""
    done = typed("editions", "list", folder=tmp_path)
    assert (done.returncode, "run: morningpost migrate" in done.stderr) == (2, True)
    for _ in range(2):
        done = typed("migrate", folder=tmp_path)
        assert (done.returncode, "revision" in done.stderr) == (0, True)
    assert typed("editions", "list", folder=tmp_path).returncode == 0


def test_keys_are_made_listed_and_revoked(folder: Path) -> None:
    """The key is the only thing on standard output; it is never listed."""
    made = typed("keys", "create", "newsroom", "--scope", "read", folder=folder)
    assert made.returncode == 0
    assert made.stdout.startswith("mp_")
    assert typed("keys", "create", "newsroom", folder=folder).returncode == 2
    listed = typed("keys", "list", "--json", folder=folder)
    assert [(one["name"], one["scopes"]) for one in json.loads(listed.stdout)] == [("newsroom", "read")]
    assert made.stdout.strip() not in listed.stdout
    assert typed("keys", "revoke", "newsroom", folder=folder).returncode == 0
    assert typed("keys", "revoke", "newsroom", folder=folder).returncode == 2


def test_composing_nothing_is_held_and_says_why(folder: Path) -> None:
    """Exit code 1: it was asked for rightly, and there is no paper. There is none to preview or send either."""
    held = typed("compose", folder=folder)
    assert (held.returncode, "There is no lead story" in held.stdout) == (1, True)
    for command in (("preview",), ("send", "--yes")):
        done = typed(*command, folder=folder)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [(), ("serve",), ("demo",), ("send",), ("keys", "create"), ("trending", "collect")])
def test_every_command_explains_itself_with_an_example(folder: Path, words: tuple[str, ...]) -> None:
    """`--help` ends with a line that can be copied."""
    done = typed(*words, "--help", folder=folder)
    assert done.returncode == 0
    assert not words or "Example: morningpost" in done.stdout
