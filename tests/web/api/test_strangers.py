"""What a hostile or a clumsy client of the API is told, on both engines: never 500."""

import asyncio
import inspect
import typing
from typing import Any

import pytest
from fastapi.routing import APIRoute

from app.bootstrap import Container
from app.operations import access
from app.web.api.router import router
from app.web.deps import LARGEST_ID
from tests.people import NOON
from tests.web.api.test_operator_api import Api, api, key, paper
from tests.web.api.test_sending_api import sending

__all__ = ["api"]

TOO_LARGE = (2**63, 2**64, 10**40)


@pytest.mark.parametrize("number", TOO_LARGE)
async def test_numbers_that_no_row_can_have_are_refused(api: Api, number: int) -> None:
    """In paths, cursors and bodies: 404 or 422. The largest that a row could have is looked for."""
    edition = await paper(api)
    for method, path, body in (
        ("GET", f"/editions/{number}", None),
        ("POST", f"/editions/{number}/send", None),
        ("GET", f"/editions?before={number}", None),
        ("GET", f"/stories/{number}", None),
        ("PATCH", f"/stories/{number}", {"headline": "x"}),
        ("DELETE", f"/sources/{number}", None),
        ("GET", f"/trends/{number}", None),
        ("PATCH", f"/editions/{edition}", {"remove": [number]}),
        ("PATCH", f"/editions/{edition}", {"sections": {"tools": [number]}}),
    ):
        headers = {"If_Match": '"1"'} if method == "PATCH" else {}
        answer = await api(method, path, body, **headers)
        assert answer.status_code in (404, 422), (path, answer.text)
    assert (await api("GET", f"/editions/{LARGEST_ID}")).status_code == 404
    assert (await api("GET", f"/editions?before={LARGEST_ID}")).status_code == 200


def test_every_id_in_a_path_is_bounded() -> None:
    """A new route takes RowId."""
    unbounded = [
        f"{route.path}: {name}"
        for route in router.routes
        if isinstance(route, APIRoute)
        for name, parameter in inspect.signature(route.endpoint).parameters.items()
        if f"{{{name}}}" in route.path and parameter.annotation is int and not typing.get_args(parameter.annotation)
    ]
    assert unbounded == []


@pytest.mark.parametrize("reason", ["a\0b", "\x1b[31mred", "two\u2028lines", "x" * 301])
async def test_a_reason_that_is_no_line_of_text_is_refused(api: Api, container: Container, reason: str) -> None:
    """For a cancel as for a hold; nothing is done."""
    edition = await sending(api, container)
    answer = await api("POST", f"/editions/{edition}/cancel", {"reason": reason})
    assert answer.status_code == 422
    assert (await api("GET", f"/editions/{edition}")).json()["status"] == "sending"
    assert (await api("POST", f"/editions/{edition}/hold", {"reason": reason})).status_code in (409, 422)


async def test_a_key_for_repeats_covers_the_query(api: Api, container: Container) -> None:
    """The same key with another query is another request."""
    edition = await sending(api, container)
    assert (await api("POST", f"/editions/{edition}/retry", idempotency_key="k")).status_code == 200
    other = await api("POST", f"/editions/{edition}/retry?include_unknown=true", idempotency_key="k")
    assert other.status_code == 422
    assert "another request" in other.json()["detail"]


async def test_a_revoked_key_ends_its_streams(api: Api, container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the next event, a second later at most."""
    edition = await sending(api, container)
    original, waited = asyncio.sleep, 0

    async def revoked_meanwhile(seconds: float) -> Any:
        nonlocal waited
        waited += 1
        if waited == 2:
            async with container.db.write() as session:
                await access.revoke_key(session, "test", NOON)
        await original(0)

    monkeypatch.setattr(asyncio, "sleep", revoked_meanwhile)
    told = await api("GET", f"/editions/{edition}/progress", accept="text/event-stream")
    assert told.text.count("event: progress") == 2
    assert "event: end" not in told.text
    assert await key(container, name="another")
