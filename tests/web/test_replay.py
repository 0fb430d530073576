"""A request that lost against another transaction is carried out again, unless something of it may have been kept."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.responses import StreamingResponse
from httpx import AsyncClient
from sqlalchemy import select, text
from starlette.datastructures import FormData

from app.bootstrap import Container
from app.core import contention
from app.core.contention import TRIES
from app.core.errors import StorageContention
from app.models import Consent, Subscriber
from app.store import consents, counters
from app.web import replay
from app.web.deps import BriefSession, ContainerDep, WriteSession
from app.web.fields import form_of
from tests.interleave import stop_at
from tests.web.conftest import Readers, form


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contention, "_PAUSE", 0.001)


async def counted(container: Container, name: str) -> int:
    async with container.db.read() as session:
        return (await counters.read(session)).get(name, 0)


async def somebody_waits(container: Container) -> None:
    """Until a session of the database waits for another's lock."""
    question = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(2000):
        async with container.db.read() as session:
            if await session.scalar(question):
                return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


async def test_a_route_recovers_from_a_deadlock(
    container: Container, client: AsyncClient, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL breaks the request off; it is carried out again, and counted and recorded once."""
    if container.db.is_sqlite:
        pytest.skip("one writer meets nobody")
    token = await readers.ask()
    stop = stop_at(monkeypatch, counters, "add")
    confirmation = asyncio.create_task(client.post(f"/confirm/{token}"))
    await stop.reached.wait()  # it holds the reader, and has yet to count

    async def the_other_way_round() -> None:
        async with container.db.write() as session:
            await session.execute(text("SET LOCAL deadlock_timeout = '10min'"))  # so it is not the one to give way
            await counters.add(session, {counters.CONFIRMATIONS: 10})
            await session.execute(select(Subscriber.id).with_for_update())

    other = asyncio.create_task(the_other_way_round())
    await somebody_waits(container)
    stop.go_on()
    answer = await confirmation
    await other
    assert stop.times == 3, "the request, the other transaction, and the request again"
    assert (answer.status_code, await readers.status()) == (200, "active")
    assert await counted(container, counters.CONFIRMATIONS) == 11
    async with container.db.read() as session:
        assert (await session.scalars(select(Consent.act))).all() == ["asked", "confirmed"]


class Contended:
    """What a route does: fails `failures` times, after it has written a count, whatever it is called."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise StorageContention("in the way")


def add_routes(app: FastAPI, contended: Contended) -> None:
    @app.post("/one")
    async def one(session: WriteSession, form: Annotated[FormData, Depends(form_of)]) -> dict[str, str]:
        word = str(form["word"])
        await counters.add(session, {word: 1})
        contended()
        return {"word": word}

    @app.post("/several")
    async def several(container: ContainerDep) -> None:
        for _ in range(2):
            async with container.db.write() as session:
                await counters.add(session, {"several": 1})
                if await counters.read(session) == {"several": 2}:
                    contended()

    @app.post("/begun")
    async def begun(session: BriefSession) -> StreamingResponse:
        async def words() -> AsyncIterator[str]:
            yield "begun"
            contended()

        return StreamingResponse(words())


@pytest.mark.parametrize("failures", [1, TRIES - 1])
async def test_a_request_is_replayed_with_its_body(
    app: FastAPI, client: AsyncClient, container: Container, failures: int
) -> None:
    """What was written by a try that failed is not kept."""
    add_routes(app, contended := Contended(failures))
    answer = await client.post("/one", data={"word": "again"})
    assert (answer.status_code, answer.json()) == (200, {"word": "again"})
    assert contended.calls == failures + 1
    assert await counted(container, "again") == 1


async def test_the_last_try_is_answered_as_unavailable(app: FastAPI, client: AsyncClient, container: Container) -> None:
    """With the seconds to wait."""
    add_routes(app, contended := Contended(99))
    answer = await client.post("/one", data={"word": "never"})
    assert (answer.status_code, answer.headers["retry-after"], contended.calls) == (503, "5", TRIES)
    assert await counted(container, "never") == 0


async def test_a_request_of_several_transactions_is_not_replayed(
    app: FastAPI, client: AsyncClient, container: Container
) -> None:
    """The first of them is committed already."""
    add_routes(app, contended := Contended(1))
    answer = await client.post("/several")
    assert (answer.status_code, answer.headers["retry-after"], contended.calls) == (503, "5", 1)
    assert await counted(container, "several") == 1


async def test_an_answer_that_has_begun_is_not_begun_again(app: FastAPI, client: AsyncClient) -> None:
    add_routes(app, contended := Contended(1))
    answer = await client.post("/begun")
    assert (answer.text, contended.calls) == ("begun", 1)


async def test_a_body_that_is_too_long_is_refused_as_ever(app: FastAPI, client: AsyncClient) -> None:
    """What is kept for another try is bounded."""
    add_routes(app, contended := Contended(1))
    assert (await client.post("/one", data={"word": "x" * 20_000})).status_code == 413
    assert contended.calls == 0


async def test_a_sign_up_that_is_replayed_counts_once_in_the_limits(
    app: FastAPI, client: AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that may ask once more is not refused because a request lost against another one."""
    record, tries = consents.record, []

    async def losing(*given: object) -> None:
        tries.append(given)
        if len(tries) == 1:
            raise StorageContention("in the way")
        await record(*given)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(consents, "record", losing)
    most = container.settings.signups_per_client
    for number in range(most):
        container.clock.move(container.clock.now() + timedelta(microseconds=1))  # type: ignore[attr-defined]
        answer = await client.post("/subscribe", data=form(container, email=f"ada{number}@example.org", timezone=""))
        assert answer.status_code == 200, number
    assert len(tries) == most + 1
    answer = await client.post("/subscribe", data=form(container, email="one.more@example.org", timezone=""))
    assert answer.status_code == 429


def test_request_state_is_there_without_a_session() -> None:
    """`is_wanted` is asked of every request that failed."""
    assert not replay.is_wanted(Request({"type": "http", "state": {}}))
