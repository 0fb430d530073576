"""A few random walks in every run; `python -m bench.races` takes as many as one likes."""

import pytest

from tests.races import editions, readers

EDITION_SEEDS = (2, 3, 4, 5)
READER_SEEDS = (1, 2, 3, 4)


@pytest.mark.parametrize("seed", EDITION_SEEDS)
async def test_what_operators_and_jobs_do_at_once_breaks_no_edition(database_url: str, seed: int) -> None:
    """Even seeds with APPROVAL=auto, odd ones with manual."""
    assert await editions.walk(database_url, seed) > 0


@pytest.mark.parametrize("seed", READER_SEEDS)
async def test_what_people_do_at_once_with_their_addresses_breaks_no_record(database_url: str, seed: int) -> None:
    """Three addresses, every door there is to them."""
    assert await readers.walk(database_url, seed) > 0
