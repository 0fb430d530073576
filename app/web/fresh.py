"""Answers that a cache may ask about: an ETag, and 304 where the asker has it already (RFC 9110 section 13)."""

import hashlib
import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import Headers

FOR_GOOD = "public, max-age=31536000, immutable"
"""Cache-Control of an address that names its content by a hash."""
ANYWHERE = {"access-control-allow-origin": "*"}
"""Public data without a cookie or a name in it: the script of any page may read it."""
_TAG = re.compile(r'(?:W/)?("[^"]*")')
_OF_THE_BODY = ("content-length", "content-type")


def revalidated(request: Request, made: Response, modified: datetime | None = None) -> Response:
    """`made` with an ETag of its body and, where that is known, the time it last changed; or 304 in its place.

    A 304 carries the other headers of the answer, for a cache puts them over those it has kept: without its own
    Content-Security-Policy a stored page would get the stricter one of the site.
    """
    body = bytes(made.body)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    made.headers["etag"] = tag
    if modified is not None:
        modified = modified.astimezone(UTC).replace(microsecond=0)
        made.headers["last-modified"] = format_datetime(modified, usegmt=True)
    if not _has(request.headers, tag, modified):
        return made
    kept = {name: value for name, value in made.headers.items() if name not in _OF_THE_BODY}
    return Response(status_code=304, headers=kept)


def _has(headers: Headers, tag: str, modified: datetime | None) -> bool:
    """Does the asker hold what we would send? If-None-Match wins over If-Modified-Since (section 13.2.2)."""
    named = headers.get("if-none-match")
    if named is not None:
        return named.strip() == "*" or tag in _TAG.findall(named)
    since = _instant(headers.get("if-modified-since", ""))
    return modified is not None and since is not None and modified <= since


def _instant(said: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(said)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
