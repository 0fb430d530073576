"""What a hostile or a clumsy client of the API is told, on both engines: never 500."""

import asyncio
import inspect
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.bootstrap import Container
from app.core.numbers import LARGEST_ID
from app.operations import access
from app.web.api.router import router
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


def _unbounded(schema: dict[str, Any], part: dict[str, Any], where: str) -> Iterator[str]:
    """Where in `part` of an OpenAPI `schema` a whole number, or a list of them, has no largest."""
    if "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    if part.get("type") == "integer" and not {"maximum", "exclusiveMaximum", "enum", "const"} & part.keys():
        yield where
    for below in (*part.get("anyOf", ()), *part.get("allOf", ())):
        yield from _unbounded(schema, below, where)
    for name, below in part.get("properties", {}).items():
        yield from _unbounded(schema, below, f"{where}.{name}")
    for items in (part.get("items"), part.get("additionalProperties")):
        if isinstance(items, dict):
            yield from _unbounded(schema, items, f"{where}[]")
    if part.get("items", {}).get("type") == "integer" and "maxItems" not in part:
        yield f"{where} (its length)"


def test_every_whole_number_that_is_taken_has_a_largest(app: FastAPI) -> None:
    """In paths, queries and bodies of every route; and every list of them a length."""
    schema = app.openapi()
    found: list[str] = []
    for path, methods in schema["paths"].items():
        for method, route in methods.items():
            for one in route.get("parameters", ()):
                found += _unbounded(schema, one["schema"], f"{method} {path} {one['name']}")
            for taken in route.get("requestBody", {}).get("content", {}).values():
                found += _unbounded(schema, taken["schema"], f"{method} {path}")
    assert found == []


async def test_a_list_of_more_stories_than_a_statement_takes_is_refused(api: Api) -> None:
    edition = await paper(api)
    many = list(range(1, 100_000))
    for body in ({"remove": many}, {"restore": many}, {"sections": {"tools": many}}):
        assert (await api("PATCH", f"/editions/{edition}", body, If_Match='"1"')).status_code == 422


def _strings(schema: dict[str, Any], part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Bodies with what no text may hold, one for each field."""
    if "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    for below in part.get("anyOf", ()):
        yield from _strings(schema, below)
    for name in part.get("properties", {}):
        yield {name: "a\0b"}
    yield dict.fromkeys(part.get("properties", ()), "a\x00b")
    yield {"a\0b": "a\0b"}
    for field in ("headline", "body", "name", "url", "ref", "byline", "thing"):  # where the schema is open
        yield {field: "a\0b"}


async def test_what_no_text_may_hold_is_never_a_fault_of_ours(api: Api, app: FastAPI) -> None:
    """NUL and half of a pair, in every path, query and body: PostgreSQL takes neither."""
    schema, faults = app.openapi(), []
    for path, methods in schema["paths"].items():
        if not path.startswith("/api/v1") or path.endswith("/collect"):  # which asks other people's servers
            continue
        for method, route in methods.items():
            parameters = route.get("parameters", ())
            for sign in ("a%00b", "%ED%A0%80", "1%00"):
                where, query = path.removeprefix("/api/v1"), ""
                for one in parameters:
                    where = where.replace(f"{{{one['name']}}}", "1" if one["schema"].get("type") == "integer" else sign)
                    query += f"&{one['name']}={sign}" if one["in"] == "query" else ""
                for asked in (where, f"{where}?{query[1:]}"):
                    answer = await api(method.upper(), asked, {} if method in ("post", "patch", "put") else None)
                    faults += [f"{method} {asked}"] if answer.status_code >= 500 else []
            for taken in route.get("requestBody", {}).get("content", {}).values():
                for body in _strings(schema, taken["schema"]):
                    answer = await api(method.upper(), where.replace(sign, "1"), body, If_Match='"1"')
                    faults += [f"{method} {path} {body}"] if answer.status_code >= 500 else []
    assert faults == []


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
