"""Limits on what is read of a request before its body: the request line and each header."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.language import say
from app.web.answers import answer

LONGEST_TARGET = 8_000
"""Bytes of path and query. The longest link of ours has some 300."""
LONGEST_HEADER = 8_192
"""Bytes of a header's name and value."""
MOST_HEADERS = 100

_TARGET = say("The address of the page is longer than any of ours.")
_HEADER = say("Your browser sent more about itself than we read. Clearing the cookies of this site may help.")


class HeadLimit:
    """Answers 414 to a request line that is too long and 431 to a header that is, or to too many."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if len(name) + len(value) <= LONGEST_HEADER]
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_TARGET:
            refusal = (414, _TARGET)
        elif len(headers) < len(scope["headers"]) or len(headers) > MOST_HEADERS:
            refusal = (431, _HEADER)
        else:
            await self.app(scope, receive, send)
            return
        # Nothing that is too long is looked at, also not by the answer.
        short = {"headers": headers[:MOST_HEADERS], "path": scope["path"][:200], "raw_path": b"", "query_string": b""}
        response = answer(Request({**scope, **short}), *refusal, headers={"connection": "close"})
        await response(scope, receive, send)
