"""Parses one feed in a process of its own: the feed on standard input, what it holds as JSON on standard output.

    python -m app.stages.collect.parse_feed BASE-URL CONTENT-TYPE < feed.xml

A megabyte of opened tags keeps feedparser busy for minutes, and a thread cannot be ended. A process can; beside its
caller's patience it has limits of its own. It imports nothing of ours, so that it starts fast.
"""

import calendar
import io
import json
import sys
from contextlib import suppress
from typing import Any

MOST = 100
"""Entries of one feed, the newest of them."""
CPU_SECONDS, MEMORY = 20, 1_500_000_000
_TITLE, _LINK, _TEXT, _NAME = 2_000, 3_000, 6_000, 200


def main() -> None:
    """Reads, parses, writes."""
    _limit()
    import feedparser  # noqa: PLC0415  # under the limits

    base, content_type = sys.argv[1:3]
    # Never as a byte string: feedparser would open one that looks like an address or a path.
    parsed = feedparser.parse(
        io.BytesIO(sys.stdin.buffer.read()),
        response_headers={"content-type": content_type, "content-location": base},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    entries = sorted(map(_entry, parsed.entries), key=lambda one: -(one["published"] or 0))
    answer = {"version": parsed.version or "", "trouble": _trouble(parsed), "entries": entries[:MOST]}
    sys.stdout.write(json.dumps(answer))


def _trouble(parsed: Any) -> str:
    """What is malformed; a server that names the wrong type or character set is too common to be told."""
    error = parsed.get("bozo_exception")
    harmless = type(error).__name__ in ("CharacterEncodingOverride", "NonXMLContentType")
    return "" if not parsed.bozo or harmless else str(error)[:200]


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  # not on every system

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _entry(entry: Any) -> dict[str, Any]:
    names = [str(one.get("name", ""))[:_NAME] for one in entry.get("authors", ()) if one.get("name")]
    return {
        "id": str(entry.get("id", ""))[:_LINK],
        "link": str(entry.get("link", ""))[:_LINK],
        "title": str(entry.get("title", ""))[:_TITLE],
        "html": entry.get("title_detail", {}).get("type", "") != "text/plain",
        "summary": str(entry.get("summary", ""))[:_TEXT],
        "authors": names[:3],
        "others": max(0, len(names) - 3),
        "published": _seconds(entry),
    }


def _seconds(entry: Any) -> int | None:
    """Since 1970, in UTC."""
    for name in ("published_parsed", "updated_parsed"):
        when = dict.get(entry, name)  # feedparser's own lookup gives another date's value, with a warning
        with suppress(ValueError, OverflowError, TypeError):
            if when is not None and when.tm_year > 1970:
                return calendar.timegm(when)
    return None


if __name__ == "__main__":
    main()
