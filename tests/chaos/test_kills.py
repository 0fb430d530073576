"""SIGKILL at any instant is the normal case: counted at the receiving side, nobody is lost."""

import signal
from pathlib import Path

import pytest

from app.models.states import DeliveryStatus, EditionStatus
from tests.chaos.kills import kill_again_and_again
from tests.chaos.night import Night
from tests.chaos.receiver import Receiver
from tests.chaos.worker import Pace

KILLS, READERS, RATE, SEED = 5, 900, 200, 20261125


def test_nobody_is_lost_and_repeats_are_only_what_was_in_the_air(database_url: str, tmp_path: Path) -> None:
    """ON_UNKNOWN=resend: everybody has the paper, whoever died; on PostgreSQL one of two workers dies."""
    workers = 1 if database_url.startswith("sqlite") else 2
    with Receiver(rate=RATE, seed=SEED) as receiver:
        night = Night(tmp_path, database_url, receiver)
        try:
            night.prepare(READERS)
            account = kill_again_and_again(night, KILLS, SEED, workers)
        finally:
            night.end()
    assert account.sound(), (SEED, account)
    assert account.states == {DeliveryStatus.ACCEPTED: READERS}
    assert account.edition is EditionStatus.SENT


def test_where_unknowns_are_held_nobody_gets_it_twice(database_url: str, tmp_path: Path) -> None:
    """ON_UNKNOWN=hold: no repeats at all, and every gap is marked."""
    workers = 1 if database_url.startswith("sqlite") else 2
    with Receiver(rate=RATE, seed=SEED) as receiver:
        night = Night(tmp_path, database_url, receiver, ON_UNKNOWN="hold")
        try:
            night.prepare(READERS)
            account = kill_again_and_again(night, KILLS, SEED, workers)
        finally:
            night.end()
    assert account.sound(), (SEED, account)
    assert account.twice == [], SEED
    assert set(account.states) <= {DeliveryStatus.ACCEPTED, DeliveryStatus.UNKNOWN}
    assert account.edition is EditionStatus.PARTIALLY_SENT


@pytest.mark.parametrize("command", [b"", b"MAIL", b"DATA"], ids=["greeting", "MAIL", "DATA"])
def test_what_was_never_written_waits_for_nothing(database_url: str, tmp_path: Path, command: bytes) -> None:
    """Killed while the server keeps silent: no mail was with it, and the next worker sends all of them at once."""
    with Receiver(RATE, SEED, mute_at=command) as silent:
        night = Night(tmp_path, database_url, silent, Pace(unknown_after=600.0, unknown_spread=600.0))
        try:
            night.prepare(READERS // 10)
            first = night.start()
            night.wait("mails in hand", lambda: silent.kept_waiting and night.held_by(first))
            night.kill(first)
        finally:
            night.end()
    with Receiver(RATE, SEED, books=silent, port=silent.port) as receiver:
        night.receiver = receiver
        try:
            last = night.start()
            night.wait("the edition's end", night.ended, within=60)
            night.signal(last, signal.SIGTERM)
            last.join(20)
        finally:
            night.end()
        account = night.account()
    assert account.sound(), account
    assert account.states == {DeliveryStatus.ACCEPTED: READERS // 10}
    assert account.twice == []
