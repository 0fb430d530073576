"""Answers that go on: server-sent events (HTML Living Standard, section 9.2), one a second."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi.responses import StreamingResponse

from app.models.states import EditionStatus
from app.stages.send.watch import ENDED
from app.web.api.shapes import Progress

EVERY = 1.0
LONGEST = 900
"""Events of one answer: a reader who is still there asks again, as EventSource does by itself."""
_HEADERS = {
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",  # nginx would keep the events until there is a bufferful
}


def stream(
    first: Progress, again: Callable[[], Awaitable[Progress]], still_allowed: Callable[[], Awaitable[bool]]
) -> StreamingResponse:
    """`first`, then what `again` gives each second, until the edition has ended or the key that asked is revoked."""
    return StreamingResponse(_events(first, again, still_allowed), media_type="text/event-stream", headers=_HEADERS)


async def _events(
    first: Progress, again: Callable[[], Awaitable[Progress]], still_allowed: Callable[[], Awaitable[bool]]
) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    now = first
    for _ in range(LONGEST):
        yield f"event: progress\ndata: {now.model_dump_json()}\n\n"
        if _ended(now.status):
            yield "event: end\ndata: {}\n\n"
            return
        await asyncio.sleep(EVERY)
        if not await still_allowed():
            return
        now = await again()


def _ended(status: EditionStatus) -> bool:
    return status in ENDED
