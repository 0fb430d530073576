"""How a start that cannot succeed is refused: one sentence, exit code 2, and nothing left behind."""

from pathlib import Path

import pytest

from tests.cli.test_commands import folder, post
from tests.conftest import Postgres

__all__ = ["folder"]


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
