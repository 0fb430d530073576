"""A small disk of a test's own, in memory, that can be filled to the last byte."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(at: Path, mebibytes: int) -> Iterator[Path]:
    """A file system of that size at `at`. Skips the test where none can be mounted; fails it where CI is set."""
    at.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(at)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        why = f"no file system can be mounted here: {made.stderr.strip()}"
        assert os.environ.get("CI", "").lower() in ("", "0", "false"), why
        pytest.skip(why)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


def fill(disk: Path) -> Path:
    """Takes all that is free; gives the file that does."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as handle:
        block = b"\0" * 65536
        while block:
            try:
                handle.write(block)
            except OSError:
                block = block[: len(block) // 2]
    return ballast
