"""Random walks of things done at once, many of them: `python -m bench.races --walks 1000`.

Each walk is a service on an empty database, up to three things at once a step (`tests.races`), every statement kept
waiting for a moment by a seeded choice. Prints what was found, each with its seed; exit code 1 if anything was.
`--seed N --walks 1` plays one again, as far as the machine lets two things meet in the same way.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from alembic import command

from app.operations import migrations
from tests.conftest import MEMORY, Postgres, in_memory, sqlite_copy
from tests.races import editions, readers
from tests.races.world import Finding

Walk = Callable[[str, int], Awaitable[int]]
WALKS: dict[str, Walk] = {"editions": editions.walk, "readers": readers.walk}


async def once(walk: Walk, url: str, seed: int) -> tuple[int, str]:
    """How many pairs met, and what was found, empty where nothing was."""
    try:
        return await walk(url, seed), ""
    except Finding as found:
        return 0, str(found)
    except AssertionError as found:
        return 0, f"AssertionError: {found}"


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m bench.races", description=__doc__)
    words.add_argument("--walks", type=int, default=100, help="of each kind, on each engine")
    words.add_argument("--seed", type=int, default=1, help="of the first walk; each next one has the next")
    words.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    words.add_argument("--kind", choices=(*WALKS, "both"), default="both")
    asked = words.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    engines = ("sqlite", "postgresql") if asked.engine == "both" else (asked.engine,)
    kinds = tuple(WALKS) if asked.kind == "both" else (asked.kind,)
    wrong = 0
    with tempfile.TemporaryDirectory(dir=MEMORY if in_memory() else None) as folder:
        for engine in engines:
            for kind in kinds:
                wrong += many(engine, kind, asked.seed, asked.walks, Path(folder))
    return 1 if wrong else 0


def many(engine: str, kind: str, first: int, walks: int, folder: Path) -> int:
    """Takes `walks` walks and prints what came of them; gives how many found something."""
    template, server = folder / "empty.db", None
    if engine == "sqlite":
        if not template.exists():
            command.upgrade(migrations.config(f"sqlite:///{template}"), "head")
    else:
        server = Postgres()
    met, wrong = 0, 0
    try:
        for seed in range(first, first + walks):
            if server is None:
                pairs, found = asyncio.run(once(WALKS[kind], sqlite_copy(template, folder), seed))
                for file in folder.glob("post.db*"):
                    file.unlink()
            else:
                with server.database() as url:
                    pairs, found = asyncio.run(once(WALKS[kind], url, seed))
            met += pairs
            if found:
                wrong += 1
                sys.stdout.write(f"\n{engine} {kind} seed {seed}: {found}\n")
                sys.stdout.flush()
    finally:
        if server is not None:
            server.stop()
    sys.stdout.write(f"{engine} {kind}: {walks} walks from seed {first}, {met} pairs at once, {wrong} findings\n")
    sys.stdout.flush()
    return wrong


if __name__ == "__main__":
    sys.exit(main())
