"""A command typed in this process: it says and answers what a process of its own does, without the time to start one.

Where the process itself is the point (a server, a worker, a PATH, a start that fails), use `post` of test_commands.
"""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import structlog

from app.cli import main
from app.core import log


def typed(*words: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs `morningpost WORDS` in `folder`, with `settings` and no others.

    Nobody is there to answer a question. Warnings and worse go to standard error, as they do for a command; the log is
    set up for this one run only, for the next test wants its own.
    """
    out, err = io.StringIO(), io.StringIO()
    asked = {f"MORNINGPOST_{key}": value for key, value in settings.items()}
    kept = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("warning"),
        logger_factory=structlog.PrintLoggerFactory(err),
        cache_logger_on_first_use=False,
    )
    try:
        with (
            contextlib.chdir(folder),
            mock.patch.dict(os.environ, asked),
            mock.patch.object(sys, "argv", ["morningpost", *words]),
            mock.patch.object(sys, "stdin", io.StringIO()),
            mock.patch.object(log, "configure"),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = _left()
    finally:
        structlog.configure(**kept)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def _left() -> int:
    try:
        main()
    except SystemExit as left:
        return int(left.code or 0)
    return 0
