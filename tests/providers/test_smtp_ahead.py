"""How far ahead a connection takes messages from the ledger."""

import pytest

from app.providers.smtp_ahead import AHEAD, WITHIN, Ahead, share


def carried(ahead: Ahead, *, gap: float, each: float, count: int) -> int:
    """What it asks for in the end, where a message ends every `gap` seconds and takes `each`."""
    for number in range(1, count + 1):
        ahead.learn(number * gap - each, number * gap)
    return ahead.count


def test_a_quick_wire_comes_to_hold_as_many_as_it_may() -> None:
    assert carried(Ahead(), gap=0.003, each=0.05, count=40) == AHEAD


@pytest.mark.parametrize("rate", [2.5, 5, 10])
def test_a_slow_wire_holds_what_it_carries_in_half_a_second(rate: float) -> None:
    """Eight connections to a server that takes 40 a second have about 20 mails in hand, not 128."""
    ahead, held = Ahead(), []
    for number in range(1, 60):
        ahead.learn((number - 1) / rate, number / rate)
        held.append(ahead.count)
    assert max(held[20:]) <= max(1, WITHIN * rate) + 1


def test_a_wire_that_was_idle_is_not_taken_for_a_slow_one() -> None:
    ahead = Ahead()
    carried(ahead, gap=0.003, each=0.003, count=40)
    ahead.learn(3600.0, 3600.003)
    assert ahead.count == AHEAD


@pytest.mark.parametrize(("connections", "each"), [(1, 16), (8, 16), (32, 4), (100, 1), (1000, 1)])
def test_many_connections_share_what_is_in_hand(connections: int, each: int) -> None:
    assert share(connections) == each
