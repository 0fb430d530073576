"""A confirmation is not handed over to a domain that takes no mail, and everything else is as before."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.settings import load_settings
from app.core.signing import Purpose
from app.jobs.mailroom import Mailroom
from app.models import MailDomain, Subscriber, TransactionalEmail
from app.models.states import SubscriberStatus
from app.stages.audience import consent, pending
from app.stages.audience.visitor import Visitor
from app.store import subscribers
from tests.dns_server import DnsServer, serving
from tests.people import NOON, add_reader

GOOD, NULL, GONE, SILENT = "ada@mx.example", "ada@null.example", "ada@gone.example", "ada@silent.example"


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    records: dict[str, list[str] | str] = {"mx.example": ["MX 10 a.example."], "null.example": ["MX 0 ."]}
    async with serving({**records, "silent.example": "silent"}) as running:
        yield running


@pytest.fixture
async def container(database_url: str, clock: FixedClock, server: DnsServer) -> AsyncIterator[Container]:
    settings = load_settings(database_url=database_url, secret_keys="k" * 40, check_mx="on", resolver=server.address)
    made = build(settings, clock)
    yield made
    await made.close()


async def ask(container: Container, *addresses: str) -> None:
    for address in addresses:
        async with container.db.write() as session:
            await consent.subscribe(
                session,
                address=address,
                method="form",
                suppressor=container.suppressor,
                domains=container.domains,
                visitor=Visitor(),
                now=container.clock.now(),
            )


async def post(container: Container) -> None:
    await Mailroom(container, "test", asyncio.Event()).post()


async def ledger(container: Container) -> dict[str, tuple[str, str | None, str]]:
    """The latest service mail of each address: its status, code and why."""
    rows = select(Subscriber.address, TransactionalEmail.status, TransactionalEmail.code, TransactionalEmail.why).join(
        TransactionalEmail, TransactionalEmail.subscriber_id == Subscriber.id
    )
    async with container.db.read() as session:
        found = await session.execute(rows.order_by(TransactionalEmail.id))
        return {address: (status.value, code, why) for address, status, code, why in found}


def mailed() -> set[str]:
    paths = Path("var/outbox/new").glob("*.eml")
    return {str(email.message_from_bytes(path.read_bytes(), policy=email.policy.default)["To"]) for path in paths}


async def test_only_domains_that_take_mail_get_one(container: Container) -> None:
    """Null MX and no such domain are rejected with a code; a silent server is given the benefit of the doubt."""
    await ask(container, GOOD, NULL, GONE, SILENT)
    await post(container)
    assert mailed() == {GOOD, SILENT}
    found = await ledger(container)
    assert found[GOOD][0] == found[SILENT][0] == "accepted"
    assert found[NULL] == ("rejected", "null-mx", "null.example says in DNS that it takes no mail (RFC 7505)")
    assert found[GONE] == ("rejected", "no-domain", "there is no domain gone.example")


async def test_asking_opens_no_connection_to_dns(container: Container, server: DnsServer) -> None:
    """The request writes a row and is answered; only the worker asks."""
    await ask(container, GOOD, NULL)
    assert not server.asked
    await post(container)
    assert server.asked["mx.example MX"] == server.asked["null.example MX"] == 1


async def test_a_group_is_asked_about_at_once(container: Container, server: DnsServer) -> None:
    """Eight silent servers are waited for together: each is asked before any is asked again."""
    names = [f"silent{index}.example" for index in range(8)]
    server.records.update(dict.fromkeys(names, "silent"))
    await ask(container, *(f"ada@{name}" for name in names))
    await post(container)
    assert {question.split()[0] for question in server.questions[: len(names)]} == set(names)
    assert len(mailed()) == len(names)


async def test_twice_and_in_two_places_is_once(container: Container) -> None:
    """What was rejected stays so, and what was sent is not sent again."""
    await ask(container, GOOD, NULL)
    await asyncio.gather(post(container), post(container))
    await post(container)
    assert len(list(Path("var/outbox/new").glob("*.eml"))) == 1
    assert (await ledger(container))[NULL][0] == "rejected"


async def test_late_is_not_too_late_and_too_late_asks_nobody(
    container: Container, clock: FixedClock, server: DnsServer
) -> None:
    """After six days the confirmation is still owed; after seven there is nothing to ask about."""
    await ask(container, GOOD)
    clock.move(NOON + timedelta(days=6))
    await post(container)
    assert mailed() == {GOOD}
    server.questions.clear()
    await ask(container, NULL)
    clock.move(NOON + timedelta(days=14))
    await post(container)
    assert (await ledger(container))[NULL][0] == "expired"
    assert not server.asked


async def test_the_reader_stays_pending_and_is_forgotten_in_time(container: Container, clock: FixedClock) -> None:
    """The reminder is kept back by the same rule."""
    await ask(container, NULL)
    await post(container)
    clock.move(NOON + pending.REMIND_AFTER)
    await pending.remind(container.db, clock.now())
    await post(container)
    assert mailed() == set()
    async with container.db.read() as session:
        reader = await subscribers.find_key(session, NULL)
    assert reader is not None
    assert reader.status is SubscriberStatus.PENDING
    await pending.forget(container.db, clock.now() + pending.FORGET_AFTER + timedelta(days=1))
    async with container.db.read() as session:
        assert await subscribers.find_key(session, NULL) is None


async def test_who_confirmed_is_not_asked_about(container: Container, server: DnsServer) -> None:
    """The welcome goes to a mailbox that has answered before."""
    await add_reader(container.db, NULL)
    async with container.db.write() as session:
        reader = await subscribers.find_key(session, NULL)
        assert reader is not None
        await consent._welcome(session, reader, NOON)
    await post(container)
    assert mailed() == {NULL}
    assert not server.asked


async def confirm(container: Container, address: str) -> str:
    """Presses the button of the latest mail; gives the group that the reader counts in then."""
    async with container.db.write() as session:
        rows = select(TransactionalEmail).join(Subscriber, Subscriber.id == TransactionalEmail.subscriber_id)
        mail = (await session.scalars(rows.where(Subscriber.address == address))).one()
        token = container.signer.sign(Purpose.CONFIRM, mail.ref, mail.created_at + consent.CONFIRM_WITHIN)
        await consent.confirm(session, container.signer, container.suppressor, token, Visitor(), container.clock.now())
    return await group(container, address)


async def group(container: Container, address: str) -> str:
    async with container.db.read() as session:
        reader = await subscribers.find_key(session, address)
    assert reader is not None
    return reader.domain_group


async def test_the_first_from_a_firm_counts_with_whoever_keeps_its_mail(
    container: Container, server: DnsServer
) -> None:
    """As soon as they confirm, by the answer to the one question that was asked before their mail was handed over."""
    server.records["firm.example"] = ["MX 1 aspmx.l.google.com.", "MX 5 alt1.aspmx.l.google.com."]
    await ask(container, "ada@firm.example", GOOD)
    assert await group(container, "ada@firm.example") == "other"
    await post(container)
    assert await confirm(container, "ada@firm.example") == "gmail"
    assert await confirm(container, GOOD) == "other"
    assert server.asked["firm.example MX"] == 1
    async with container.db.read() as session:
        kept = await session.execute(select(MailDomain.domain, MailDomain.domain_group))
        assert [tuple(row) for row in kept] == [("firm.example", "gmail")], "of nobody else's domain anything is kept"


async def test_a_firm_that_dns_is_silent_about_stays_where_it_was(container: Container, server: DnsServer) -> None:
    """Neither the mail nor the button waits for it; the daily job asks again."""
    await ask(container, SILENT)
    await post(container)
    assert await confirm(container, SILENT) == "other"


async def test_off_nobody_is_asked(database_url: str, clock: FixedClock, server: DnsServer) -> None:
    """As it is by default, even where a resolver is named."""
    made = build(load_settings(database_url=database_url, secret_keys="k" * 40, resolver=server.address), clock)
    await ask(made, NULL)
    await post(made)
    await made.close()
    assert mailed() == {NULL}
    assert not server.asked
