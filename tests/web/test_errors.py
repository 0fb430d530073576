"""What goes wrong is told to whoever asked, in the form they read, and nothing is half-written."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import event

from app.bootstrap import Container
from app.core.errors import Conflict, InvalidInput, NotAuthorized, NotFound, Refused, StorageError, StorageUnavailable
from app.store import published
from app.web.guard import HEADERS

from .conftest import Readers, form

AS_PROGRAM = {"accept": "application/json"}


@pytest.fixture
def failing_commit(container: Container) -> Iterator[None]:
    """The database takes every statement, and then refuses to commit."""

    def refuse(_: object) -> None:
        raise OSError(28, "No space left on device")

    engine = container.db._writer.sync_engine
    event.listen(engine, "commit", refuse)
    yield
    event.remove(engine, "commit", refuse)


@pytest.mark.usefixtures("failing_commit")
async def test_a_commit_that_fails_is_never_answered_with_success(
    client: AsyncClient, container: Container, readers: Readers
) -> None:
    """The answer waits for the commit: 503, in both forms, and the reader is not written down."""
    for sent in ({"data": form(container, email="ada@example.org")}, {"json": {"email": "ada@example.org"}}):
        answer = await client.post("/subscribe", **sent)  # type: ignore[arg-type]
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert "it is our fault" in answer.text
    assert await readers.status() is None


async def test_a_commit_that_fails_leaves_nobody_half_confirmed(
    readers: Readers, request: pytest.FixtureRequest
) -> None:
    token = await readers.ask()
    request.getfixturevalue("failing_commit")
    assert (await readers.client.post(f"/confirm/{token}")).status_code == 503
    assert await readers.status() == "pending"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_an_unknown_page(client: AsyncClient, method: str) -> None:
    page = await client.request(method, "/nowhere")
    assert page.status_code == 404
    assert "No such page in any edition." in page.text
    assert 'href="/editions"' in page.text
    program = await client.request(method, "/nowhere", headers=AS_PROGRAM)
    assert program.status_code == 404
    assert program.headers["content-type"] == "application/problem+json"
    assert program.json() == {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found"}


@pytest.mark.parametrize("path", ["/editions?before=soon", f"/editions/2026-11-23?v={'x' * 65}"])
async def test_a_page_with_a_broken_query_says_what_to_do(client: AsyncClient, path: str) -> None:
    """In the reader's language, without the words of a validator; a program is told the field."""
    page = await client.get(path, headers={"accept": "text/html", "accept-language": "de"})
    assert page.status_code == 422
    assert "Titelseite" in page.text
    assert " must " not in page.text
    program = await client.get(path, headers=AS_PROGRAM)
    assert " must " in program.json()["detail"]


async def test_a_form_that_cannot_be_read_is_told_in_german_too(client: AsyncClient) -> None:
    fields = "&".join(f"f{number}=x" for number in range(30))
    headers = {"content-type": "application/x-www-form-urlencoded", "accept-language": "de"}
    page = await client.post("/subscribe", content=fields, headers=headers)
    assert page.status_code == 400
    assert "Das Formular kam nicht ganz an" in page.text


async def test_below_the_api_every_error_is_a_problem(client: AsyncClient) -> None:
    """Also for a browser, which accepts pages."""
    answer = await client.get("/api/v1/nowhere", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/confirm/x", "GET, HEAD, POST"),
        ("PUT", "/unsubscribe/x", "GET, HEAD, POST"),
        ("OPTIONS", "/subscribe", "GET, HEAD, POST"),
        ("POST", "/", "GET, HEAD"),
        ("TRACE", "/editions", "GET, HEAD"),
    ],
)
async def test_a_method_that_is_not_served_names_those_that_are(
    client: AsyncClient, method: str, path: str, allow: str
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("The date is in the past.", "date"), 422),
        (NotAuthorized("This needs a key."), 401),
        (NotAuthorized("This key may not do that.", known=True), 403),
        (NotFound("There is no edition 7."), 404),
        (Conflict("It is frozen."), 409),
        (Refused("Not like this."), 400),
        (StorageUnavailable("the database did not answer: secret host"), 503),
        (StorageError("the database refused a row: ada@example.org"), 500),
        (RuntimeError("ada@example.org"), 500),
    ],
)
async def test_each_error_has_its_status_and_faults_of_ours_tell_nothing(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    """4xx repeats our own sentence; 5xx says that it is our fault, and no more. Every answer is protected."""

    async def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(published, "front", fails)
    for headers in ({}, AS_PROGRAM):
        answer = await client.get("/", headers=headers)
        assert answer.status_code == status
        assert ("it is our fault" if status >= 500 else str(error)) in answer.text
        assert "ada@example.org" not in answer.text
        assert "secret host" not in answer.text
        assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)
        assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_every_answer_is_protected(client: AsyncClient) -> None:
    """No frame, no script but ours, no sniffing, no referrer: links carry tokens."""
    for path in ("/", "/subscribe", "/editions", "/confirm/x", "/unsubscribe/x", "/nowhere", "/qr.svg", "/healthz"):
        answer = await client.get(path)
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "unsafe-inline" not in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/confirm/x", "/unsubscribe/x"])
async def test_pages_behind_signed_links_are_kept_nowhere(client: AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.headers["cache-control"] == "no-store"
    assert '<meta name="robots" content="noindex">' in answer.text


async def test_the_application_closes_its_container(app: FastAPI, container: Container) -> None:
    """The lifespan gives connections back."""
    closed = []
    original = type(container).close

    async def close(self: Container) -> None:
        closed.append(self)
        await original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(container), "close", close)
        async with app.router.lifespan_context(app):
            assert not closed
    assert closed == [container]


async def test_a_sender_that_dawdles_does_not_hold_the_writer(client: AsyncClient, container: Container) -> None:
    """A transaction begins when the body is in; until then everybody else is served."""
    rest = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"email=slow"
        await rest.wait()
        yield b"%40example.org&form=" + form(container)["form"].encode()

    headers = {"content-type": "application/x-www-form-urlencoded"}
    dawdling = asyncio.create_task(client.post("/subscribe", content=slowly(), headers=headers))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(60):
        served = await client.post("/subscribe", data=form(container, email="quick@example.org"))
    assert served.status_code == 200
    rest.set()
    assert "slow@example.org" in (await dawdling).text


@pytest.mark.parametrize(("length", "status"), [(100_000, 401), (2_000_000, 413)])
async def test_the_api_reads_more_than_a_form_but_not_everything(client: AsyncClient, length: int, status: int) -> None:
    """A long story is read, and refused for want of a key; a megabyte and more is not read at all."""
    answer = await client.post("/api/v1/stories", json={"body": "x" * length})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/confirm/x", "/unsubscribe/x"])
async def test_a_press_of_a_button_needs_no_long_body(client: AsyncClient, path: str) -> None:
    answer = await client.post(path, content=b"x" * 20_000)
    assert answer.status_code == 413
