"""A real server's access log names pages, and neither tokens nor addresses."""

import asyncio
import logging
import socket
from collections.abc import Iterator

import pytest
import structlog
import uvicorn
from fastapi import FastAPI
from httpx import AsyncClient

from app.core import log

from .conftest import Readers


@pytest.fixture
def _own_logging() -> Iterator[None]:
    """Puts logging back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_own_logging")
async def test_tokens_and_addresses_stay_out_of_the_access_log(
    readers: Readers, app: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    token, leaving = await readers.ask(), await readers.leaving()
    log.configure("json")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        async with AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            await client.get(f"/confirm/{token}?from=mail")
            await client.get(f"/unsubscribe/{leaving}")
            await client.post(f"/confirm/{token}x")
            await client.post("/subscribe?email=ada%40example.org", data={"email": "grace@example.org"})
        server.should_exit = True
        await running
    written = capsys.readouterr().err
    assert "GET /confirm/***" in written
    assert "GET /unsubscribe/***" in written
    assert "POST /subscribe" in written
    for secret in (token, leaving, token[:12], "ada@example.org", "ada%40example.org", "grace"):
        assert secret not in written
