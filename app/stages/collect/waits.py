"""How long a source asks us to wait, from its answer's headers. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
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
    if window := _WINDOW.search(headers.get("ratelimit", "")):
        return float(window[1]) + 1
    reset = headers.get("x-ratelimit-reset", "").strip()
    if spent and reset.isascii() and reset.isdigit() and len(reset) <= 12:
        return max(1.0, int(reset) - now.timestamp() + 1)
    return UNSAID


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
