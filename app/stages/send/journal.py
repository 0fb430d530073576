"""Which mails this machine's workers have given to the network, kept in files that outlive a killed process.

A worker that is killed leaves its deliveries `sending`. Those whose last octet it never wrote are certain not to have
gone out, and need not wait as unknown. So before that octet leaves, the mail is noted in a file of its lease; whoever
takes the lease over on the same machine reads it. The pages of a file that was written belong to the system, and stay
when the process dies. They may not when the machine dies: notes of an earlier boot prove nothing.

A file is made after the lease is committed and what its last owner left is in order, and before anything is given to a
provider; it is removed when the lease is given back. Where there is none, nothing is known.
"""

import fcntl
import os
import shutil
import struct
from contextlib import suppress
from pathlib import Path

import structlog

_BOOT = Path("/proc/sys/kernel/random/boot_id")
"""Linux: another one after each start of the machine."""
_NOTE = struct.Struct("<qi")
_LOCK = "lock"
KEPT = 86_400.0
"""Seconds for which the notes of a worker that died are kept for whoever takes its leases over."""

log = structlog.get_logger(__name__)

Mail = tuple[int, int]
"""The ledger's key of a row, and the attempt."""


class Notes:
    """What was written under one lease. `file` is None where notes cannot be kept: then none is evidence."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._descriptor = -1
        if file:
            try:
                self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            except OSError as error:
                log.warning("what goes out cannot be noted on this machine", why=error.strerror)

    def written(self, key: int, attempt: int) -> None:
        """The mail may be out from here on. Where that cannot be noted, the file goes: it would say the opposite."""
        if self._descriptor < 0:
            return
        note = _NOTE.pack(key, attempt)
        try:
            if os.write(self._descriptor, note) == len(note):
                return
            why: str | None = "the disk is full"
        except OSError as error:
            why = error.strerror
        log.warning("what goes out cannot be noted on this machine", why=why)
        self.remove()

    def remove(self) -> None:
        """The lease is given back, or proves nothing any more."""
        if self._descriptor >= 0 and self._file:
            self._file.unlink(missing_ok=True)  # first: where it fails nobody shall write on
            self.close()

    def close(self) -> None:
        """Nothing more is written under the lease, which was not given back: the notes stay for its next owner."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Journal:
    """The notes of one worker, `owner` of its leases, in a folder that all workers of the machine share.

    Safe where the folder cannot be made, or is on a system without locks: then there is never any evidence.
    """

    def __init__(self, folder: Path | None = None, owner: str = "") -> None:
        self._folder = folder
        self._own = folder / _safe(owner) if folder and _boot() else None
        self._lock = -1

    def begin(self, lease: str) -> Notes:
        """Notes of a lease, which is committed as this worker's; once only for each lease."""
        if self._own and self._lock < 0:
            try:
                self._open(self._own)
            except OSError as error:
                log.warning("what goes out cannot be noted on this machine", why=error.strerror)
                self._own = None
        return Notes(self._own / lease if self._own else None)

    def _open(self, own: Path) -> None:
        own.mkdir(mode=0o700, parents=True)
        self._lock = os.open(own / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(self._lock, _boot().encode())

    def left(self, owner: str, lease: str) -> frozenset[Mail] | None:
        """What `owner`, another worker, may have handed over under `lease`; None where nothing is known.

        Something is known only of one that ran on this machine since it started, and is dead.
        """
        if self._folder is None:
            return None
        other = self._folder / _safe(owner)
        if not _is_dead(other):
            return None
        try:
            octets = (other / lease).read_bytes()
        except OSError:
            return None
        whole = len(octets) - len(octets) % _NOTE.size
        return frozenset(_NOTE.iter_unpack(octets[:whole]))

    def close(self) -> None:
        """The worker ends. Notes of leases that it could not give back stay."""
        if self._own and self._lock >= 0:
            if all(one.name == _LOCK for one in self._own.iterdir()):
                shutil.rmtree(self._own, ignore_errors=True)
            os.close(self._lock)
        self._own, self._lock = None, -1

    def tidy(self) -> None:
        """Removes what workers left that died long ago."""
        if self._folder is None or not self._folder.is_dir():
            return
        with suppress(OSError):
            os.utime(self._folder)  # now, by the clock that wrote the others' times
            now = self._folder.stat().st_mtime
            for other in list(self._folder.iterdir()):
                if other != self._own and now - other.stat().st_mtime > KEPT and not _is_held(other):
                    shutil.rmtree(other, ignore_errors=True)


def _safe(owner: str) -> str:
    return owner.replace("/", "_").replace("\0", "_")


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def _is_held(folder: Path) -> bool:
    """Does the process live that made `folder`? The system drops the lock of one that dies."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def _is_dead(folder: Path) -> bool:
    """Is the process that made `folder` dead, and the machine the same, since the same start?"""
    try:
        boot = (folder / _LOCK).read_text().strip()
    except OSError:
        return False
    return bool(boot) and boot == _boot() and not _is_held(folder)
