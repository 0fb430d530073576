"""The whole application over a real container, spoken to as a browser, a program or a mail provider would."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import select

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.settings import Settings, load_settings
from app.core.signing import Purpose
from app.main import create_app
from app.models import Base, Subscriber, TransactionalEmail
from app.web import nonce

SITE = "http://post.test"


@pytest.fixture
def settings(database_url: str) -> Settings:
    """A paper of London."""
    return load_settings(
        database_url=database_url,
        secret_keys="a-key-for-tests-that-is-long-enough-to-sign",
        public_url=SITE,
        timezone="Europe/London",
        postal_address="1 Press Lane, London",
    )


@pytest.fixture
async def container(settings: Settings, clock: FixedClock) -> AsyncIterator[Container]:
    made = build(settings, clock)
    yield made
    await made.close()


@pytest.fixture
def app(container: Container) -> FastAPI:
    return create_app(container)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Follows no redirect, and sees the answer of a failing route rather than its exception."""
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url=SITE) as made:
        yield made


def form(container: Container, /, shown: timedelta = timedelta(minutes=1), **typed: str) -> dict[str, str]:
    """What a browser posts of a form that has been shown for so long."""
    return {**typed, "website": "", nonce.FIELD: nonce.make(container.signer, container.clock.now() - shown)}


class Readers:
    """Signs people up through the form and finds their links."""

    def __init__(self, client: AsyncClient, container: Container) -> None:
        self.client = client
        self.container = container

    async def ask(self, address: str = "ada@example.org", timezone: str = "") -> str:
        """Signs `address` up; gives the token of its confirmation link."""
        answer = await self.client.post("/subscribe", data=form(self.container, email=address, timezone=timezone))
        assert answer.status_code == 200
        return await self.confirmation(address)

    async def confirmation(self, address: str = "ada@example.org") -> str:
        """The token of the newest confirmation link."""
        async with self.container.db.read() as session:
            owed = await session.scalars(
                select(TransactionalEmail.ref)
                .join(Subscriber, Subscriber.id == TransactionalEmail.subscriber_id)
                .where(Subscriber.address == address)
                .order_by(TransactionalEmail.id.desc())
            )
            ref = owed.first()
        assert ref is not None
        until = self.container.clock.now() + timedelta(days=7)
        return self.container.signer.sign(Purpose.CONFIRM, ref, until)

    async def join(self, address: str = "ada@example.org") -> str:
        """Signs up and confirms; gives the token of the unsubscribe link."""
        answer = await self.client.post(f"/confirm/{await self.ask(address)}")
        assert answer.status_code == 200
        return await self.leaving(address)

    async def leaving(self, address: str = "ada@example.org") -> str:
        """The token of a reader's unsubscribe link."""
        return await self.signed(Purpose.UNSUBSCRIBE, address)

    async def preferences(self, address: str = "ada@example.org") -> str:
        """The token of a reader's preferences link."""
        return await self.signed(Purpose.PREFERENCES, address)

    async def signed(self, purpose: Purpose, address: str) -> str:
        async with self.container.db.read() as session:
            ref = await session.scalar(select(Subscriber.ref).where(Subscriber.address == address))
        assert ref is not None
        return self.container.signer.sign(purpose, ref)

    async def status(self, address: str = "ada@example.org") -> str | None:
        async with self.container.db.read() as session:
            found = await session.scalar(select(Subscriber.status).where(Subscriber.address == address))
        return found.value if found else None

    async def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table."""
        async with self.container.db.read() as session:
            return {
                table.name: [tuple(row) for row in await session.execute(select(table).order_by(*table.primary_key))]
                for table in Base.metadata.sorted_tables
            }


@pytest.fixture
def readers(client: AsyncClient, container: Container) -> Readers:
    return Readers(client, container)
