"""The paper may live below a path of a site; a proxy in front may or may not take that path off."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from httpx import ASGITransport, AsyncClient

from app.bootstrap import Container
from app.main import create_app

from . import sample
from .conftest import form

BELOW = "http://site.test/paper"


@pytest.fixture(params=["kept", "taken off"])
async def below(request: pytest.FixtureRequest, container: Container) -> AsyncIterator[tuple[AsyncClient, str]]:
    """A client, and what stands before each path it asks for."""
    moved = replace(container, settings=container.settings.model_copy(update={"public_url": BELOW}))
    async with AsyncClient(transport=ASGITransport(create_app(moved)), base_url="http://site.test") as client:
        yield client, "/paper" if request.param == "kept" else ""


async def test_every_link_of_ours_carries_the_path(below: tuple[AsyncClient, str], container: Container) -> None:
    client, before = below
    await sample.publish(container.db, sample.content())
    for path in ("/", "/editions", "/docs", "/outbox", "/nowhere", "/confirm/x"):
        page = await client.get(before + path)
        assert page.status_code == (404 if path in ("/nowhere", "/confirm/x") else 200)
        for link in re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text):
            assert link.startswith("/paper/"), (path, link)
            answer = await client.request(
                "POST" if link == "/paper/subscribe" else "GET", before + link.removeprefix("/paper")
            )
            assert answer.status_code in (200, 415), (path, link)


async def test_the_address_itself_opens_the_front_page(below: tuple[AsyncClient, str]) -> None:
    """PUBLIC_URL as it stands in mails and on posters, without a slash at its end."""
    client, before = below
    front = await client.get(before or "/")
    assert front.status_code == 200
    assert front.text == (await client.get(f"{before}/")).text
    assert (await client.get(f"{before}/subscribe")).headers["location"] == f"{BELOW}/"


async def test_errors_and_limits_know_the_path(below: tuple[AsyncClient, str], container: Container) -> None:
    client, before = below
    assert (await client.get(f"{before}/api/v1/nowhere")).headers["content-type"] == "application/problem+json"
    fields = form(container, email="ada@example.org")
    assert (await client.post(f"{before}/subscribe", data=fields)).status_code == 200
    assert (await client.post(f"{before}/subscribe", data={"email": "x" * 20_000})).status_code == 413
