"""Reads a folder of recorded feeds and lists as a gathering would, and shows what came of each:

    python -m bench.feeds FOLDER

`.xml` is parsed as a feed; in `.json` every object with a title and a url counts as a find. Then all are folded:
how many things, how many addresses that were two spellings of one, and which headlines were taken for one.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console

from app.core.clock import SystemClock
from app.stages.collect import feeds
from app.stages.collect.deadline import Deadline
from app.stages.collect.feeds import FeedParser
from app.stages.collect.found import Found, find
from app.stages.collect.likeness import clusters, essence

NOW = SystemClock().now()


def main(folder: Path) -> None:
    say = Console(highlight=False, soft_wrap=True).out
    finds: list[Found] = []
    for path in sorted(folder.iterdir()):
        began = perf_counter()
        found = list(_read(path))
        say(f"{path.name}: {len(found)} finds in {(perf_counter() - began) * 1000:.0f} ms")
        finds += found
    keys = {one.key for one in finds}
    unlike = sum(1 for one in finds if one.key != one.url)
    say(f"{len(finds)} finds, {len(keys)} things; {unlike} addresses were not written canonically")
    began = perf_counter()
    found_at = [one.published_at or NOW for one in finds]
    together = [group for group in clusters([essence(one.title) for one in finds], found_at) if len(group) > 1]
    say(f"like headlines in {(perf_counter() - began) * 1000:.0f} ms, where their addresses differ:")
    for group in together:
        if len({finds[index].key for index in group}) > 1:
            say("  " + "  ||  ".join(sorted({finds[index].title for index in group})))


def _read(path: Path) -> Iterator[Found]:
    if path.suffix == ".xml":
        parser = FeedParser()
        parsed = asyncio.run(parser.parse(path.read_bytes(), "https://x.example/", "", Deadline(60, NOW)))
        yield from feeds.reading_of(parsed, "", NOW).finds
    elif path.suffix == ".json":
        for one in _objects(json.loads(path.read_bytes())):
            made = find(str(one["url"]), str(one["title"]), published_at=_published(one), now=NOW)
            if made is not None:
                yield made


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and value.get("title") and value.get("url"):
        yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from _objects(child)


def _published(one: dict[str, Any]) -> datetime | None:
    if "createdUtc" in one:
        return datetime.fromtimestamp(int(one["createdUtc"]), UTC)
    text = one.get("publishedAt")
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
