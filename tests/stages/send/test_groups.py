"""How large groups become, by the rate and by who waits for them."""

from app.stages.send.groups import GROUP_LASTS, LARGEST, SMALLEST, STOCK, GroupSize


def stream(rate: float, transaction: float, groups: int, *, waited: bool) -> GroupSize:
    """Groups one after the other, each handed over within a transaction of the next."""
    size = GroupSize()
    for _ in range(groups):
        size.learn(min(size.rows, int(rate * transaction)), transaction, waited=waited)
    return size


def test_a_group_is_what_goes_out_until_the_next_one() -> None:
    """2,000 a second are groups of 100, whatever the one before was."""
    size = GroupSize()
    for _ in range(9):
        size.learn(int(2000 * GROUP_LASTS), GROUP_LASTS, waited=False)
    assert size.rows == 100


def test_small_groups_do_not_keep_themselves_small_where_the_ledger_is_slow() -> None:
    """The connections could carry 5,000 a second and a transaction takes as long as a group should: they are filled."""
    assert stream(5000, GROUP_LASTS, 20, waited=True).rows >= 5000 * GROUP_LASTS
    assert stream(5000, GROUP_LASTS, 20, waited=False).rows == SMALLEST


def test_a_slow_server_has_no_large_stock_however_often_somebody_waits() -> None:
    """40 a second: a quarter of a second's worth, or the smallest group."""
    assert stream(40, 1.0, 50, waited=True).rows <= max(SMALLEST, 40 * GROUP_LASTS * STOCK)


def test_a_group_has_its_bounds() -> None:
    size = GroupSize()
    for _ in range(20):
        size.learn(10_000, GROUP_LASTS, waited=True)
    assert size.rows == LARGEST
    for _ in range(20):
        size.learn(0, 10.0, waited=False)
    assert size.rows == SMALLEST
