"""Files of the service are for its own user."""

import os
import re
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.core.private_files import private_from_now_on, tighten, warn_of_readable
from app.stages.collect.deadline import Deadline
from app.stages.collect.feeds import FeedParser
from tests.acceptance.house import free_port
from tests.cli.test_commands import ROOT, post
from tests.people import NOON


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
    """A file app.py there is nobody's business: `serve` starts, and its worker works and reads a feed."""
    for name in ("app", "structlog", "feedparser", "sqlite3"):
        (tmp_path / f"{name}.py").write_text(f"open('executed', 'a').write('{name}'); raise SystemExit(name)")
    port = free_port()
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "MORNINGPOST_PORT": str(port)}
    command = [sys.executable, "-P", "-m", "app"]  # as the console script: its own folder is on the path, not this one
    subprocess.run([*command, "migrate"], cwd=tmp_path, env=environment, check=True, timeout=60)
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([*command, "serve"], cwd=tmp_path, env=environment, stderr=log)
    try:
        _has_a_worker(tmp_path / "var" / "morningpost.db")
    finally:
        server.terminate()
        server.wait(30)
    assert not (tmp_path / "executed").exists()
    assert "the worker ended" not in (tmp_path / "log").read_text()
    left = [path for path in (tmp_path / "var", *(tmp_path / "var").rglob("*")) if others(path)]
    assert left == []


def _has_a_worker(database: Path) -> None:
    """Waits until a worker has written down that it is alive."""
    for _ in range(600):
        with closing(sqlite3.connect(database)) as rows:
            if rows.execute("SELECT count(*) FROM workers").fetchone()[0]:
                return
        time.sleep(0.1)
    raise AssertionError("no worker gave a sign of life within a minute")


async def test_the_parser_of_feeds_imports_nothing_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a process of its own."""
    for name in ("app", "structlog", "feedparser"):
        (tmp_path / f"{name}.py").write_text("open('executed', 'a')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    feed = b"<rss version='2.0'><channel><title>x</title></channel></rss>"
    parsed = await FeedParser().parse(feed, "https://example.org/", "text/xml", Deadline(60, NOON))
    assert parsed["version"] == "rss20"
    assert not (tmp_path / "executed").exists()


def test_every_child_process_of_ours_has_a_safe_path() -> None:
    """Each that runs Python is given -P; there is no other way that one is started."""
    starts = re.compile(r"sys\.executable,\s*(\S+),")
    found = {path.name: starts.findall(path.read_text()) for path in (ROOT / "app").rglob("*.py")}
    assert sum(map(len, found.values())) >= 3
    assert all(flag == '"-P"' for flags in found.values() for flag in flags)
    ways = re.compile(r"multiprocessing|ProcessPoolExecutor|os\.exec|os\.spawn|os\.system")
    assert [path for path in (ROOT / "app").rglob("*.py") if ways.search(path.read_text())] == []
