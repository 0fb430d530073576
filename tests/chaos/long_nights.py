"""Nights with leases as they are in earnest, for `make chaos`: a worker asleep for 70 s, and a machine cut off.

Its name keeps it out of `make test`, which has short forms of both.
"""

import signal
import time
from pathlib import Path

import pytest

from app.models.states import DeliveryStatus, EditionStatus
from tests.chaos.cut_off import Manner, cut_off
from tests.chaos.networks import must_have_namespaces
from tests.chaos.night import Night
from tests.chaos.receiver import Receiver
from tests.chaos.worker import Pace

PACE = Pace(lease=10.0)
ASLEEP = 70
RATE, SEED = 40, 20261125
pytestmark = pytest.mark.timeout(400)


@pytest.mark.parametrize("policy", ["resend", "hold"])
@pytest.mark.parametrize("manner", ["silent", "reset"])
def test_a_machine_that_is_cut_off_in_mid_shard(tmp_path: Path, manner: Manner, policy: str) -> None:
    """As in `test_networks`; the other machine must hold all its shards within 15 s."""
    must_have_namespaces()
    account, took = cut_off(tmp_path, manner, policy, PACE, 2400)
    print(f"\n{manner}, {policy}: taken over after {took:.1f} s, {len(account.twice)} twice; {dict(account.states)}")
    assert account.sound(), account
    assert policy == "resend" or not account.twice
    assert took < 15


@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_a_worker_that_slept_for_70_s_hands_over_nothing_more(database_url: str, tmp_path: Path, policy: str) -> None:
    """On PostgreSQL another has all its shards by then. What waits on its connections is written down."""
    # Where another works on, the edition must not end before the sleeper wakes: what that then knows it did not send
    # would be for an operator to try again.
    readers = ASLEEP * RATE * (1 if database_url.startswith("sqlite") else 3) // 2
    with Receiver(RATE, SEED) as receiver:
        night = Night(tmp_path, database_url, receiver, PACE, ON_UNKNOWN=policy)
        try:
            night.prepare(readers)
            sleeper = night.start()
            night.wait("mail flows", lambda: receiver.count >= 40, every=0.01)
            if not database_url.startswith("sqlite"):
                night.start()
            night.signal(sleeper, signal.SIGSTOP)
            night.in_the_air |= night.held_by(sleeper)
            time.sleep(ASLEEP)
            night.signal(sleeper, signal.SIGCONT)
            night.wait("the edition ends", night.ended, within=200, every=0.5)
            account = night.account()
        finally:
            night.end()
    print(f"\n{policy}: {len(night.in_the_air)} in the air, {len(account.twice)} twice; {dict(account.states)}")
    assert account.sound(), account
    if policy == "resend":
        assert account.states == {DeliveryStatus.ACCEPTED: readers}
        assert account.edition is EditionStatus.SENT
    else:
        assert not account.twice
