"""What Prometheus is told, and who else is not."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client.parser import text_string_to_metric_families

from app.bootstrap import Container
from app.core.settings import Settings
from app.stages.send import release
from app.stages.send.meter import Meter
from app.store import buckets, counters, shares
from tests.people import NOON, add_edition, add_reader
from tests.web.conftest import SITE


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Open to this machine."""
    return settings.model_copy(update={"metrics_open": "loopback"})


async def ask(app: FastAPI, client: str = "127.0.0.1", **headers: str) -> tuple[int, dict[str, float]]:
    """The status, and each sample by its name and labels."""
    transport = ASGITransport(app, client=(client, 4242))
    async with AsyncClient(transport=transport, base_url=SITE) as made:
        answer = await made.get("/metrics", headers={name.replace("_", "-"): value for name, value in headers.items()})
    if answer.status_code != 200:
        return answer.status_code, {}
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return 200, {" ".join([one.name, *(one.labels[key] for key in sorted(one.labels))]): one.value for one in samples}


async def test_the_figures_come_from_the_ledger(app: FastAPI, container: Container) -> None:
    """Whatever process does the work: they are looked up when they are asked for."""
    await add_reader(container.db, "ada@example.org")
    await add_reader(container.db, "bob@example.org", confirmed_at=None)
    edition = await add_edition(container.db)
    await release.send_now(container.db, edition.id, container.settings, NOON)
    status, samples = await ask(app)
    assert status == 200
    assert samples["morningpost_deliveries  queued"] == 1
    assert samples["morningpost_papers_open"] == 1
    assert samples["morningpost_readers active"] == samples["morningpost_readers pending"] == 1
    assert samples["morningpost_editions sending"] == 1
    assert samples["morningpost_oldest_due_seconds papers"] == 0


async def test_a_mailbox_provider_that_is_left_alone_is_a_figure(app: FastAPI, container: Container) -> None:
    """By provider and group, for as long as it is."""
    async with container.db.write() as session:
        now = await buckets.instant(session)
        await shares.bar_group(session, "outbox", "gmail", timedelta(hours=2), now=now, today=NOON.date())
    _, samples = await ask(app)
    assert 7000 < samples["morningpost_barred_seconds gmail outbox"] <= 7200


async def test_what_workers_counted_is_told_for_all_of_them(app: FastAPI, container: Container) -> None:
    """Two workers: their groups as one histogram, their windows as one sum; sign-ups are counted by the web itself."""
    for owner, seconds in (("one", 0.004), ("two", 0.03), ("two", 3.0)):
        meter = Meter()
        meter.group(seconds)
        with meter.watching(lambda: 7):
            await meter.write_down(container.db, owner)
    async with container.db.write() as session:
        await counters.add(session, {counters.SIGN_UPS: 2})
    _, samples = await ask(app)
    assert samples["morningpost_group_seconds_bucket 0.005"] == 1
    assert samples["morningpost_group_seconds_bucket 0.025"] == 1
    assert samples["morningpost_group_seconds_bucket 0.05"] == 2
    assert samples["morningpost_group_seconds_bucket 2.5"] == 2
    assert samples["morningpost_group_seconds_bucket +Inf"] == samples["morningpost_group_seconds_count"] == 3
    assert samples["morningpost_group_seconds_sum"] == pytest.approx(3.034)
    assert (samples["morningpost_workers"], samples["morningpost_mails_in_hand"]) == (2, 14)
    assert samples["morningpost_sign_ups_total"] == 2
    assert samples["morningpost_confirmations_total"] == samples["morningpost_leases_lost_total"] == 0


async def test_strangers_are_told_nothing(app: FastAPI) -> None:
    """Nor is whoever comes through a proxy of this machine; without a token set there is none to guess."""
    assert (await ask(app, "203.0.113.9"))[0] == 401
    assert (await ask(app, "203.0.113.9", authorization="Bearer "))[0] == 401
    assert (await ask(app, x_forwarded_for="203.0.113.9"))[0] == 401
    assert (await ask(app, forwarded="for=203.0.113.9"))[0] == 401


class TestAsItComes:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"metrics_open": "off"})

    async def test_this_machine_is_a_stranger_too(self, app: FastAPI) -> None:
        """A proxy on it that sets no header is not to be told from a person at it."""
        assert (await ask(app))[0] == 401


class TestBehindAProxy:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"trusted_proxies": ("10.0.0.1/32",)})

    async def test_nobody_is_answered_without_a_token(self, app: FastAPI) -> None:
        """Whatever METRICS_OPEN says."""
        assert (await ask(app))[0] == 401


class TestWithAToken:
    @pytest.fixture
    def settings(self, settings: object) -> object:
        from pydantic import SecretStr

        return settings.model_copy(update={"metrics_token": SecretStr("a token of the tests")})  # type: ignore[attr-defined]

    async def test_the_token_opens_from_anywhere(self, app: FastAPI) -> None:
        assert (await ask(app, "203.0.113.9", authorization="Bearer a token of the tests"))[0] == 200
        assert (await ask(app, "203.0.113.9", authorization="Bearer another"))[0] == 401
