"""Other nights: a worker that sleeps, clocks that jump, a database that is torn down in mid-send."""

import os
import resource
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.models.states import DeliveryStatus, EditionStatus
from tests.acceptance.house import House
from tests.chaos.full_disk import fill, small_disk
from tests.chaos.night import Account, Night
from tests.chaos.receiver import Receiver
from tests.conftest import Postgres

READERS, RATE, SEED = 500, 200, 20261125
HOUR = 3600


def flowing(night: Night, mails: int = 40) -> None:
    """Returns in the middle of a send."""
    night.wait("mail flows", lambda: night.receiver.count >= mails, every=0.01)


def finished(night: Night) -> Account:
    night.wait("the edition ends", night.ended, within=90, every=0.3)
    return night.account()


def assert_everybody_has_it(account: Account) -> None:
    assert account.sound(), (SEED, account)
    assert account.states == {DeliveryStatus.ACCEPTED: READERS}
    assert account.edition is EditionStatus.SENT


def test_a_worker_that_slept_hands_over_nothing_that_is_not_its_own(database_url: str, tmp_path: Path) -> None:
    """SIGSTOP for three leases: on PostgreSQL another worker has taken its shards by then."""
    with Receiver(RATE, SEED) as receiver:
        night = Night(tmp_path, database_url, receiver)
        try:
            night.prepare(READERS)
            sleeper = night.start()
            flowing(night)
            if not database_url.startswith("sqlite"):
                night.start()
            night.signal(sleeper, signal.SIGSTOP)
            night.in_the_air |= night.held_by(sleeper)
            time.sleep(3 * night.pace.lease)
            night.signal(sleeper, signal.SIGCONT)
            account = finished(night)
        finally:
            night.end()
    assert_everybody_has_it(account)


def test_a_clock_that_jumps_an_hour_costs_nobody_anything(database_url: str, tmp_path: Path) -> None:
    """Forward, and back behind where it began: leases run on the database's clock, and nothing is sent twice."""
    with Receiver(RATE, SEED) as receiver:
        night = Night(tmp_path, database_url, receiver)
        try:
            night.prepare(READERS)
            night.start()
            for step in (HOUR, -HOUR, 0.001):
                before = receiver.count
                night.wait("mail flows", lambda before=before: receiver.count >= before + 40, every=0.01)  # type: ignore[misc]
                night.turn_clock(step)
            account = finished(night)
        finally:
            night.end()
    assert_everybody_has_it(account)
    assert account.twice == []


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    """A PostgreSQL that keeps what it has confirmed, also when it is torn down."""
    server = Postgres()
    server.run("ALTER SYSTEM SET synchronous_commit = on")
    server.run("SELECT pg_reload_conf()")
    yield server
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


def tear_down_and_start(server: Postgres) -> None:
    """What `pg_ctl restart -m immediate` does: SIGQUIT, no checkpoint, and recovery from the log."""
    postmaster = server.server.get_pid()
    os.kill(postmaster, signal.SIGQUIT)
    while Path(f"/proc/{postmaster}").exists():
        time.sleep(0.02)
    server.server.ensure_postgres_running()


def test_a_database_that_is_torn_down_in_mid_send_loses_nobody(own_server: Postgres, tmp_path: Path) -> None:
    """Twice, under two workers: outcomes stay in memory until it is back, and nothing is sent twice for it."""
    own_server.run("CREATE DATABASE night TEMPLATE template_post")
    with Receiver(RATE, SEED) as receiver:
        night = Night(tmp_path, own_server.url("night"), receiver)
        try:
            night.prepare(READERS)
            night.start()
            night.start()
            for mails in (60, 220):
                flowing(night, mails)
                tear_down_and_start(own_server)
            account = finished(night)
        finally:
            night.end()
    assert_everybody_has_it(account)


def test_a_site_on_a_full_disk_says_so_and_both_recover(sqlite_template: Path, tmp_path: Path) -> None:
    """A disk of its own, filled to the last byte in mid-send: `/readyz` fails, nothing new is handed over."""
    with small_disk(tmp_path / "disk", 64) as disk, Receiver(RATE, SEED) as receiver:
        shutil.copy(sqlite_template, disk / "post.db")
        url = f"sqlite:///{disk / 'post.db'}"
        night = Night(tmp_path, url, receiver)
        try:
            night.prepare(READERS)
            (tmp_path / "site").mkdir()
            with House(tmp_path / "site", url, **night.settings) as house:
                house.start("serve", "--no-worker")
                house.wait("the site", house.is_up, 60)
                night.start()
                flowing(night)
                ballast = fill(disk)
                house.wait("the site says so", lambda: not house.is_up(), 60)
                parts = house.web.get("/readyz").json()["parts"]
                night.wait("the worker notices", lambda: "the ledger cannot be written" in night.log())
                time.sleep(1)
                before = receiver.count
                time.sleep(2)
                assert receiver.count == before < READERS, "mail went out that could not be written down"
                ballast.unlink()
                house.wait("the site is ready again", house.is_up, 60)
                account = finished(night)
        finally:
            night.end()
    assert {name for name, state in parts.items() if state == "failed"} == {"writing"}
    assert_everybody_has_it(account)
    assert account.twice == []


def test_a_disk_that_is_full_stops_the_sending_and_loses_nothing(sqlite_template: Path, tmp_path: Path) -> None:
    """No file of the worker may grow, as on a full disk: outcomes stay in memory, nothing new is handed over."""
    shutil.copy(sqlite_template, tmp_path / "post.db")
    with Receiver(RATE, SEED) as receiver:
        night = Night(tmp_path, f"sqlite:///{tmp_path / 'post.db'}", receiver)
        try:
            night.prepare(READERS)
            sender = night.start()
            flowing(night)
            assert sender.pid is not None
            # Less than the database and its log are long already; what the worker says of it still fits.
            room = (tmp_path / "worker.log").stat().st_size + 100_000
            resource.prlimit(sender.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
            time.sleep(2)
            before = receiver.count
            time.sleep(2)
            assert receiver.count == before < READERS, "mail went out that could not be written down"
            assert "the ledger cannot be written" in night.log()
            resource.prlimit(sender.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            account = finished(night)
        finally:
            night.end()
    assert_everybody_has_it(account)
    assert account.twice == []
