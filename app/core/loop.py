"""The event loop that the long-lived processes run on: uvloop's where it is installed, else asyncio's own."""

import asyncio
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from typing import Any, TypeVar

T = TypeVar("T")


def factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes a loop, for `asyncio.Runner`; None leaves that to asyncio."""
    if find_spec("uvloop") is None:
        return None
    import uvloop  # noqa: PLC0415  # only for whoever asks

    return uvloop.new_event_loop


def run(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` on the fastest loop at hand."""
    with asyncio.Runner(loop_factory=factory()) as runner:
        return runner.run(main)
