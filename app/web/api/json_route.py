"""Routes that take JSON and nothing else."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from app.web.fields import media_type


class JsonRoute(APIRoute):
    """Answers 415 (RFC 9110 section 15.5.16) where a body is taken and one of another kind is sent."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own handler, behind the look at the body's kind."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def looked_at(request: Request) -> Response:
            kind = media_type(request)
            sent = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
            if sent and kind != "application/json":
                raise HTTPException(415, "Send the body as application/json.")
            try:
                (await request.body()).decode()
            except UnicodeDecodeError:
                raise HTTPException(400, "The body is not in UTF-8.") from None
            return await handle(request)

        return looked_at
