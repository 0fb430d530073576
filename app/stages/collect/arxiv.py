"""arXiv: a query of its API, which answers in Atom (info.arxiv.org, API user's manual).

One request every three seconds and one connection at a time is what it asks for; the answer to a query changes once a
day. Metadata is free to use (CC0); we link the paper's page, never the PDF.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.core.errors import SourceError
from app.stages.collect import values
from app.stages.collect.feeds import authors_of, published_in, readable, reading_of
from app.stages.collect.found import Found, Reading, find, headline_of, unique

PAUSE = 3.0
"""Seconds between two requests."""


def reading(parsed: Mapping[str, Any], content_type: str, now: datetime) -> Reading:
    """The papers of an answer. Raises SourceError; a query that is wrong comes as an entry named "Error"."""
    entries = [values.mapping(one) for one in parsed.get("entries", ())]
    for entry in entries:
        if "/api/errors" in values.text(entry.get("id")):
            why = headline_of(values.text(entry.get("summary")))
            raise SourceError(f"it does not understand the query: {why}")
    if not entries:
        return reading_of(parsed, content_type, now)
    dated, problems = readable(entries)
    return Reading(unique([_paper(entry, now) for entry in dated]), " ".join(problems))


def _paper(entry: Mapping[str, Any], now: datetime) -> Found | None:
    found = find(
        values.text(entry.get("id")) or values.text(entry.get("link")),
        values.text(entry.get("title")),
        title_is_html=entry.get("html") is True,
        summary=values.text(entry.get("summary")),
        author=authors_of(entry),
        published_at=published_in(entry),
        now=now,
    )
    if found is None or not found.key.startswith("https://arxiv.org/abs/"):
        return found
    return Found(found.key, found.key, found.title, found.summary, found.author, found.published_at)
