"""The link in the confirmation mail."""

from datetime import UTC, datetime, timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from app.bootstrap import Container
from app.core.clock import FixedClock
from app.core.signing import Purpose
from app.models import Consent, TransactionalEmail
from app.stages.audience import pending
from app.store import counters, suppressions

from . import sample
from .conftest import Readers


async def test_the_link_shows_a_page_with_one_button_and_changes_nothing(readers: Readers) -> None:
    token = await readers.ask()
    before = await readers.everything()
    page = await readers.client.get(f"/confirm/{token}")
    assert page.status_code == 200
    assert "Shall we deliver?" in page.text
    assert page.text.count('<form method="post">') == page.text.count('<button class="button" type="submit">') == 1
    assert "I did not ask for this" in page.text
    assert "ada@example.org" not in page.text
    assert "a***@example.org" in page.text
    assert await readers.everything() == before


async def test_pressing_the_button_makes_the_reader_active_and_writes_the_consent(
    readers: Readers, container: Container
) -> None:
    token = await readers.ask(timezone="America/New_York")
    page = await readers.client.post(f"/confirm/{token}", headers={"user-agent": "Browser 1.0"})
    assert page.status_code == 200
    assert "You’re in." in page.text
    # noon in London is 07:00 in New York: this morning's paper is past, so Tuesday's is the first
    assert "on Tuesday at 06:30, New York time" in page.text
    assert await readers.status() == "active"
    async with container.db.read() as session:
        confirmed = (await session.scalars(select(Consent).where(Consent.act == "confirmed"))).one()
    assert (confirmed.method, confirmed.user_agent) == ("link", "Browser 1.0")
    assert "set-cookie" not in page.headers


@pytest.mark.parametrize(
    ("now", "comes"),
    [
        (datetime(2026, 11, 23, 6, 29, tzinfo=UTC), "on Monday at 06:30, London time"),
        (datetime(2026, 11, 23, 6, 30, tzinfo=UTC), "on Tuesday at 06:30, London time"),
        (datetime(2026, 11, 23, 5, 29, tzinfo=UTC), "on Monday at 06:30, London time"),
        (datetime(2026, 7, 31, 23, 30, tzinfo=UTC), "on Saturday at 06:30, London time"),
    ],
)
async def test_the_page_names_the_first_paper_that_can_still_come(
    readers: Readers, clock: FixedClock, now: datetime, comes: str
) -> None:
    clock.move(now)
    page = await readers.client.post(f"/confirm/{await readers.ask()}")
    assert comes in page.text


async def test_pressing_twice_is_pressing_once(readers: Readers, container: Container) -> None:
    token = await readers.ask()
    await readers.client.post(f"/confirm/{token}")
    again = await readers.client.post(f"/confirm/{token}")
    assert again.status_code == 200
    assert "You were in already" in again.text
    assert "You’re in." in (await readers.client.get(f"/confirm/{token}")).text
    async with container.db.read() as session:
        assert len((await session.scalars(select(Consent).where(Consent.act == "confirmed"))).all()) == 1


async def test_an_old_link_does_not_end_a_rest(readers: Readers, container: Container) -> None:
    token = await readers.ask()
    await readers.client.post(f"/confirm/{token}")
    rest = {"action": "pause", "until": "2026-12-07"}
    await readers.client.post(f"/preferences/{await readers.preferences()}", data=rest)
    assert "Shall we deliver?" not in (await readers.client.get(f"/confirm/{token}")).text
    assert (await readers.client.post(f"/confirm/{token}")).status_code == 200
    assert await readers.status() == "paused"
    async with container.db.read() as session:
        kinds = await session.scalars(select(TransactionalEmail.kind))
    assert sorted(kinds) == ["confirmation", "welcome"]


async def test_a_reminder_that_still_waits_is_not_sent_to_who_confirms(
    readers: Readers, container: Container, clock: FixedClock
) -> None:
    token = await readers.ask()
    clock.move(clock.now() + timedelta(hours=49))
    await pending.remind(container.db, clock.now())
    await readers.client.post(f"/confirm/{token}")
    async with container.db.read() as session:
        mail = TransactionalEmail
        reminder = (await session.execute(select(mail.status, mail.code).where(mail.kind == "reminder"))).one()
    assert tuple(reminder) == ("skipped", "confirmed")


async def test_the_welcome_leads_to_the_latest_paper(readers: Readers, container: Container) -> None:
    slug = await sample.publish(container.db, sample.content())
    page = await readers.client.post(f"/confirm/{await readers.ask()}")
    assert f'href="/editions/{slug}"' in page.text


