"""RSS and Atom: what a feed holds, whatever it holds."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
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
    dated, problems = readable(entries)
    found = [found_in(entry, now) for entry in dated]
    finds = unique(found)
    if dated and not finds:
        problems.append("None of its entries has both a headline and a web address.")
    elif left := found.count(None):
        problems.append(f"{_of(left, entries)} no headline or no web address, and {_were(left)} left out.")
    if replaced := values.count(parsed.get("replaced")):
        problems.append(f"It is not all in its character set: {replaced} of its characters had to be guessed.")
    if finds and (trouble := one_line(values.text(parsed.get("trouble")))):
        problems.append(f"It is not well-formed, and was read as far as it goes: {trouble}")
    return Reading(finds, " ".join(problems))


def readable(entries: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The entries without those whose date is there and cannot be read, and a sentence on these: nobody knows whether
    they are news.
    """
    left = [entry for entry in entries if values.text(entry.get("date")) and published_in(entry) is None]
    if not left:
        return list(entries), []
    kept = [entry for entry in entries if published_in(entry) or not values.text(entry.get("date"))]
    said = one_line(values.text(left[0].get("date")), 40)
    number = len(left)
    return kept, [f"{_of(number, entries)} a date that cannot be read (“{said}”), and {_were(number)} left out."]


def _of(left: int, entries: Sequence[Mapping[str, Any]]) -> str:
    return f"{left} of its {len(entries)} entries {'has' if left == 1 else 'have'}"


def _were(left: int) -> str:
    return "was" if left == 1 else "were"


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
