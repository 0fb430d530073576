"""Which event loop the long-lived processes run on."""

import asyncio
from importlib.machinery import ModuleSpec

import pytest
import uvloop

from app.core import loop


async def _which() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_where_uvloop_is_installed_it_is_used() -> None:
    assert isinstance(loop.run(_which()), uvloop.Loop)


def test_where_it_is_not_asyncios_own_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> ModuleSpec | None:
        assert name == "uvloop"
        return None

    monkeypatch.setattr(loop, "find_spec", none)
    assert isinstance(loop.run(_which()), asyncio.SelectorEventLoop)
