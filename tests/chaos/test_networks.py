"""A machine that is cut off from the database in mid-shard, while it still reaches the mail server."""

from pathlib import Path

import pytest

from app.models.states import DeliveryStatus, EditionStatus
from tests.chaos.cut_off import cut_off
from tests.chaos.networks import must_have_namespaces
from tests.chaos.worker import Pace

READERS = 1000


@pytest.fixture(autouse=True)
def _namespaces() -> None:
    must_have_namespaces()


def test_a_machine_whose_connections_are_reset_costs_nobody_the_paper(tmp_path: Path) -> None:
    """ON_UNKNOWN=resend: everybody has it; what came twice was in the air at the cut."""
    account, _ = cut_off(tmp_path, "reset", "resend", Pace(), READERS)
    assert account.sound(), account
    assert account.states == {DeliveryStatus.ACCEPTED: READERS}
    assert account.edition is EditionStatus.SENT


def test_a_machine_whose_packets_are_lost_sends_nobody_a_second_paper(tmp_path: Path) -> None:
    """ON_UNKNOWN=hold: nobody twice, every gap marked; joined again, the machine writes down what it had learned."""
    account, _ = cut_off(tmp_path, "silent", "hold", Pace(), READERS)
    assert account.sound(), account
    assert account.twice == []
    assert set(account.states) <= {DeliveryStatus.ACCEPTED, DeliveryStatus.UNKNOWN}
