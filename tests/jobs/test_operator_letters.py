"""Operators are written to when an edition is held, on both engines."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import text

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.db import Session
from app.core.settings import load_settings
from app.jobs import tasks
from app.jobs.mailroom import Mailroom
from app.models import Edition
from app.models.content import Section
from app.models.states import EditionStatus
from app.stages.compose import edit
from app.stages.compose.edit import Hand
from app.stages.render import freeze
from app.store import editions, leases, operator_mail
from tests.people import add_reader
from tests.stages.collect.standin import closed_port
from tests.stages.compose.test_candidates import gathered, write
from tests.stages.send.test_shard import Known

FIVE = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


@pytest.fixture
async def container(database_url: str, clock: FixedClock) -> AsyncIterator[Container]:
    nobody = closed_port()
    made = build(
        load_settings(
            database_url=database_url,
            secret_keys="k" * 40,
            huggingface_url=nobody,
            github_url=nobody,
            operator_emails="ada@example.org ben@example.org",
        ),
        clock,
    )
    clock.move(FIVE)
    yield made
    await made.close()


async def post(container: Container, owner: str = "a") -> list[EmailMessage]:
    """Hands over what is owed; gives every mail in the outbox so far."""
    await Mailroom(container, owner, asyncio.Event()).post()
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted(Path("var/outbox/new").glob("*.eml"))
    ]


async def test_a_morning_without_a_lead_is_told_to_every_operator_once(container: Container, clock: FixedClock) -> None:
    """Which edition, why, what to do, and what could lead; ticks that come again write nothing more."""
    await gathered(container.db)
    for owner in ("a", "b"):
        await tasks.compose(container, owner)
    letters = await post(container)
    assert sorted(str(one["To"]) for one in letters) == ["ada@example.org", "ben@example.org"]
    letter = letters[0]
    assert letter["Subject"] == "Held: the paper of Monday, 23 November 2026"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Unsubscribe"] is None
    words = str(letter.get_content())
    assert "There is no lead story to print." in words
    assert "morningpost compose --date 2026-11-23" in words
    assert "1  A tool that was found" in words
    clock.move(FIVE + timedelta(minutes=10))
    await tasks.compose(container, "a")
    assert len(await post(container)) == 2


async def test_a_letter_that_a_dead_worker_began_comes_again_with_the_same_message_id(
    container: Container, clock: FixedClock
) -> None:
    """Nobody is left untold: after a rest it is sent by the next owner of the stream."""
    await tasks.compose(container, "a")
    async with container.db.write() as session:
        epoch = await leases.take_slot(session, "operator mail", "stream", "dead", clock.now())
        assert epoch is not None
        begun = await operator_mail.begin(session, provider="outbox", epoch=epoch, most=1, now=clock.now())
        await leases.give_back_slot(session, "operator mail", "stream", epoch)
    assert len(await post(container)) == 1
    clock.move(FIVE + timedelta(minutes=30))
    letters = await post(container)
    assert len(letters) == 2
    assert begun[0].ref in {str(one["Message-ID"]).strip("<>").partition("@")[0] for one in letters}


async def test_a_letter_that_a_dead_worker_never_wrote_comes_at_once(container: Container, clock: FixedClock) -> None:
    """Of two that it began, the one that it had written waits."""
    await tasks.compose(container, "a")
    async with container.db.write() as session:
        epoch = await leases.take_slot(session, "operator mail", "stream", "dead", clock.now())
        assert epoch is not None
        first, _ = await operator_mail.begin(session, provider="outbox", epoch=epoch, most=2, now=clock.now())
        await session.execute(text("UPDATE job_runs SET lease_until = 0"))
    known = Known("dead", f"operator mail-{epoch}", (first.id, first.attempt))
    await Mailroom(container, "b", asyncio.Event(), journal=known).post()
    assert known.asked == [("dead", f"operator mail-{epoch}")]
    (letter,) = await post(container)
    assert letter["To"] != first.address
    clock.move(FIVE + timedelta(minutes=30))
    assert len(await post(container)) == 2


async def test_a_letter_is_not_news_for_ever(container: Container, clock: FixedClock) -> None:
    """A day later nothing is handed over any more."""
    await tasks.compose(container, "a")
    clock.move(FIVE + timedelta(hours=25))
    assert await post(container) == []


async def today(container: Container) -> Edition:
    async with container.db.read() as session:
        edition = await editions.of_day(session, FIVE.date())
    assert edition is not None
    return edition


async def nothing(_: Session, __: Edition) -> None:
    """No audit line."""


async def test_an_edition_that_lint_holds_is_told_once_and_once_more_when_it_was_let_go_in_vain(
    container: Container, clock: FixedClock
) -> None:
    """`unhold` tries again; what is still wrong holds it again, and only `force` freezes it."""
    await write(container.db, Section.LEAD, "The headline that says {{ title }}")
    await write(container.db, Section.TOOLS, "An awl")
    await tasks.compose(container, "a")
    clock.move(FIVE + timedelta(minutes=30))
    for _ in range(3):
        await tasks.freeze(container, "a")
    assert (await today(container)).status is EditionStatus.HELD
    letters = await post(container)
    assert sorted(str(one["To"]) for one in letters) == ["ada@example.org", "ben@example.org"]
    words = str(letters[0].get_content())
    assert "morningpost editions lint 2026-11-23" in words
    assert "freeze?force=true" in words
    assert "Candidates" not in words

    let_go = await edit.unhold(container.db, (await today(container)).id, Hand(clock.now(), nothing))
    assert let_go.status is EditionStatus.READY
    await tasks.freeze(container, "a")
    again = await today(container)
    assert again.status is EditionStatus.HELD
    assert again.holds == 2
    assert len(await post(container)) == 4
    await freeze.freeze(container.db, again.id, container.settings.publication, clock.now(), force=True)
    assert (await today(container)).status is EditionStatus.FROZEN
    assert len(await post(container)) == 4


async def test_a_cause_that_is_gone_lets_an_unheld_edition_be_frozen(container: Container, clock: FixedClock) -> None:
    """Held for its subject, which an operator mends: lint finds nothing more."""
    await write(container.db, Section.LEAD, "Re: what was said yesterday in the press room")
    await write(container.db, Section.TOOLS, "An awl")
    await tasks.compose(container, "a")
    clock.move(FIVE + timedelta(minutes=30))
    await tasks.freeze(container, "a")
    held = await today(container)
    assert held.status is EditionStatus.HELD
    hand = Hand(clock.now(), nothing, frozenset({held.version}))
    await edit.change(container.db, held.id, edit.Changes(subject="What was said in the press room"), hand)
    await tasks.freeze(container, "a")
    assert (await today(container)).status is EditionStatus.FROZEN


async def test_a_day_with_nothing_to_print_sends_nothing(container: Container, clock: FixedClock) -> None:
    """From the morning until the next one: the operators hear of it, the reader has no mail at all."""
    await add_reader(container.db, "reader@example.org")
    planned: dict[int, datetime] = {}
    for hours in range(0, 24, 2):
        clock.move(FIVE + timedelta(hours=hours))
        for job in (tasks.compose, tasks.freeze):
            await job(container, "a")
        await tasks.let_go(container, planned)
        await tasks.sweep(container, "a")
        await Mailroom(container, "a", asyncio.Event()).papers()
    assert {str(one["To"]) for one in await post(container)} == {"ada@example.org", "ben@example.org"}
    async with container.db.read() as session:
        edition = await editions.of_day(session, FIVE.date())
    assert edition is not None
    assert (edition.status, edition.reason) == (EditionStatus.HELD, "There is no lead story to print.")
