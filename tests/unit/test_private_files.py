"""Files of the service are for its own user."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.core.private_files import private_from_now_on, tighten, warn_of_readable
from tests.cli.test_commands import post


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    kept = os.umask(0o022)
    yield
    os.umask(kept)


def others(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) & 0o077


def test_what_is_made_from_now_on_is_private(tmp_path: Path) -> None:
    private_from_now_on()
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    assert others(tmp_path / "folder") == others(tmp_path / "file") == 0


def test_what_others_could_read_is_taken_from_them_and_said(tmp_path: Path) -> None:
    """A database with what lies beside it; what is private already, or not there, is not spoken of."""
    folder = tmp_path / "var"
    folder.mkdir()
    for name in ("post.db", "post.db-wal"):
        (folder / name).write_text("")
    with capture_logs() as told:
        tighten(folder, folder / "post.db")
        tighten(folder, folder / "post.db")
    assert [others(path) for path in (folder, *folder.iterdir())] == [0, 0, 0]
    assert [entry["log_level"] for entry in told] == ["info"] * 3


def test_a_readable_file_of_secrets_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("")
    with capture_logs() as told:
        warn_of_readable([tmp_path / ".env", tmp_path / "missing"])
        (tmp_path / ".env").chmod(0o600)
        warn_of_readable([tmp_path / ".env"])
    assert [entry["log_level"] for entry in told] == ["warning"]
    assert others(tmp_path / ".env") == 0


def test_a_first_start_leaves_nothing_that_others_can_read(tmp_path: Path) -> None:
    """The database, its log, the secrets and their folder."""
    assert post("migrate", folder=tmp_path).returncode == 0
    assert post("editions", "list", folder=tmp_path).returncode == 0
    made = [tmp_path / "var", *(tmp_path / "var").rglob("*")]
    assert len(made) > 3
    assert [path for path in made if others(path)] == []


def test_nothing_is_imported_from_the_working_directory(tmp_path: Path) -> None:
    """A file app.py there is nobody's business: a worker that serve starts does not run it."""
    (tmp_path / "app.py").write_text("raise SystemExit('executed')")
    (tmp_path / "structlog.py").write_text("raise SystemExit('executed')")
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-P", "-m", "app", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "executed" in done.stderr) == (0, False)
