"""Hacker News: a search by Algolia (hn.algolia.com/api), which answers in JSON; 10,000 requests an hour are allowed."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from app.core.errors import SourceError
from app.stages.collect import values
from app.stages.collect.found import Found, Reading, find, unique

SITE = "https://news.ycombinator.com/item?id="
_SINCE = timedelta(days=3)
_ID = re.compile(r"\d{1,12}")


def query(url: str, now: datetime) -> str:
    """The address to ask: the search as it was set up, for stories of the last three days, a hundred at most."""
    parts = urlsplit(url)
    params = dict(parse_qsl(parts.query))
    since = f"created_at_i>={int((now - _SINCE).timestamp())}"
    params["numericFilters"] = ",".join(filter(None, [params.get("numericFilters", ""), since]))
    params = {"tags": "story", "hitsPerPage": "100", **params}
    return parts._replace(query=urlencode(params)).geturl()


def reading(body: bytes, now: datetime) -> Reading:
    """The stories of an answer. Raises SourceError."""
    try:
        hits = values.mapping(json.loads(body)).get("hits")
    except (ValueError, RecursionError):
        raise SourceError("its answer was not JSON") from None
    if not isinstance(hits, list):
        raise SourceError("its answer holds no list of stories")
    return Reading(unique([_story(values.mapping(hit), now) for hit in hits]))


def _story(hit: Mapping[str, Any], now: datetime) -> Found | None:
    number = values.matching(_ID, hit.get("objectID"))
    if number is None:
        return None
    discussion = SITE + number
    seconds = values.count(hit.get("created_at_i"))
    return find(
        values.text(hit.get("url")) or discussion,
        values.text(hit.get("title")),
        published_at=datetime.fromtimestamp(seconds, UTC) if seconds else None,
        discussion=discussion,
        points=values.count(hit.get("points")),
        comments=values.count(hit.get("num_comments")),
        now=now,
    )
