"""Alive, and able to work."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import text

from app.bootstrap import Container, build
from app.core.errors import ConfigurationError
from app.core.mail.provider import Capabilities, Outgoing
from app.core.settings import Settings
from app.main import create_app
from app.operations import writable
from app.store import clocks, workers
from tests.conftest import NOON
from tests.machine import Machine

PARTS = ("database", "writing", "migrations", "settings", "provider", "clock")
READY = {**dict.fromkeys(PARTS, "ok"), "worker": "elsewhere"}


class Carrier:
    """A provider whose check can be made to fail, and is counted."""

    name = "carrier"
    capabilities = Capabilities(raw=True)

    def __init__(self) -> None:
        self.well = True
        self.asked = 0

    async def drain(self, outgoing: Outgoing) -> None:
        raise AssertionError("a health check sends nothing")

    async def check(self) -> None:
        self.asked += 1
        if not self.well:
            raise ConfigurationError("carrier.example.org refuses the password")

    async def close(self) -> None:
        """Holds nothing."""


def client_over(container: Container) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(create_app(container)), base_url="http://post.test")


async def test_a_process_that_answers_is_alive(client: AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready_when_every_part_answers(client: AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "parts": READY}


async def test_a_provider_that_refuses_is_named_and_its_reason_is_not(container: Container) -> None:
    carrier = Carrier()
    carrier.well = False
    async with client_over(replace(container, providers=(carrier,))) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == READY | {"provider": "failed"}
    assert "carrier.example.org" not in answer.text


async def test_one_of_several_providers_is_enough(container: Container) -> None:
    """The paper leaves by it."""
    well, unwell = Carrier(), Carrier()
    unwell.well = False
    for providers in ((unwell, well), (well, unwell)):
        async with client_over(replace(container, providers=providers)) as client:
            assert (await client.get("/readyz")).status_code == 200
    async with client_over(replace(container, providers=(unwell, unwell))) as client:
        assert (await client.get("/readyz")).status_code == 503


async def test_a_provider_is_asked_once_in_a_while_however_often_we_are(container: Container) -> None:
    carrier = Carrier()
    async with client_over(replace(container, providers=(carrier,))) as client:
        for _ in range(5):
            assert (await client.get("/readyz")).status_code == 200
    assert carrier.asked == 1


async def test_tables_of_another_version_are_not_ready(container: Container, client: AsyncClient) -> None:
    async with container.db.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == READY | {"migrations": "failed"}


async def test_a_database_that_answers_and_takes_no_writes_is_not_ready(
    container: Container, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where its disk is full: here the session is told to refuse writes by the engine itself."""
    await _refuse_writes(container)
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == READY | {"writing": "failed"}


async def test_a_disk_that_is_nearly_full_is_not_ready(
    container: Container, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own disk; that of a PostgreSQL is on another machine."""
    monkeypatch.setattr(writable, "ROOM", 1 << 60)
    answer = await client.get("/readyz")
    assert (answer.json()["parts"]["writing"] == "failed") is container.db.is_sqlite


async def _refuse_writes(container: Container) -> None:
    async with container.db.write() as session:
        if container.db.is_sqlite:
            await session.execute(
                text("CREATE TRIGGER full BEFORE UPDATE ON alembic_version BEGIN SELECT RAISE(ABORT, 'disk full'); END")
            )
        else:
            await session.execute(text("REVOKE UPDATE ON alembic_version FROM CURRENT_USER"))
            await session.execute(
                text("CREATE RULE full_disk AS ON UPDATE TO alembic_version DO INSTEAD SELECT 1/0 FROM alembic_version")
            )


async def test_a_database_that_does_not_answer_is_not_ready_but_alive(
    container: Container, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost() -> None:
        raise ConnectionError

    monkeypatch.setattr(container.db, "check", lost)
    async with client_over(container) as fresh:
        answer = await fresh.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["parts"]["database"] == "failed"
        assert (await fresh.get("/healthz")).status_code == 200


async def test_a_clock_that_is_wrong_is_told_and_keeps_nobody_out(settings: Settings, container: Container) -> None:
    """Decisions go by the database's clock: what the load balancer does would mend nothing."""
    machine = Machine(NOON)
    guarded = build(settings, machine.clock())
    try:
        await guarded.watch.start()
        machine.wait(minutes=1)
        async with client_over(guarded) as client:
            assert (await client.get("/readyz")).json()["parts"]["clock"] == ("ok" if guarded.db.is_sqlite else "off")
            if guarded.db.is_sqlite:
                machine.wall += timedelta(hours=2)
                await guarded.watch.look()
            else:
                async with guarded.db.write() as session:
                    await clocks.confirm(session, NOON)  # the next start lies far from it
                await guarded.watch.start()
            answer = await client.get("/readyz")
    finally:
        await guarded.close()
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert answer.json()["parts"]["clock"] == "unconfirmed"


async def test_another_process_that_is_off_is_told(container: Container) -> None:
    """A worker has no page of its own."""
    if container.db.is_sqlite:
        pytest.skip("on SQLite the machine's clock is the one that decides")
    made = build(container.settings.model_copy(update={"metrics_open": "loopback"}))
    try:
        await made.watch.start()
        async with made.db.write() as session:
            await clocks.tell_offset(session, "worker:7", 86_400, made.clock.now())
        async with client_over(made) as client:
            answer = await client.get("/readyz")
            figures = await client.get("/metrics")
    finally:
        await made.close()
    assert answer.status_code == 200
    assert answer.json()["parts"]["clock"] == "off"
    assert 'morningpost_clock_offset_seconds{process="worker:7"} 86400.0' in figures.text
    assert "morningpost_clock_confirmed 1.0" in figures.text


async def test_a_supervisor_without_a_living_worker_is_not_ready(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash loop is seen; a moment to start is given."""
    app = create_app(container, with_worker=True)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://post.test") as client:
        assert (await client.get("/readyz")).json()["parts"]["worker"] == "ok"
        now = time.monotonic()
        monkeypatch.setattr("app.web.public.health.time.monotonic", lambda: now + 16)
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["parts"]["worker"]) == (503, "failed")
        async with container.db.write() as session:
            await workers.sign(session, "a worker", 0)
        assert (await client.get("/readyz")).status_code == 200
