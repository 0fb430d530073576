"""Placements through the operator API."""

from httpx import AsyncClient

from app.bootstrap import Container
from app.store import access as rows

from ..conftest import SITE, Readers
from .test_operator_api import Api, key
from .test_operator_api import api as api  # noqa: PLC0414  # a fixture: used by its name

POSTER = {"code": "Spring-Poster", "label": "Poster, city library"}


async def test_a_placement_is_made_listed_read_and_audited(api: Api, container: Container) -> None:
    """201 with its addresses; the audit line holds the code."""
    made = await api("POST", "/placements", POSTER)
    assert made.status_code == 201
    body = made.json()
    assert (body["code"], body["label"], body["asked"]) == ("spring-poster", "Poster, city library", 0)
    assert body["link"] == f"{SITE}/?src=spring-poster"
    assert body["qr_svg"] == f"{SITE}/qr.svg?src=spring-poster"
    assert body["poster"] == f"{SITE}/qr?src=spring-poster"
    assert (await api("GET", "/placements/SPRING-poster")).json() == body
    assert (await api("GET", "/placements")).json() == {"items": [body], "next": None}
    async with container.db.read() as session:
        (line,) = await rows.trail(session, 1)
    assert (line.actor, line.action, line.noun, line.detail) == (
        "test", "create", "placement", {"code": "spring-poster"},
    )  # fmt: skip


async def test_numbers_follow_the_readers(api: Api, readers: Readers) -> None:
    await api("POST", "/placements", POSTER)
    await readers.client.post("/subscribe", json={"email": "bob@example.org", "placement": "spring-poster"})
    (one,) = (await api("GET", "/placements")).json()["items"]
    assert (one["asked"], one["confirmed"], one["reading"]) == (1, 0, 0)


async def test_a_cursor_that_no_page_gave_is_refused(api: Api) -> None:
    assert (await api("GET", "/placements?after=%00")).status_code == 422


async def test_the_list_comes_in_pages(api: Api) -> None:
    for code in ("b", "c", "a"):
        await api("POST", "/placements", {"code": code, "label": "x"})
    first = (await api("GET", "/placements?limit=2")).json()
    assert ([one["code"] for one in first["items"]], first["next"]) == (["a", "b"], "b")
    second = (await api("GET", "/placements?limit=2&after=b")).json()
    assert ([one["code"] for one in second["items"]], second["next"]) == (["c"], None)


async def test_what_cannot_be_made_is_said_in_a_problem(api: Api) -> None:
    """409 for a code that is taken; 422 names the field; 404 for one that is not there."""
    await api("POST", "/placements", POSTER)
    taken = await api("POST", "/placements", POSTER)
    assert taken.status_code == 409
    for body, field in (
        ({"code": "a b", "label": "x"}, "code"),
        ({"code": "a", "label": " "}, "label"),
        ({"code": "a"}, "label"),
        ({"code": "a", "label": "x", "colour": "red"}, "colour"),
    ):
        answer = await api("POST", "/placements", body)
        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["errors"]] == [field]
    for code in ("nowhere", "%20", "ä"):
        assert (await api("GET", f"/placements/{code}")).status_code == 404


async def test_placements_need_a_key_and_its_scope(client: AsyncClient, container: Container) -> None:
    assert (await client.get("/api/v1/placements")).status_code == 401
    reader = await key(container, "read")
    assert (await client.get("/api/v1/placements", headers=reader)).status_code == 200
    assert (await client.post("/api/v1/placements", json=POSTER, headers=reader)).status_code == 403
