"""Work beside the event loop, on a thread of its own: asyncio's own threads may all be waiting for DNS or a disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_thread = ThreadPoolExecutor(1, thread_name_prefix="beside")


async def beside(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """What `work` gives; one piece of work at a time, in the caller's context."""
    does = partial(copy_context().run, work, *given, **named)
    return await asyncio.get_running_loop().run_in_executor(_thread, does)
