"""A database that is far away, silent, or a standby for a moment: real workers, behind a proxy of the tests' own."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.jobs.worker import UNREACHED_CODE
from app.models.states import DeliveryStatus
from tests.chaos.night import Night
from tests.chaos.receiver import Receiver
from tests.chaos.test_troubles import RATE, READERS, SEED, assert_everybody_has_it, finished, flowing
from tests.chaos.worker import Pace
from tests.conftest import Postgres
from tests.proxy import Proxy


@pytest.fixture
def night_url(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as url:
        yield url


def proxied(url: str, one_way: float = 0.0) -> tuple[Proxy, str]:
    """A way to the database, and the URL by it."""
    direct = make_url(url)
    proxy = Proxy(f"{direct.query['host']}/.s.PGSQL.5432", one_way).__enter__()
    return proxy, f"postgresql://{direct.username}@127.0.0.1:{proxy.port}/{direct.database}"


def test_a_worker_that_is_cut_off_half_open_stops_nobody(night_url: str, tmp_path: Path) -> None:
    """Its packets are gone, the database is not told, and it lies in the middle of a transaction: the other goes on."""
    proxy, far = proxied(night_url, 0.02)  # so that it is in a transaction most of the time
    with Receiver(RATE, SEED) as receiver:
        night = Night(tmp_path, night_url, receiver)
        try:
            night.prepare(READERS)
            lost = night.start(DATABASE_URL=far)
            flowing(night)
            proxy.silent = True
            night.start()
            night.in_the_air |= night.held_by(lost)
            before, began = receiver.count, time.monotonic()
            night.wait("the other sends", lambda: receiver.count > before + 60, within=20, every=0.05)
            assert time.monotonic() - began < 20
            account = finished(night)
        finally:
            night.end()
            proxy.__exit__(None, None, None)
    assert_everybody_has_it(account)


def test_a_database_that_is_read_only_for_a_moment(night_url: str, postgres: Postgres, tmp_path: Path) -> None:
    """As after a failover that was taken back: sending goes on within ten seconds, by new sessions."""
    name = make_url(night_url).database
    with Receiver(RATE, SEED) as receiver:
        night = Night(tmp_path, night_url, receiver)
        try:
            night.prepare(READERS)
            night.start()
            flowing(night)
            postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            postgres.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                f" WHERE datname = '{name}' AND pid <> pg_backend_pid()"
            )
            time.sleep(4)
            postgres.run(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            before = receiver.count
            assert before < READERS
            night.wait("sending goes on", lambda: receiver.count > before, within=10, every=0.05)
            account = finished(night)
        finally:
            night.end()
    assert_everybody_has_it(account)


def test_a_worker_without_its_database_ends_and_says_so(night_url: str, tmp_path: Path) -> None:
    """A supervisor starts it again, and it goes on where it was."""
    proxy, far = proxied(night_url)
    with Receiver(RATE, SEED) as receiver:
        night = Night(tmp_path, night_url, receiver, Pace(unreached=5.0))
        try:
            night.prepare(READERS)
            worker = night.start(DATABASE_URL=far)
            flowing(night)
            proxy.silent = True
            night.in_the_air |= night.held_by(worker)
            worker.join(40)
            assert worker.exitcode == UNREACHED_CODE, night.log()[-3000:]
            assert "the database has not answered for long" in night.log()
            proxy.silent = False
            night.start(DATABASE_URL=far)
            account = finished(night)
        finally:
            night.end()
            proxy.__exit__(None, None, None)
    assert account.sound(), account
    assert account.states == {DeliveryStatus.ACCEPTED: READERS}


def test_sending_over_a_long_way(night_url: str, tmp_path: Path) -> None:
    """20 ms each way: everybody has one, in few round trips."""
    proxy, far = proxied(night_url, 0.02)
    with Receiver(1000, SEED) as receiver:
        night = Night(tmp_path, night_url, receiver, Pace(shard=250))
        try:
            night.prepare(READERS)
            night.start(DATABASE_URL=far)
            account = finished(night)
        finally:
            night.end()
            proxy.__exit__(None, None, None)
    assert_everybody_has_it(account)
