"""The whole service on a real database, for walks of things done at once: its API, its pages and the worker's jobs.

Every statement of every transaction may be kept waiting for a moment (`Jitter`), by a seeded choice, so that
transactions meet in ways that a quiet machine would show once in a thousand times.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from unittest import mock

from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import select

from app.bootstrap import Container, build
from app.core import db as database
from app.core.clock import FixedClock
from app.core.db import Session
from app.core.mail.message import Message
from app.core.settings import load_settings
from app.jobs.mailroom import Mailroom
from app.main import create_app
from app.models import Base
from app.operations import access
from app.web import nonce
from tests.stages.collect.standin import closed_port
from tests.stages.send.scripted import Scripted

BEGINS = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
SITE = "http://post.test"
PAUSES = (0.0, 0.0, 0.0, 0.002, 0.008, 0.03)
"""Seconds that a statement is kept waiting, one of these each time."""


@contextmanager
def jitter(random: Random) -> Iterator[None]:
    """While it lasts, sessions wait for a moment before each statement."""

    class Jitter(Session):
        async def execute(self, *args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(random.choice(PAUSES))
            return await super().execute(*args, **kwargs)

        async def scalar(self, *args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(random.choice(PAUSES))
            return await super().scalar(*args, **kwargs)

        async def scalars(self, *args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(random.choice(PAUSES))
            return await super().scalars(*args, **kwargs)

    with mock.patch.object(database, "AsyncSession", Jitter):
        yield


class Finding(AssertionError):
    """Something that must never be so, and what was done before."""


@dataclass
class World:
    """One service, one clock, everything that was mailed, and a trace of what was done."""

    container: Container
    client: AsyncClient
    headers: dict[str, str]
    clock: FixedClock
    provider: Scripted
    random: Random
    trace: list[str] = field(default_factory=list)
    step: int = 0
    mailed: list[tuple[int, str, str]] = field(default_factory=list)
    """Of each mail: in which step, to whom, and its Message-ID."""

    async def api(self, method: str, path: str, json: Any = None, **headers: str) -> Response:
        """A request of an operator. Whatever is answered with 5xx is a finding."""
        sent = {**self.headers, **headers}
        answer = await self.client.request(method, f"/api/v1{path}", json=json, headers=sent)
        self.note(f"{method} {path} {json or ''}{headers or ''}", answer)
        return answer

    async def press(self, path: str, **form: str) -> Response:
        """A button of a page."""
        if path == "/subscribe":
            shown = self.clock.now() - timedelta(minutes=1)
            form = {**form, "website": "", nonce.FIELD: nonce.make(self.container.signer, shown)}
        answer = await self.client.post(path, data=form)
        self.note(f"POST {path.partition('/')[2].partition('/')[0]} {form.get('email', '')}", answer)
        return answer

    def note(self, what: str, answer: Response) -> None:
        self.say(f"{what} -> {answer.status_code}")
        if answer.status_code >= 500:
            self.fail(f"{what} was answered {answer.status_code}: {answer.text[:300]}")

    def say(self, what: str) -> None:
        self.trace.append(f"{self.step}: {what}")

    def fail(self, what: str) -> None:
        raise Finding(f"{what}\n  " + "\n  ".join(self.trace[-30:]))

    def demand(self, so: object, what: str) -> None:
        if not so:
            self.fail(what)

    async def papers(self) -> None:
        """What a worker does with the shards that are due."""
        await Mailroom(self.container, f"w{self.random.randrange(1000)}", asyncio.Event()).papers()

    async def post(self) -> None:
        """What a worker does with service mail that is due."""
        await Mailroom(self.container, f"w{self.random.randrange(1000)}", asyncio.Event()).post()

    async def together(self, *actions: Any) -> None:
        """Carries actions out at once; any of them that raises is a finding."""
        self.step += 1
        for result in await asyncio.gather(*actions, return_exceptions=True):
            if isinstance(result, Finding):
                raise result
            if isinstance(result, BaseException):
                self.fail(f"{type(result).__name__}: {result}")

    def mailed_once(self) -> None:
        """Nobody was given one message twice: the provider took each at the first try."""
        twice = [one for one, count in Counter(key for _, _, key in self.mailed).items() if count > 1]
        self.demand(not twice, f"mailed twice: {twice}")

    async def everywhere(self, word: str) -> list[str]:
        """The tables in which `word` stands."""
        async with self.container.db.read() as session:
            found = []
            for table in Base.metadata.sorted_tables:
                rows = (await session.execute(select(table))).all()
                if any(word in str(value).lower() for row in rows for value in row):
                    found.append(table.name)
            return found


@asynccontextmanager
async def world(database_url: str, seed: int, **settings: Any) -> AsyncIterator[World]:
    """A service on an empty, migrated database."""
    nobody, clock, random = closed_port(), FixedClock(BEGINS), Random(seed)
    made = load_settings(
        database_url=database_url, secret_keys=("k" * 40,), suppression_key="s" * 40, public_url=SITE,
        huggingface_url=nobody, github_url=nobody, check_links="off", operator_emails=("editor@example.net",),
        signups_per_client=1_000_000, signups_per_minute=1_000_000, **settings,
    )  # fmt: skip
    provider = Scripted()
    container = replace(build(made, clock), providers=(provider,))
    async with container.db.write() as session:
        key = await access.create_key(session, "walk", ["read", "write", "send"], BEGINS)
    transport = ASGITransport(create_app(container), raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url=SITE) as client:
        made_world = World(container, client, {"Authorization": f"Bearer {key}"}, clock, provider, random)

        def taken(message: Message) -> None:
            made_world.mailed.append((made_world.step, message.recipient, message.message_id))

        provider.before = taken
        try:
            yield made_world
        finally:
            await container.close()
