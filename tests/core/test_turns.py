"""Turns at SQLite's writer: who waits comes next, and nobody waits for one who sleeps."""

import errno
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core import turns
from app.core.sqlite import BEGIN
from app.core.turns import Turns


@contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Cursor]:
    """A connection of its own, as another process would have."""
    connection = sqlite3.connect(folder / "post.db", isolation_level=None, check_same_thread=False)
    with closing(connection):
        connection.execute("PRAGMA journal_mode=WAL")
        yield connection.cursor()


def begin(folder: Path, cursor: sqlite3.Cursor, patience: float = 30) -> None:
    Turns(folder / "post.db.turn").begin(cursor, BEGIN, patience)


def somebody_waits(folder: Path) -> bool:
    with (folder / "post.db.turn").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_who_waits_comes_before_who_comes_again(tmp_path: Path) -> None:
    """A worker that ends one transaction and begins the next lets the web in between."""
    order: list[str] = []
    with opened(tmp_path) as worker, opened(tmp_path) as web:

        def ask() -> None:
            begin(tmp_path, web)
            order.append("web")
            web.execute("COMMIT")

        begin(tmp_path, worker)
        waits = threading.Thread(target=ask)
        waits.start()
        while not somebody_waits(tmp_path):
            time.sleep(0.001)
        worker.execute("COMMIT")
        begin(tmp_path, worker)
        order.append("worker")
        waits.join()
    assert order == ["web", "worker"]


def test_one_who_was_stopped_in_its_turn_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that sleeps keeps the lock: after a second it counts for nothing, until the turn is to be had again."""
    ours = Turns(tmp_path / "post.db.turn")
    slept: list[float] = []
    monkeypatch.setattr(turns, "_ASLEEP", 0.02)
    monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=time.monotonic, sleep=slept.append))

    def write() -> int:
        slept.clear()
        ours.begin(cursor, BEGIN, 30)
        cursor.execute("COMMIT")
        return len(slept)

    with opened(tmp_path) as cursor:
        assert write() == 0
        with (tmp_path / "post.db.turn").open("rb") as asleep:
            fcntl.flock(asleep, fcntl.LOCK_EX)
            assert write() > 0
            assert [write(), write()] == [0, 0]
        assert write() == 0
        with (tmp_path / "post.db.turn").open("rb") as asleep:
            fcntl.flock(asleep, fcntl.LOCK_EX)
            assert write() > 0, "it was to be had in between"


def test_a_turn_is_over_when_the_transaction_has_begun(tmp_path: Path) -> None:
    """The next in the queue waits for the writer, not for the turn; and SQLite is as patient as it was."""
    with opened(tmp_path) as cursor:
        cursor.execute("PRAGMA busy_timeout=1234")
        begin(tmp_path, cursor)
        assert not somebody_waits(tmp_path)
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (1234,)


def test_patience_ends(tmp_path: Path) -> None:
    """What holds the writer for longer is another program, or one that hangs: an error, and no turn is kept."""
    with opened(tmp_path) as holder, opened(tmp_path) as cursor:
        begin(tmp_path, holder)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            begin(tmp_path, cursor, patience=0.02)
        assert not somebody_waits(tmp_path)
        holder.execute("COMMIT")
        begin(tmp_path, cursor)


def test_another_fault_is_told_at_once(tmp_path: Path) -> None:
    """Only a busy writer is waited for."""
    with opened(tmp_path) as cursor:
        begin(tmp_path, cursor)
        with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
            begin(tmp_path, cursor)


def test_there_are_no_turns_where_their_file_cannot_be_made(tmp_path: Path) -> None:
    """A full disk, say: SQLite's own lock is what keeps writers apart."""
    with opened(tmp_path) as cursor:
        Turns(tmp_path / "no such folder" / "post.db.turn").begin(cursor, BEGIN, 1)
        assert cursor.connection.in_transaction


def test_there_are_no_turns_where_a_file_cannot_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on some network's file system, which has other locks for SQLite."""

    def refuse(_: int, __: int) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with opened(tmp_path) as cursor:
        begin(tmp_path, cursor)
        assert cursor.connection.in_transaction


def test_the_file_is_for_the_owner_of_the_database_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the umask; and it is given to them where an operator's command made it as root."""
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fchown", lambda _, user, group: given.append((user, group)))
    before = os.umask(0)
    try:
        with opened(tmp_path) as cursor:
            begin(tmp_path, cursor)
    finally:
        os.umask(before)
    assert (tmp_path / "post.db.turn").stat().st_mode & 0o777 == 0o600
    database = (tmp_path / "post.db").stat()
    assert given == [(database.st_uid, database.st_gid)]
