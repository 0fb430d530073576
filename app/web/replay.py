"""Requests that lost against another transaction are carried out again, where nothing of them was kept."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.contention import TRIES, pause
from app.core.errors import StorageContention

_ONE_TRANSACTION, _TRIES_LEFT = "one_transaction", "tries_left"


def allow(request: Request) -> None:
    """Says that the request's whole effect is one transaction: without it nothing is carried out twice."""
    request.scope["state"][_ONE_TRANSACTION] = True


def is_wanted(request: Request) -> bool:
    """May the request be carried out again, instead of being answered that it failed?"""
    state = request.scope["state"]
    return bool(state.get(_ONE_TRANSACTION)) and state.get(_TRIES_LEFT, 0) > 0


class Replay:
    """Calls the application again after a StorageContention, with the same body, `TRIES` times in all.

    The application raises it only where `is_wanted` and no answer has begun (web/errors). `request.state` is kept
    from one try to the next; the rest of the scope begins anew. Stands below `BodyLimit`, so what it keeps is bounded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        received: list[Message] = []
        for tried in range(1, TRIES + 1):
            state[_TRIES_LEFT] = TRIES - tried
            try:
                await self.app(dict(scope), _again(received, receive), send)
            except StorageContention:
                await pause(tried)
            else:
                return


def _again(received: list[Message], receive: Receive) -> Receive:
    """Gives what was `received` before from its beginning, then what comes, which it adds."""
    given = 0

    async def next_message() -> Message:
        nonlocal given
        if given == len(received):
            received.append(await receive())
        given += 1
        return received[given - 1]

    return next_message
