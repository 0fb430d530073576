"""Processes that write to one SQLite file take turns.

SQLite has no queue: who finds another writing sleeps for up to a tenth of a second and looks again, and meanwhile the
writer may have ended and begun anew many times. Here whoever waits holds the turn, a lock on a file beside the
database, and nobody begins past it: each waits for those before it, and for one transaction of theirs. The system drops
the lock of a process that dies.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOK = 0.001
"""Seconds between two looks, at the turn and at the writer."""
_ASLEEP = 1.0
"""After so many seconds the turn is nobody's: whoever holds it may have been stopped."""


def begin(cursor: sqlite3.Cursor, statement: str, file: Path, patience: float) -> None:
    """Executes `statement`, a BEGIN IMMEDIATE, in one's turn; on a thread that may sleep.

    Raises sqlite3.OperationalError ("database is locked") when `patience`, in seconds, is over.
    """
    until = time.monotonic() + patience
    with _turn(file, min(until, time.monotonic() + _ASLEEP)), _own_patience(cursor):
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
def _turn(file: Path, until: float) -> Iterator[None]:
    try:
        # Whoever makes it, others can lock it: an operator may run commands as another user than the service.
        handle = os.open(file, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        yield  # without turns, as a full disk may demand: what keeps writers apart is SQLite's own lock
        return
    try:
        while not _taken(handle) and time.monotonic() < until:
            time.sleep(_LOOK)
        yield
    finally:
        os.close(handle)  # and with it the lock


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
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
