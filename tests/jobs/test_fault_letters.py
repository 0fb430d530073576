"""Operators are written to when a provider refuses us, on both engines."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.mail.receipt import Halt
from app.core.settings import load_settings
from app.jobs.mailroom import Mailroom
from app.models.states import EditionStatus
from app.stages.audience.consent import CONFIRMATION
from app.stages.send import control, release, shard
from app.stages.send.ways import Way
from app.store import editions, transactional
from tests.people import NOON, SIGNER, add_edition, add_reader, add_readers
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import template_for

POLICY = Halt("the mail server refuses us, whoever the reader is: 550 5.7.26 unauthenticated", "5.7.26")


@pytest.fixture
async def container(database_url: str, clock: FixedClock) -> AsyncIterator[Container]:
    made = build(
        load_settings(
            database_url=database_url, secret_keys="k" * 40, operator_emails="ada@example.org ben@example.org"
        ),
        clock,
    )
    yield made
    await made.close()


async def letters(container: Container) -> list[EmailMessage]:
    """Hands over what is owed; gives every mail in the outbox so far."""
    await Mailroom(container, "test", asyncio.Event()).post()
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted(Path("var/outbox/new").glob("*.eml"))
    ]


async def send(container: Container) -> None:
    await shard.send_due(
        container.db,
        Way(Scripted(lambda _: POLICY, connections=1)),
        settings=container.settings,
        signer=SIGNER,
        clock=container.clock,
        template_for=template_for,
        owner="worker",
        stop=asyncio.Event(),
    )


async def test_a_paused_edition_is_told_to_every_operator_once(container: Container, clock: FixedClock) -> None:
    """Why, and how it goes on. Resumed too early it is paused again, and nobody is told twice that day."""
    await add_readers(container.db, 3)
    edition = await add_edition(container.db)
    await release.send_now(container.db, edition.id, container.settings, NOON)
    await send(container)
    found = await letters(container)
    assert sorted(str(one["To"]) for one in found) == ["ada@example.org", "ben@example.org"]
    assert found[0]["Subject"] == "Paused: the edition of Monday, 23 November 2026"
    words = str(found[0].get_content())
    assert "550 5.7.26 unauthenticated" in words
    assert f"/api/v1/editions/{edition.id}/resume" in words
    assert "morningpost providers check scripted" in words
    assert "morningpost editions resume 2026-11-23" in words
    async with container.db.write() as session:
        await control.resume(session, edition.id)
    clock.move(NOON + timedelta(minutes=5))
    await send(container)
    async with container.db.read() as session:
        paused = await editions.get(session, edition.id)
    assert paused is not None
    assert paused.status is EditionStatus.PAUSED
    assert len(await letters(container)) == 2


async def test_service_mail_that_waits_is_told_too(container: Container, clock: FixedClock) -> None:
    """The provider's words, and how to see whether it is mended."""
    reader = await add_reader(container.db, "carol@example.org", confirmed_at=None)
    async with container.db.write() as session:
        await transactional.owe(
            session,
            kind=CONFIRMATION,
            subscriber_id=reader,
            ref="a-confirmation",
            parameters={},
            now=NOON,
            until=NOON + timedelta(days=1),
        )
    refusing = replace(container, providers=(Scripted(lambda _: POLICY, connections=1),))
    await Mailroom(refusing, "test", asyncio.Event()).post()
    clock.move(NOON + timedelta(minutes=2))
    found = await letters(container)
    subjects = sorted(str(one["Subject"]) for one in found)
    assert subjects.count("Service mail waits: scripted refuses us") == 2
    assert len(subjects) == 3
