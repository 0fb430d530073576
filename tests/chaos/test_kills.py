"""SIGKILL at any instant is the normal case: counted at the receiving side, nobody is lost."""

from pathlib import Path

from app.models.states import DeliveryStatus, EditionStatus
from tests.chaos.kills import kill_again_and_again
from tests.chaos.night import Night
from tests.chaos.receiver import Receiver

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
