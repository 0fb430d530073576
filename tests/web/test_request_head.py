"""The request line and every header have a limit, and what is longer is answered like any other error."""

import pytest
from httpx import AsyncClient

from app.web.request_head import LONGEST_HEADER, LONGEST_TARGET, MOST_HEADERS

AS_PROGRAM = {"accept": "application/json"}


@pytest.mark.parametrize(
    "target", ["/?q=" + "x" * LONGEST_TARGET, "/" + "y" * LONGEST_TARGET, "/api/v1/" + "/" * LONGEST_TARGET]
)
async def test_a_request_line_that_is_too_long(client: AsyncClient, target: str) -> None:
    program = await client.get(target, headers=AS_PROGRAM)
    assert program.status_code == 414
    assert program.headers["content-type"] == "application/problem+json"
    assert program.json()["detail"] == "The address of the page is longer than any of ours."
    assert program.headers["connection"] == "close"
    if not target.startswith("/api/"):
        page = await client.get(target, headers={"accept": "text/html", "accept-language": "de"})
        assert page.status_code == 414
        assert "länger als jede von unseren" in page.text
        assert len(page.text) < 20_000


@pytest.mark.parametrize("name", ["cookie", "accept-language", "x-forwarded-for", "authorization", "accept", "referer"])
async def test_a_header_that_is_too_long(client: AsyncClient, name: str) -> None:
    """Nor is it looked at for the answer."""
    refused = await client.get("/", headers={"accept": "text/html", name: "x" * LONGEST_HEADER})
    assert refused.status_code == 431
    assert "more about itself than we read" in refused.text
    program = await client.get("/api/v1/editions", headers={"x-long": "x" * LONGEST_HEADER})
    assert program.status_code == 431
    assert program.json()["status"] == 431


async def test_too_many_headers(client: AsyncClient) -> None:
    headers = {f"x-{number}": "x" for number in range(MOST_HEADERS)}
    assert (await client.get("/healthz", headers=headers)).status_code == 431
    assert (await client.get("/healthz", headers=dict(list(headers.items())[:50]))).status_code == 200


async def test_what_is_just_short_enough_is_read(client: AsyncClient) -> None:
    headers = {"cookie": "x" * (LONGEST_HEADER - len("cookie"))}
    assert (await client.get("/healthz?q=" + "x" * (LONGEST_TARGET - 11), headers=headers)).status_code == 200
