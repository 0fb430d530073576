"""Operators are written to when a clock is wrong: a machine's, or the one that decides."""

import asyncio
import email
import email.policy
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from app.bootstrap import Container, build
from app.core.clock import CONFIRM_AFTER
from app.core.settings import load_settings
from app.jobs.mailroom import Mailroom
from tests.conftest import NOON
from tests.machine import Machine


@pytest.fixture
def machine() -> Machine:
    return Machine(NOON)


@pytest.fixture
async def container(database_url: str, machine: Machine) -> AsyncIterator[Container]:
    settings = load_settings(database_url=database_url, secret_keys="k" * 40, operator_emails="ada@example.org")
    made = build(settings, machine.clock())
    await made.watch.start()
    yield made
    await made.close()


async def letters(container: Container) -> list[EmailMessage]:
    """Hands over what is owed; gives every mail in the outbox so far."""
    await Mailroom(container, "test", asyncio.Event()).post()
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted(Path("var/outbox/new").glob("*.eml"))
    ]


async def test_a_machine_that_is_off_is_named(container: Container, machine: Machine) -> None:
    """With what its clock said, and that nothing else is wrong. On PostgreSQL, where the database's clock decides."""
    if container.db.is_sqlite:
        pytest.skip("on SQLite the machine's clock is the one that decides")
    for off in (timedelta(hours=30), timedelta(hours=-7)):
        machine.wall = container.clock.now() + off
        await container.watch.look()
        machine.monotonic += 30
    (letter,) = await letters(container)
    assert letter["Subject"] == f"The clock of {socket.gethostname()} is wrong by 30 hours"
    words = str(letter.get_content())
    assert "30 hours ahead of the database's" in words
    assert "Nothing needs to be started again." in words


async def test_a_jump_is_told_once(container: Container, machine: Machine) -> None:
    """Also while it is not confirmed: service mail goes on. On SQLite, where the machine's clock can be set here."""
    if not container.db.is_sqlite:
        pytest.skip("the database's clock cannot be set")
    machine.wall -= timedelta(days=3)
    await container.watch.look()
    (letter,) = await letters(container)
    assert letter["Subject"] == "The clock jumped by 3 days"
    words = str(letter.get_content())
    assert f"The clock of {socket.gethostname()} said 2026-11-20 12:00 UTC, 3 days behind the time" in words
    assert "morningpost clock confirm" in words
    machine.wait(seconds=CONFIRM_AFTER)
    await container.watch.look()
    assert container.clock.now() == machine.wall
    assert len(await letters(container)) == 1
