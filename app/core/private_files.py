"""Files of the service are for its own user: whoever else may log in to the machine reads no address, key or mail."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

import structlog

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_BESIDE = ("", "-wal", "-shm", "-journal", ".turn", ".worker", ".migrating")
"""What lies beside an SQLite file, by what is added to its name."""

log = structlog.get_logger(__name__)


def private_from_now_on() -> None:
    """Whatever this process and its children make is for its owner only."""
    os.umask(_OTHERS)


def tighten(folder: Path, database: Path | None) -> None:
    """Takes from others what they may do with `folder` and with a database's files, and says so; safe to repeat."""
    files = [] if database is None else [database.with_name(database.name + end) for end in _BESIDE]
    for path in (folder, *files):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & _OTHERS:
                path.chmod(mode & ~_OTHERS)
                log.info("others could read this, and no longer can", path=str(path))
        except FileNotFoundError:
            continue
        except OSError as error:  # another user's, or a file system without modes
            log.warning("others may be able to read this", path=str(path), why=error.strerror)


def warn_of_readable(paths: Iterable[Path]) -> None:
    """Says which of the operator's own files with secrets others may read; nothing is changed."""
    for path in paths:
        try:
            if path.stat().st_mode & stat.S_IROTH:
                log.warning("every user of this machine can read this file, secrets and all: chmod 600", path=str(path))
        except OSError:
            continue
