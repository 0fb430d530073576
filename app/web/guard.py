"""Plain ASGI layers around every route: headers that protect the reader, where we live, a limit on what is read."""

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SITE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": SITE_POLICY,
    # Links carry tokens, so no page of ours tells another site where its reader came from.
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""For every answer that does not set its own. Strict by default: a forgotten page leaks nothing."""


def protect(headers: MutableHeaders) -> None:
    """Adds what an answer has not set itself."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)


class ProtectiveHeaders:
    """Puts `HEADERS` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                protect(MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)


class BelowPath:
    """Says that the site lives below `path`, as PUBLIC_URL ends; puts back what a proxy took off (ASGI: `path`
    begins with `root_path`).

    Slashes at the end of an address change nothing: it is answered as without them, by no redirect, which would turn
    a mail program's one-click POST into nothing (RFC 8058 section 3.1).
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self.app = app
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if self.path:
                scope["root_path"] = self.path
                if not f"{scope['path']}/".startswith(f"{self.path}/"):
                    scope["path"] = self.path + scope["path"]
            bare = scope["path"].rstrip("/")
            scope["path"] = f"{self.path}/" if bare == self.path else bare
        await self.app(scope, receive, send)


class BodyLimit:
    """Refuses bodies longer than `most` bytes, or `api_most` below /api, before they fill memory.

    It raises from `receive`, inside the application, so that the refusal is answered like every other error.
    """

    def __init__(self, app: ASGIApp, *, most: int = 16_384, api_most: int = 1_048_576) -> None:
        self.app = app
        self.most = most
        self.api_most = api_most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        left = self.api_most if path.startswith("/api/") else self.most
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > left:
            left = -1

        async def counted() -> Message:
            nonlocal left
            if left < 0:
                raise _too_long()
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise _too_long()
            return message

        await self.app(scope, counted, send)


def _too_long() -> HTTPException:
    return HTTPException(413, "That is longer than anything we read.", {"connection": "close"})
