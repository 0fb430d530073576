"""Asking for the paper, by form and by program."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import func, select

from app.bootstrap import Container
from app.models import Consent, Subscriber, TransactionalEmail
from app.stages.audience import wording

from .conftest import Readers, form

CONTROLS = [
    "ada\x00@example.org",
    "ada@example.org\r\nBcc: b@example.org",
    "ada@example.org\x7f",
    "\x1bada@example.org",
]


async def rows(container: Container) -> int:
    """How many readers there are."""
    async with container.db.read() as session:
        return (await session.scalar(select(func.count()).select_from(Subscriber))) or 0


def fields(answer: Response) -> set[str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return {one["field"] for one in answer.json()["errors"]}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_address_after_signing_up_leads_to_the_form(client: AsyncClient, method: str) -> None:
    """Asked for again from the address bar, or sent to a friend."""
    answer = await client.request(method, "/subscribe")
    assert (answer.status_code, answer.headers["location"]) == (303, "http://post.test/")


async def test_the_form_is_answered_by_a_page_that_says_what_happens_next(
    client: AsyncClient, container: Container
) -> None:
    """The reader is written down as pending with zone, wording and where they came from; a confirmation is owed."""
    answer = await client.post(
        "/subscribe",
        data=form(container, email=" Ada@Example.org ", timezone="Europe/Paris"),
        headers={"user-agent": "Browser 1.0"},
    )
    assert answer.status_code == 200
    assert "Check your post." in answer.text
    assert "it works for 7 days" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    async with container.db.read() as session:
        reader = (await session.scalars(select(Subscriber))).one()
        asked = (await session.scalars(select(Consent))).one()
        owed = (await session.scalars(select(TransactionalEmail))).one()
    assert (reader.address, reader.status.value, reader.zone) == ("Ada@example.org", "pending", "Europe/Paris")
    assert (asked.act, asked.method, asked.ip, asked.user_agent) == ("asked", "form", "127.0.0.1", "Browser 1.0")
    assert asked.wording == wording.fingerprint("The AI Morning Post")
    assert (owed.kind, owed.status.value) == ("confirmation", "queued")


async def test_the_wording_that_is_recorded_is_the_one_on_the_form(client: AsyncClient) -> None:
    front = await client.get("/")
    assert wording.consent("The AI Morning Post") in front.text


async def test_json_is_answered_with_202_and_the_same_words(client: AsyncClient, container: Container) -> None:
    answer = await client.post("/subscribe", json={"email": "ada@example.org", "source": "partner page"})
    assert answer.status_code == 202
    assert answer.json() == {"message": "Check your post. We sent a link to ada@example.org; it works for 7 days."}
    async with container.db.read() as session:
        asked = (await session.scalars(select(Consent))).one()
    assert (asked.method, asked.source, asked.wording) == ("api", "partner page", "")


async def test_a_multipart_form_works_too(client: AsyncClient, readers: Readers) -> None:
    fields = form(readers.container, email="ada@example.org")
    answer = await client.post("/subscribe", files={name: (None, value) for name, value in fields.items()})
    assert answer.status_code == 200
    assert await readers.status() == "pending"


@pytest.mark.parametrize("as_json", [False, True])
async def test_known_and_unknown_addresses_get_the_same_answer(readers: Readers, *, as_json: bool) -> None:
    """New, pending, active and left: status, headers and body differ in nothing but the address typed."""

    async def answer(address: str) -> tuple[int, list[tuple[str, str]], str]:
        body: dict[str, Any] = (
            {"json": {"email": address}} if as_json else {"data": form(readers.container, email=address)}
        )
        sent = await readers.client.post("/subscribe", **body)
        headers = [item for item in sent.headers.items() if item[0] != "content-length"]
        return sent.status_code, headers, sent.text.replace(address, "…")

    await readers.ask("pending@example.org")
    await readers.join("active@example.org")
    left = await readers.join("left@example.org")
    await readers.client.post(f"/unsubscribe/{left}")
    answers = [await answer(f"{who}@example.org") for who in ("new", "pending", "active", "left")]
    assert answers[1:] == answers[:1] * 3


@pytest.mark.parametrize("typed", ["", "ada", "ada@", "@example.org", "ada@example", "a@b@example.org", "a" * 300])
async def test_a_malformed_address_shows_the_form_again(client: AsyncClient, container: Container, typed: str) -> None:
    """422; the text is kept, the sentence stands under the field, focus goes there, nothing is written."""
    answer = await client.post("/subscribe", data=form(container, email=typed, timezone="Europe/Paris"))
    assert answer.status_code == 422
    assert "text/html" in answer.headers["content-type"]
    field = re.search(r'<input id="email"[^>]*>', answer.text)
    assert field is not None
    assert f'value="{typed}"' in field[0]
    for attribute in ('aria-invalid="true"', 'aria-describedby="email-error"', " autofocus"):
        assert attribute in field[0]
    sentence = re.search(r'<p class="error" id="email-error">([^<]+)</p>', answer.text)
    assert sentence is not None
    assert sentence[1].strip().endswith((".", "?"))
    assert 'name="timezone" value="Europe/Paris"' in answer.text
    assert await rows(container) == 0


async def test_a_malformed_address_in_json_is_a_problem(client: AsyncClient, container: Container) -> None:
    answer = await client.post("/subscribe", json={"email": "ada@example"})
    assert answer.status_code == 422
    assert fields(answer) == {"email"}
    body = answer.json()
    assert (body["type"], body["title"], body["status"]) == ("about:blank", "Unprocessable Content", 422)
    assert body["detail"] == body["errors"][0]["message"]
    assert await rows(container) == 0


@pytest.mark.parametrize("typed", CONTROLS)
async def test_control_characters_in_the_address_are_refused(
    client: AsyncClient, container: Container, typed: str
) -> None:
    for answer in (
        await client.post("/subscribe", data=form(container, email=typed)),
        await client.post("/subscribe", json={"email": typed}),
    ):
        assert answer.status_code == 422
    assert await rows(container) == 0


@pytest.mark.parametrize("field", ["timezone", "source"])
@pytest.mark.parametrize("value", ["a\x00b", "a\r\nb", "a\ud800b"])
async def test_control_characters_in_any_other_field_are_refused(
    client: AsyncClient, container: Container, field: str, value: str
) -> None:
    body = json.dumps({"email": "ada@example.org", field: value})
    answer = await client.post("/subscribe", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    if "\ud800" not in value:
        assert fields(answer) == {field}
    if field == "timezone" and "\ud800" not in value:
        as_form = await client.post("/subscribe", data={**form(container, email="ada@example.org"), field: value})
        assert as_form.status_code == 422
    assert await rows(container) == 0


async def test_markup_in_the_address_is_shown_as_text(client: AsyncClient, container: Container) -> None:
    answer = await client.post("/subscribe", data=form(container, email='"><script>alert(1)</script>@example.org'))
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"ada@example.org"', b'{"email": 7}', b"{}", b"[" * 10_000, b'{"email":"\xff"}', b"\xff\xfe"],
)
async def test_broken_json_is_a_problem_and_never_our_fault(client: AsyncClient, body: bytes) -> None:
    answer = await client.post("/subscribe", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_unknown_field_in_json_is_named(client: AsyncClient) -> None:
    answer = await client.post("/subscribe", json={"email": "ada@example.org", "admin": True})
    assert answer.status_code == 422
    assert fields(answer) == {"admin"}


async def test_a_broken_multipart_form_is_a_400(client: AsyncClient, container: Container) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = await client.post("/subscribe", content=b"rubbish", headers=headers)
    assert answer.status_code == 400
    assert await rows(container) == 0


async def test_files_are_not_taken(client: AsyncClient, container: Container) -> None:
    answer = await client.post("/subscribe", files={"email": ("a.txt", b"ada@example.org")})
    assert answer.status_code == 400
    assert await rows(container) == 0


async def test_a_body_of_another_kind_is_a_415(client: AsyncClient) -> None:
    answer = await client.post("/subscribe", content=b"ada@example.org", headers={"content-type": "text/plain"})
    assert answer.status_code == 415


@pytest.mark.parametrize("declared", [True, False])
async def test_an_over_long_body_is_refused(client: AsyncClient, container: Container, *, declared: bool) -> None:
    """Whether its length is declared, or only found out by reading."""
    long = b"email=ada%40example.org&x=" + b"y" * 20_000

    async def chunks() -> AsyncIterator[bytes]:  # has no length, so none is declared
        for start in range(0, len(long), 1_000):
            yield long[start : start + 1_000]

    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await client.post("/subscribe", content=long if declared else chunks(), headers=headers)
    assert answer.status_code == 413
    assert "That is too long." in answer.text
    assert await rows(container) == 0


async def test_an_over_long_source_is_refused(client: AsyncClient) -> None:
    answer = await client.post("/subscribe", json={"email": "ada@example.org", "source": "x" * 500})
    assert answer.status_code == 422
    assert fields(answer) == {"source"}


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "x" * 500, "", "Europe"])
async def test_a_zone_we_do_not_know_costs_nobody_the_paper(
    client: AsyncClient, container: Container, zone: str
) -> None:
    answer = await client.post("/subscribe", data=form(container, email="ada@example.org", timezone=zone))
    assert answer.status_code == 200
    async with container.db.read() as session:
        assert (await session.scalars(select(Subscriber.zone))).one() == ""
