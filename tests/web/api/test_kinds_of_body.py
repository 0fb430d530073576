"""What may be sent to the API, and what the answer says of anything else."""

import pytest
from httpx import AsyncClient

from app.bootstrap import Container

from .test_operator_api import Api, api, key

__all__ = ["api"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
async def test_a_body_that_is_not_json_is_415(client: AsyncClient, container: Container, kind: str) -> None:
    """RFC 9110 section 15.5.16: with the kind that would be right."""
    answer = await client.post(
        "/api/v1/stories", content=b"headline=One", headers={"content-type": kind, **await key(container)}
    )
    assert answer.status_code == 415
    assert answer.json()["detail"] == "Send the body as application/json."
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_in_another_encoding_is_400(client: AsyncClient, container: Container) -> None:
    answer = await client.post(
        "/api/v1/stories",
        content='{"headline": "Zeitung f\u00fcr alle"}'.encode("latin-1"),
        headers={"content-type": "application/json; charset=iso-8859-1", **await key(container)},
    )
    assert (answer.status_code, answer.json()["detail"]) == (400, "The body is not in UTF-8.")


async def test_a_fixed_path_is_not_an_id(api: Api) -> None:
    """Each path says which methods it has, and only those, once."""
    for method, path, allowed in (
        ("GET", "/trends/allow", "POST"),
        ("PATCH", "/editions/compose", "POST"),
        ("DELETE", "/sources/health", "GET"),
        ("PUT", "/editions/1", "DELETE, GET, PATCH"),
    ):
        answer = await api(method, path)
        assert (answer.status_code, answer.headers.get_list("allow")) == (405, [allowed]), path


async def test_numbers_and_truth_are_told_apart(api: Api) -> None:
    """And a field of another shape is a sentence, never an error of ours."""
    for body in ({"url": "https://a.example/", "kind": {}}, {"url": "https://a.example/", "enabled": "yes"},
                 {"url": ["https://a.example/"]}, {"url": "https://a.example/", "most": True}):  # fmt: skip
        answer = await api("POST", "/sources", body)
        assert answer.status_code == 422, body
        assert "None" not in answer.text
    assert (await api("POST", "/editions/compose", {"date": 0})).status_code == 422
    assert (await api("POST", "/editions/compose", {"force": "yes"})).status_code == 422


async def test_every_error_is_described_as_a_problem(client: AsyncClient) -> None:
    """With every status of it; nothing says `application/json` of an error."""
    made = (await client.get("/openapi.json")).json()
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            errors = {status: one for status, one in operation["responses"].items() if status >= "400"}
            assert all("application/problem+json" in one["content"] for one in errors.values()), (path, method)
            assert "500" in errors
            if path.startswith("/api/"):
                assert {"401", "403", "503"} <= errors.keys(), (path, method)
            if "requestBody" in operation:
                assert {"400", "413", "415", "422"} <= errors.keys(), (path, method)
    assert {"412", "428"} <= made["paths"]["/api/v1/editions/{edition_id}"]["patch"]["responses"].keys()
    assert "HTTPValidationError" not in made["components"]["schemas"]
