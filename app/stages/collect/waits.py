"""How long a source asks us to wait, from its answer's headers. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

UNSAID = 60.0
"""GitHub: "wait for at least one minute" where a limit was met and no header says how long."""
_WINDOW = re.compile(r"\br=0\b.*?\bt=(\d{1,6})\b")


def asked_to_wait(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the next request is welcome; None where the answer is not about our pace.

    GitHub says 403 as well as 429 for a spent limit, and tells it from "forbidden" by the headers
    (docs.github.com, rate limits for the REST API). Hugging Face sends 429 with `RateLimit: "api";r=0;t=279`.
    """
    spent = headers.get("x-ratelimit-remaining", "").strip() == "0"
    said = _retry_after(headers.get("retry-after", ""), now)
    if not (status == 429 or (status == 503 and said is not None) or (status == 403 and (spent or said is not None))):
        return None
    if said is not None:
        return said
    told = _spent_for(headers, now)
    return UNSAID if told is None else told


class Limits:
    """What a source's answers say of its limits: a bucket that is spent is not asked again before it starts afresh.

    GitHub has a bucket each for searches, GraphQL and the rest; the Hub's is told by the header's own name.
    """

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}

    def learn(self, path: str, headers: Mapping[str, str], now: datetime) -> None:
        """Notes what the headers of an answer say, whatever its status."""
        seconds = _spent_for(headers, now)
        if seconds is not None:
            self._until[_bucket(path)] = now + timedelta(seconds=seconds)

    def wait_for(self, path: str, now: datetime) -> float:
        """Seconds until `path` may be asked; 0 where it may be now."""
        until = self._until.get(_bucket(path))
        return max(0.0, (until - now).total_seconds()) if until else 0.0


def _spent_for(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until a spent bucket starts afresh; None where something is left, or nobody says."""
    if window := _WINDOW.search(headers.get("ratelimit", "")[:200]):
        return float(window[1]) + 1
    if headers.get("x-ratelimit-remaining", "").strip() != "0":
        return None
    reset = headers.get("x-ratelimit-reset", "").strip()
    if not (reset.isascii() and reset.isdigit() and len(reset) <= 12):
        return None
    return max(1.0, int(reset) - now.timestamp() + 1)


def _bucket(path: str) -> str:
    first = path.strip("/").partition("/")[0]
    return first if first in ("search", "graphql") else "core"


def _retry_after(value: str, now: datetime) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or an HTTP date."""
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
