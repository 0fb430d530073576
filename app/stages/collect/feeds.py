"""RSS and Atom: what a feed holds, whatever it holds."""

import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.core.errors import SourceError
from app.stages.collect import values
from app.stages.collect.deadline import Deadline
from app.stages.collect.found import Found, Reading, find, unique
from app.stages.collect.words import one_line

PARSE_WITHIN = 15.0
_LATEST = 250_000_000_000
"""Seconds since 1970 up to the year 9892: beyond it Python knows no dates."""
_AT_ONCE = 2
"""Parsing is pure computing: more of them at a time would only slow everything else down."""


class FeedParser:
    """Parses feeds in processes of their own, two at a time."""

    def __init__(self, within: float = PARSE_WITHIN) -> None:
        self._within = within
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def parse(self, body: bytes, url: str, content_type: str, deadline: Deadline) -> Mapping[str, Any]:
        """As `parse_feed` writes it. Raises SourceError."""
        if not body.strip():
            raise SourceError("its answer was empty")
        async with self._room:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "app.stages.collect.parse_feed", url, content_type,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            try:
                async with asyncio.timeout(min(self._within, deadline.left)):
                    said, _ = await child.communicate(body)
            except TimeoutError:
                raise SourceError("it is so badly formed that reading it took too long") from None
            finally:
                await _end(child)
        if child.returncode != 0:
            raise SourceError("it could not be read as a feed")
        return values.mapping(json.loads(said))


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.kill()
        await child.wait()


def reading_of(parsed: Mapping[str, Any], content_type: str, now: datetime) -> Reading:
    """The finds of a parsed feed. An empty feed is a good one. Raises SourceError where it was no feed."""
    entries = [values.mapping(one) for one in parsed.get("entries", ())]
    if not parsed.get("version") and not entries:
        page = "html" in content_type.lower()
        raise SourceError("what came is a web page, not a feed" if page else "what came is not a feed")
    finds = unique([found_in(entry, now) for entry in entries])
    if entries and not finds:
        return Reading((), "None of its entries has both a headline and a web address.")
    trouble = one_line(values.text(parsed.get("trouble")))
    return Reading(finds, f"It is not well-formed, and was read as far as it goes: {trouble}" if trouble else "")


def found_in(entry: Mapping[str, Any], now: datetime) -> Found | None:
    """One entry; its id stands in for a link that is missing, as the Atom and RSS formats allow."""
    link = values.text(entry.get("link")) or values.text(entry.get("id"))
    return find(
        link,
        values.text(entry.get("title")),
        title_is_html=entry.get("html") is True,
        summary=values.text(entry.get("summary")),
        author=authors_of(entry),
        published_at=published_in(entry),
        now=now,
    )


def authors_of(entry: Mapping[str, Any]) -> str:
    """ "Ada Example, Ben Example and 3 others"."""
    names = list(values.strings(entry.get("authors")))
    others = values.count(entry.get("others")) or 0
    if others:
        return f"{', '.join(names)} and {others} {'other' if others == 1 else 'others'}"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def published_in(entry: Mapping[str, Any]) -> datetime | None:
    seconds = entry.get("published")
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and 0 < seconds < _LATEST else None
