"""A Maildir (cr.yp.to/proto/maildir.html): a mail is written in tmp/, then appears whole in new/. Blocking code."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

FOLDERS = ("tmp", "new", "cur")


def prepare(folder: Path) -> None:
    """Makes the Maildir where it is missing, readable by its owner only. Raises OSError."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)


def probe(folder: Path, name: str) -> None:
    """Writes and removes a small file, as a mail would be. Raises OSError."""
    prepare(folder)
    path = folder / "tmp" / name
    try:
        _write(path, b"probe\r\n")
    finally:
        path.unlink(missing_ok=True)


def deliver(folder: Path, mails: Sequence[tuple[str, bytes]]) -> OSError | None:
    """Puts each (file name, content) into new/, durably, in order; gives the error that stopped it, if any.

    All or nothing: after an error none of them is in new/, and nothing is left in tmp/.
    """
    try:
        prepare(folder)
        for name, content in mails:
            _write(folder / "tmp" / name, content)
        for name, _ in mails:
            (folder / "tmp" / name).rename(folder / "new" / name)
        _sync_folder(folder / "new")
    except OSError as error:
        for name, _ in mails:
            for place in ("tmp", "new"):
                with suppress(OSError):
                    (folder / place / name).unlink()
        return error
    return None


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
