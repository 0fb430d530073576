"""Processes that write to one SQLite file take turns.

SQLite has no queue: who finds another writing sleeps for up to a tenth of a second and looks again, and meanwhile the
writer may have ended and begun anew many times. Here whoever waits holds the turn, a lock on a file beside the
database, and nobody begins past it: two processes alternate. The system drops the lock of a process that dies.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOOK = 0.001
"""Seconds between two looks, at the turn and at the writer."""
_ASLEEP = 1.0
"""So many seconds are waited for the turn, once: whoever holds it for longer was stopped, and is not waited for again
until the turn was to be had."""


class Turns:
    """One connection's part in it; `file` is the lock. All of it is for a thread that may sleep.

    There are no turns where the file cannot be made or locked, as on a full disk or some network's: what keeps writers
    apart is SQLite's own lock.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._in_vain = False

    def begin(self, cursor: sqlite3.Cursor, statement: str, patience: float) -> None:
        """Executes `statement`, a BEGIN IMMEDIATE, in one's turn.

        Raises sqlite3.OperationalError ("database is locked") when `patience`, in seconds, is over.
        """
        until = time.monotonic() + patience
        with self.taken(patience), _own_patience(cursor):
            while True:
                try:
                    cursor.execute(statement)
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                        raise
                    time.sleep(_LOOK)
                else:
                    return

    @contextmanager
    def taken(self, patience: float) -> Iterator[None]:
        """Nobody else begins meanwhile, if it could be helped."""
        try:
            handle = self._opened()
        except OSError:
            yield
            return
        try:
            until = time.monotonic() + (0 if self._in_vain else min(patience, _ASLEEP))
            while not (taken := _locked(handle)) and time.monotonic() < until:
                time.sleep(_LOOK)
            self._in_vain = not taken
            yield
        finally:
            os.close(handle)  # and with it the lock

    def _opened(self) -> int:
        with suppress(FileNotFoundError):
            return os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)
        handle = os.open(self._file, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(OSError):  # of an operator's command as root, as SQLite does with its log
            owner = self._file.with_suffix("").stat()
            os.fchown(handle, owner.st_uid, owner.st_gid)
        return handle


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # this file system has no such locks
    return True


@contextmanager
def _own_patience(cursor: sqlite3.Cursor) -> Iterator[None]:
    """SQLite does not sleep meanwhile: it would for longer than a look."""
    (usual,) = cursor.execute("PRAGMA busy_timeout").fetchone()
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        yield
    finally:
        cursor.execute(f"PRAGMA busy_timeout={usual}")
