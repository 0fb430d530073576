"""Providers through the operator API."""

from httpx import AsyncClient

from .test_operator_api import Api
from .test_operator_api import api as api  # noqa: PLC0414  # a fixture: used by its name


async def test_the_ways_out_are_listed(api: Api) -> None:
    """With what is left of today; null where there is no limit. No password, and no address."""
    (one,) = (await api("GET", "/providers")).json()
    assert (one["name"], one["real"], one["in_use"]) == ("outbox", False, True)
    assert one["rate"] is one["per_day"] is one["left_for_papers"] is None


async def test_providers_need_a_key(client: AsyncClient) -> None:
    """As all that operators read."""
    assert (await client.get("/api/v1/providers")).status_code == 401