async def test_a_link_that_has_run_out_offers_a_new_one(
    readers: Readers, clock: FixedClock, container: Container
) -> None:
    token = await readers.ask()
    clock.move(clock.now() + timedelta(days=7, hours=1))
    for answer in (await readers.client.get(f"/confirm/{token}"), await readers.client.post(f"/confirm/{token}")):
        assert answer.status_code == 410
        assert "This link has run out." in answer.text
        assert "Send me a new link" in answer.text
    assert await readers.status() == "pending"
    again = await readers.client.post(f"/confirm/{token}/again")
    assert "Check your post." in again.text
    async with container.db.read() as session:
        letters = list((await session.scalars(select(TransactionalEmail).order_by(TransactionalEmail.id))).all())
    fresh = container.signer.sign(Purpose.CONFIRM, letters[-1].ref, letters[-1].created_at + timedelta(days=7))
    assert (await readers.client.post(f"/confirm/{fresh}")).status_code == 200
    assert await readers.status() == "active"


async def test_nobody_is_told_of_a_new_link_that_is_not_sent(readers: Readers, clock: FixedClock) -> None:
    """An old link of somebody who is in, and then of somebody who has left: each is told so, and nothing is owed."""
    token = await readers.ask()
    await readers.client.post(f"/confirm/{token}")
    clock.move(clock.now() + timedelta(days=8))
    before = len((await readers.everything())["transactional_emails"])
    page = await readers.client.post(f"/confirm/{token}/again")
    assert "confirmed already" in page.text
    assert 'name="email"' not in page.text
    await readers.client.post(f"/unsubscribe/{await readers.leaving()}")
    page = await readers.client.post(f"/confirm/{token}/again?lang=de")
    assert "Dieser Link ist abgelaufen." in page.text
    assert 'name="email"' in page.text
    assert len((await readers.everything())["transactional_emails"]) == before


async def test_a_barred_address_gets_no_new_link(readers: Readers, container: Container, clock: FixedClock) -> None:
    token = await readers.ask()
    async with container.db.write() as session:
        await suppressions.add(session, container.suppressor.hash("ada@example.org"), "operator", clock.now())
    clock.move(clock.now() + timedelta(days=8))
    before = len((await readers.everything())["transactional_emails"])
    assert "No new one was sent" in (await readers.client.post(f"/confirm/{token}/again")).text
    assert len((await readers.everything())["transactional_emails"]) == before


async def test_who_did_not_ask_is_forgotten_and_barred(readers: Readers, container: Container) -> None:
    """Only by a press; the row is gone, its fingerprint stays. A reader who confirmed is not thrown out by it."""
    token = await readers.ask()
    assert (await readers.client.get(f"/confirm/{token}/not-mine")).status_code == 405
    answer = await readers.client.post(f"/confirm/{token}/not-mine")
    assert "We will not write again." in answer.text
    assert await readers.status() is None
    async with container.db.read() as session:
        assert await suppressions.reason(session, container.suppressor.hash("ada@example.org")) == "not-asked"
    assert (await readers.client.post(f"/confirm/{token}")).status_code == 404
    joined = await readers.ask("bob@example.org")
    await readers.client.post(f"/confirm/{joined}")
    refused = await readers.client.post(f"/confirm/{joined}/not-mine")
    assert "Not so fast." in refused.text
    assert await readers.status("bob@example.org") == "active"


def tampered(token: str) -> list[str]:
    """Tokens that are almost right."""
    flipped = "A" if token[20] != "A" else "B"
    return [token[:20] + flipped + token[21:], token[:-1], token + "A", token + "=", token.lower(), "x", "A" * 5000]


async def test_a_tampered_or_foreign_link_says_what_to_do(readers: Readers, container: Container) -> None:
    """Every wrong token is answered alike; none of them appears on the page."""
    token = await readers.ask()
    other = container.signer.sign(Purpose.UNSUBSCRIBE, "abcdefghijklmnop")
    nobody = container.signer.sign(Purpose.CONFIRM, "abcdefghijklmnop", container.clock.now() + timedelta(days=1))
    pages = set()
    for wrong in (*tampered(token), other, nobody):
        for answer in (await readers.client.get(f"/confirm/{wrong}"), await readers.client.post(f"/confirm/{wrong}")):
            assert answer.status_code == 404
            assert "This link is not one of ours." in answer.text
            assert "copy the whole of it" in answer.text
            pages.add(answer.text)
    assert len(pages) == 1
    assert await readers.status() == "pending"


async def test_a_program_gets_a_problem_for_a_wrong_link(client: AsyncClient) -> None:
    answer = await client.post("/confirm/x", headers={"accept": "application/json"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith("This link is not one of ours.")


async def test_sign_ups_and_confirmations_are_counted(readers: Readers, container: Container) -> None:
    """For monitoring; a second press is no second confirmation."""
    token = await readers.ask()
    for _ in range(2):
        await readers.client.post(f"/confirm/{token}")
    async with container.db.read() as session:
        assert await counters.read(session) == {counters.SIGN_UPS: 1, counters.CONFIRMATIONS: 1}
