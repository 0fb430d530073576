"""Mail scanners open every link, ask for its head and its options: nothing may change. Real mails, real links."""

import asyncio
import re
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape

from httpx import AsyncClient

from app.bootstrap import Container
from app.core.clock import FixedClock
from app.core.settings import VAR
from app.jobs.mailroom import Mailroom
from app.models.states import EditionStatus
from app.stages.render import freeze
from app.stages.send import release
from app.store import editions

from . import sample
from .conftest import SITE, Readers

LOOKING = ("GET", "HEAD", "OPTIONS")
OTHERS = ["/", "/editions", "/subscribe", "/qr.svg", "/qr.png", "/docs", "/openapi.json", "/healthz", "/readyz"]


def received() -> list[EmailMessage]:
    """Every mail in the outbox."""
    files = (VAR / "outbox" / "new").glob("*.eml")
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in sorted(files)]


def links(mail: EmailMessage) -> set[str]:
    """Every address of our site in a mail, wherever it stands: headers, text, HTML."""
    parts = [unescape(str(part.get_content())) for part in mail.walk() if part.get_content_maintype() == "text"]
    everything = "\n".join([*parts, *map(str, mail.values())])
    return {found.removeprefix(SITE) or "/" for found in re.findall(rf"{SITE}[^\s\"'<>)]*", everything)}


async def look(client: AsyncClient, paths: list[str]) -> None:
    """Every way to look, twice. The link that confirmed somebody who has left since has run out."""
    for path in paths * 2:
        for method in LOOKING:
            answer = await client.request(method, path, headers={"user-agent": "Scanner"})
            expected = (405,) if method == "OPTIONS" or path == "/subscribe" else (200, 410)
            assert answer.status_code in expected, (method, path)


async def print_and_send(container: Container, clock: FixedClock) -> None:
    """A minute later, freezes today's edition and hands it to everybody who is in."""
    clock.move(clock.now() + timedelta(minutes=1))
    await sample.publish(container.db, sample.content(), EditionStatus.READY)
    async with container.db.read() as session:
        edition = await editions.of_day(session, sample.TODAY)
    assert edition is not None
    await freeze.freeze(container.db, edition.id, container.settings.publication, clock.now())
    await release.send_now(container.db, edition.id, container.settings, clock.now())
    await Mailroom(container, "test", asyncio.Event()).papers()


async def test_looking_changes_nothing(readers: Readers, container: Container, clock: FixedClock) -> None:
    """Each link of each mail: to one who waits, one who reads, and one who has left; and every other page."""
    for who in ("waiting", "reading", "gone"):
        await readers.ask(f"{who}@example.org")
    await Mailroom(container, "test", asyncio.Event()).post()
    for who in ("reading", "gone"):
        await readers.join(f"{who}@example.org")
    await print_and_send(container, clock)
    await readers.client.post(f"/unsubscribe/{await readers.leaving('gone@example.org')}")

    mails = received()
    assert len(mails) == 5
    found = sorted(set().union(*(links(mail) for mail in mails)))
    assert len([path for path in found if path.startswith("/confirm/")]) == 3
    assert len([path for path in found if path.startswith("/unsubscribe/")]) == 2
    assert len([path for path in found if path.startswith("/preferences/")]) == 2
    assert [path for path in found if path.startswith("/editions/")]
    before = await readers.everything()
    await look(readers.client, found + OTHERS)
    assert await readers.everything() == before
    statuses = [await readers.status(f"{who}@example.org") for who in ("waiting", "reading", "gone")]
    assert statuses == ["pending", "active", "left"]


async def test_the_button_of_a_mail_program_works_from_the_header_that_was_sent(
    readers: Readers, container: Container, clock: FixedClock
) -> None:
    """RFC 8058: the URI of List-Unsubscribe, posted to with the body that List-Unsubscribe-Post names."""
    await readers.join()
    await print_and_send(container, clock)
    (mail,) = [mail for mail in received() if mail["List-Unsubscribe"]]
    uri = str(mail["List-Unsubscribe"]).strip("<>")
    name, _, value = str(mail["List-Unsubscribe-Post"]).partition("=")
    answer = await readers.client.post(uri, data={name: value})
    assert answer.status_code == 200
    assert await readers.status() == "left"


async def test_the_page_of_a_sent_edition_is_the_paper_with_nobodys_links(
    readers: Readers, container: Container, clock: FixedClock
) -> None:
    """The stored page, at the address the mail names: its lead is there, no address, no token, no script."""
    await readers.join()
    await print_and_send(container, clock)
    (mail,) = [mail for mail in received() if mail["List-Unsubscribe"]]
    (path,) = [path for path in links(mail) if path.startswith("/editions/")]
    page = await readers.client.get(path)
    assert page.status_code == 200
    assert "The archive that learnt to say where it looked" in page.text
    for personal in ("ada@example.org", "/unsubscribe/", "/preferences/", "<script", "<form"):
        assert personal not in page.text
