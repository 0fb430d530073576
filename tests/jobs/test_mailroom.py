"""Every kind of service mail leaves the house with links that open, on both engines."""

import asyncio
import email
import email.policy
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import text

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.mail.return_path import Returned, ReturnPaths
from app.core.settings import load_settings
from app.core.signing import Purpose, opaque_reference
from app.jobs.mailroom import Mailroom
from app.main import create_app
from app.stages.audience import pending
from app.stages.audience.consent import REMINDER, WELCOME
from app.store import subscribers, transactional
from tests.people import NOON, add_reader
from tests.providers.smtp_server import SmtpServer


@pytest.fixture
async def container(database_url: str, clock: FixedClock) -> AsyncIterator[Container]:
    made = build(load_settings(database_url=database_url, secret_keys="k" * 40), clock)
    yield made
    await made.close()


async def post(container: Container) -> dict[str, str]:
    """Hands over what is owed; gives the plain text of every mail in the outbox by its subject."""
    await Mailroom(container, "test", asyncio.Event()).post()
    found = {}
    for path in Path("var/outbox/new").glob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        part = mail.get_body(("plain",))
        assert part is not None
        found[str(mail["Subject"])] = str(part.get_content())
    return found


async def owe(container: Container, kind: str, reader: int, parameters: dict[str, str]) -> None:
    async with container.db.write() as session:
        await transactional.owe(
            session,
            kind=kind,
            subscriber_id=reader,
            ref=f"{kind}-of-tests",
            parameters=parameters,
            now=NOON,
            until=NOON + timedelta(days=1),
        )


async def test_the_welcome_has_the_hour_the_latest_paper_and_both_links(container: Container) -> None:
    """Each link is signed for its own purpose."""
    reader = await add_reader(container.db, "ada@example.org", zone="Europe/Berlin")
    await owe(container, WELCOME, reader, {"edition": "2026-11-23"})
    words = (await post(container))["You are in: The AI Morning Post"]
    assert "The first paper comes on Tuesday at 06:30, Berlin time." in words
    assert "http://localhost:8000/editions/2026-11-23" in words
    async with container.db.read() as session:
        row = await subscribers.get(session, reader)
    assert row is not None
    for purpose, path in ((Purpose.UNSUBSCRIBE, "unsubscribe"), (Purpose.PREFERENCES, "preferences")):
        link = re.search(rf"http://localhost:8000/{path}/(\S+)", words)
        assert link is not None
        assert container.signer.read(purpose, link[1], NOON) == row.ref


async def test_the_welcome_names_the_day_of_a_reader_who_comes_back_for_saturdays(container: Container) -> None:
    """Whoever left with a weekly paper and signed up again still has it: not tomorrow, Saturday."""
    reader = await add_reader(container.db, "ada@example.org")
    async with container.db.write() as session:
        await session.execute(text("UPDATE subscribers SET frequency = 'weekly'"))
    await owe(container, WELCOME, reader, {})
    words = (await post(container))["You are in: The AI Morning Post"]
    assert "The first paper comes on Saturday at 06:30, UTC." in words


async def test_the_reminder_has_a_link_of_its_own(container: Container) -> None:
    """It opens the page of the reader who was reminded."""
    reader = await add_reader(container.db, "ada@example.org", confirmed_at=None)
    await owe(container, REMINDER, reader, {})
    words = (await post(container))["Still to confirm: your subscription to The AI Morning Post"]
    link = re.search(r"http://localhost:8000/confirm/(\S+)", words)
    assert link is not None
    assert container.signer.read(Purpose.CONFIRM, link[1], NOON) == "reminder-of-tests"
    async with container.db.write() as session:
        assert await pending.refuse(session, container.signer, container.suppressor, link[1], NOON)


async def test_a_kind_nobody_can_write_is_put_off_and_stops_no_other(container: Container) -> None:
    """It is tried again later, within its expiry; the mail beside it goes out."""
    reader = await add_reader(container.db, "ada@example.org")
    await owe(container, "telegram", reader, {})
    await owe(container, WELCOME, reader, {})
    assert list(await post(container)) == ["You are in: The AI Morning Post"]
    async with container.db.read() as session:
        odd = await transactional.find_ref(session, "telegram-of-tests")
    assert odd is not None
    assert (odd.status.value, odd.code) == ("queued", "unmade")


async def test_the_confirmation_holds_nothing_that_was_typed(container: Container) -> None:
    """Whoever signs a stranger up cannot put a word of theirs into the stranger's mail, in no part and no header."""
    words = {"source": "SOURCEWORD", "utm_campaign": "UTMWORD", "first_name": "NAMEWORD", "placement": "placeword"}
    async with AsyncClient(transport=ASGITransport(create_app(container)), base_url="http://localhost:8000") as client:
        asked = await client.post("/subscribe", json={"email": "ada@example.org", **words})
        assert asked.status_code == 202
    assert list(await post(container)) == ["Confirm your subscription to The AI Morning Post"]
    (path,) = Path("var/outbox/new").glob("*.eml")
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    whole = f"{mail.items()}" + "".join(str(part.get_content()) for part in mail.walk() if not part.is_multipart())
    assert "/confirm/" in whole
    for word in words.values():
        assert word.lower() not in whole.lower()


async def test_service_mail_has_a_return_path_of_its_own(database_url: str, clock: FixedClock) -> None:
    """Where RETURN_PATH_DOMAIN is set, as a mail server sees it."""
    server, ref = SmtpServer(), opaque_reference()
    await server.start()
    settings = load_settings(
        database_url=database_url,
        secret_keys="k" * 40,
        return_path_domain="bounces.paper.example",
        providers=f"smtp://127.0.0.1:{server.port}?tls=none",
        allowed_recipients="example.org",
    )
    made = build(settings, clock)
    reader = await add_reader(made.db, "ada@example.org")
    async with made.db.write() as session:
        until = NOON + timedelta(days=1)
        await transactional.owe(
            session, kind=WELCOME, subscriber_id=reader, ref=ref, parameters={}, now=NOON, until=until
        )
    await Mailroom(made, "test", asyncio.Event()).post()
    await made.close()
    await server.stop()
    (mail,) = server.received
    assert ReturnPaths(made.signer, "bounces.paper.example", "").read(mail.sender) == Returned(None, ref)
