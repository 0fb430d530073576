"""How large groups become, by the rate and by how long their transactions take."""

import pytest

from app.stages.send.groups import FIRST_FAR, GROUP_LASTS, LARGEST, LARGEST_FAR, SMALLEST, GroupSize


def stream(rate: float, transaction: float, groups: int, largest: int = LARGEST) -> GroupSize:
    """Groups one after the other, each handed over within a transaction of the next."""
    size = GroupSize(largest)
    for _ in range(groups):
        size.learn(min(size.rows, int(rate * transaction)), transaction, transaction)
    return size


def test_a_group_is_what_goes_out_until_the_next_one() -> None:
    """2,000 a second are groups of 100, whatever the one before was."""
    size = GroupSize()
    for _ in range(9):
        size.learn(int(2000 * GROUP_LASTS), GROUP_LASTS, 0.0)
    assert size.rows == 100


@pytest.mark.parametrize("transaction", [0.004, 0.05, 0.2, 0.4, 1.0])
def test_small_groups_do_not_keep_themselves_small(transaction: float) -> None:
    """The connections could carry 5,000 a second: what lies ready lasts for a transaction."""
    assert stream(5000, transaction, 20, LARGEST_FAR).rows >= min(5000 * transaction, LARGEST_FAR)


def test_a_slow_server_has_no_large_stock() -> None:
    """40 a second: what goes out in two transactions."""
    assert stream(40, 1.0, 50).rows == int(40 * (GROUP_LASTS + 2))


def test_a_group_has_its_bounds() -> None:
    size = GroupSize()
    for _ in range(20):
        size.learn(10_000, GROUP_LASTS, 0.0)
    assert size.rows == LARGEST
    for _ in range(20):
        size.learn(0, 10.0, 0.0)
    assert size.rows == SMALLEST


def test_where_a_transaction_is_long_a_few_groups_are_enough() -> None:
    """Three round trips over half of the globe: from 64 to the largest in two groups while lines stand idle."""
    size = GroupSize(LARGEST_FAR, FIRST_FAR)
    for _ in range(2):
        size.learn(size.rows, 0.65, 0.6, waited=True)
    assert size.rows == LARGEST_FAR
