"""Trends through the operator API: count, look at any day, rule, and what is refused."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import select

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.settings import Settings
from app.main import create_app
from app.models import AuditEntry, Edition
from app.stages.compose import draft
from app.stages.render import freeze
from tests.conftest import NOON
from tests.stages.collect.servers import both
from tests.stages.collect.standin import StandIn, closed_port
from tests.stages.collect.world import small_world
from tests.web.api.test_operator_api import STORY, Api, key

GRIST = "github:repository:101"


@pytest.fixture
def server(clock: FixedClock) -> Iterator[StandIn]:
    with both(small_world(NOON.date() + timedelta(days=8)), clock.now) as one:
        yield one


@pytest.fixture
async def container(settings: Settings, clock: FixedClock, server: StandIn) -> AsyncIterator[Container]:
    """One whose Hugging Face and GitHub are the stand-ins."""
    urls = {"huggingface_url": server.url, "github_url": server.url, "github_token": "ghp_test"}
    made = build(Settings(**{**settings.model_dump(), **urls}), clock)
    yield made
    await made.close()


@pytest.fixture
async def api(client: AsyncClient, container: Container) -> Api:
    return Api(client, await key(container))


async def count(api: Api) -> None:
    answer = await api("POST", "/trends/collect")
    assert answer.status_code == 200, answer.text
    assert [one["problems"] for one in answer.json()["sources"]] == [[], []]


async def chart(api: Api, path: str) -> dict[str, dict[str, Any]]:
    (found,) = (await api("GET", path)).json()
    return {row["name"]: row for row in found["rows"]}


async def print_today(api: Api, container: Container) -> None:
    """An edition of today that readers can see."""
    assert (await api("POST", "/stories", STORY)).status_code == 201
    now = container.clock.now()
    made = await draft.compose(container.db, now.date(), now, ())
    await freeze.freeze(container.db, made.edition_id, container.settings.publication, now)
    async with container.db.read() as session:
        assert await session.scalar(select(Edition.frozen_at).where(Edition.id == made.edition_id)) is not None


async def test_a_count_makes_captures_charts_and_movers(api: Api) -> None:
    """One capture for each source and kind, in keyset pages; charts in the order of their places."""
    assert (await api("GET", "/trends")).json() == {"items": [], "next": None}
    assert (await api("GET", "/trends/charts")).json() == []
    await count(api)
    whole = (await api("GET", "/trends")).json()["items"]
    assert {(one["source"], one["kind"]) for one in whole} == {
        *(("huggingface", kind) for kind in ("model", "dataset", "space", "paper", "movers")),
        *(("github", kind) for kind in ("repository", "movers")),
    }
    assert {one["day"] for one in whole} == {f"{NOON:%Y-%m-%d}"}
    first = (await api("GET", "/trends?limit=4")).json()
    second = (await api("GET", f"/trends?limit=4&before={first['next']}")).json()
    assert [*first["items"], *second["items"]] == whole
    assert second["next"] is None
    (only,) = (await api("GET", "/trends?source=github&kind=repository")).json()["items"]
    shown = (await api("GET", f"/trends/{only['id']}")).json()
    assert len(shown["rows"]) == only["rows"] > 3
    places = [row["place"] for row in shown["rows"] if row["place"]]
    assert places == sorted(places)
    (three,) = (await api("GET", "/trends/charts?kind=repository&rows=3")).json()
    assert three["rows"] == shown["rows"][:3]
    assert [one["kind"] for one in (await api("GET", "/trends/charts?source=huggingface")).json()] == [
        "dataset", "model", "paper", "space",
    ]  # fmt: skip


async def test_movers_say_how_far_and_why(api: Api, clock: FixedClock, container: Container) -> None:
    """Gain, usual week, surprise, arrows, days on the chart and the reason, of a day that is asked for by its date."""
    await count(api)
    await print_today(api, container)
    for _ in range(8):
        clock.move(clock.now() + timedelta(days=1))
        await count(api)
    rows = await chart(api, "/movers?source=github")
    halyard = rows["halyard-io/halyard"]
    assert halyard["gained"] > halyard["usual"] > 0
    assert halyard["surprise"] == pytest.approx(
        (halyard["gained"] - halyard["usual"]) / (halyard["usual"] + 100) ** 0.5
    )
    assert halyard["multiple"] == round((halyard["gained"] + 10) / (halyard["usual"] + 10), 1)
    assert (halyard["move"], halyard["places"]) == ("up", halyard["was"] - halyard["place"])
    assert halyard["days_on_chart"] == 2  # the one edition that was printed, and this day
    assert halyard["why"]
    assert halyard["why_url"].startswith("https://")
    assert len(halyard["spark"]) == 14
    surprises = [row["surprise"] for row in rows.values() if row["surprise"] is not None]
    assert surprises == sorted(surprises, reverse=True)
    on_the_first_day = await chart(api, f"/movers?source=github&day={NOON:%Y-%m-%d}")
    assert all(row["days_on_chart"] in (1, None) for row in on_the_first_day.values())
    printed = {row["name"] for row in rows.values() if row["listed"]}
    assert {rows[name]["listed_since"] for name in printed} == {f"{NOON:%Y-%m-%d}"}
    assert (await api("GET", "/movers?day=2020-01-01")).json() == []


async def test_a_ruling_takes_hold_at_the_next_count_and_is_written_down(api: Api, container: Container) -> None:
    """By name in any case, by ref; held with its reason; listed until it is taken back; each with its audit line."""
    await count(api)
    assert (await api("GET", "/trends/held")).json() == []
    blocked = (await api("POST", "/trends/block", {"thing": "GristMill/grist"})).json()
    assert (blocked["ref"], blocked["name"], blocked["ruling"]) == (GRIST, "gristmill/grist", "block")
    assert (await api("GET", "/trends/rulings")).json() == {"items": [blocked], "next": None}
    await count(api)
    (held,) = (await chart(api, "/trends/held")).values()
    assert (held["ref"], held["held"], held["remark"]) == (GRIST, True, "blocked by an editor")
    assert (held["place"], held["move"]) == (None, "unknown")
    (capture,) = (await api("GET", "/trends?kind=repository")).json()["items"]
    assert capture["held"] == 1
    assert (await api("POST", "/trends/allow", {"thing": GRIST})).json()["ruling"] == "allow"
    assert (await api("POST", "/trends/allow", {"thing": "halyard-io/halyard"})).status_code == 200
    first = (await api("GET", "/trends/rulings?limit=1")).json()
    second = (await api("GET", f"/trends/rulings?limit=1&before={first['next']}")).json()
    assert {one["items"][0]["name"] for one in (first, second)} == {"gristmill/grist", "halyard-io/halyard"}
    for name in ("101", "halyard-io/halyard"):
        assert (await api("POST", "/trends/clear", {"thing": name})).json()["ruling"] is None
    await count(api)
    assert (await api("GET", "/trends/held")).json() == []
    assert (await api("GET", "/trends/rulings")).json()["items"] == []
    async with container.db.read() as session:
        deeds = (await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))).all()
    assert deeds == ["collect", "block", "collect", "allow", "allow", "clear", "clear", "collect"]


async def test_what_cannot_be_done_is_said_in_a_sentence(api: Api, clock: FixedClock) -> None:
    """404 for what was never counted, 409 where a name means several things, 422 for a malformed question."""
    clock.move(NOON + timedelta(days=8))
    await count(api)
    answer = await api("POST", "/trends/allow", {"thing": "nobody/nothing"})
    assert (answer.status_code, "was ever counted" in answer.json()["detail"]) == (404, True)
    answer = await api("POST", "/trends/block", {"thing": "fernbank/frond-tts"})
    assert answer.status_code == 409
    assert "huggingface:model:" in answer.json()["detail"]
    for path in ("/trends/999999", "/trends/nonsense"):
        assert (await api("GET", path)).status_code == 404
    answer = await api("GET", "/trends/allow")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    for method, path, sent in (
        ("GET", "/trends?day=23.11.2026", None), ("GET", "/trends/charts?kind=gossip", None),
        ("GET", "/trends/charts?rows=0", None), ("GET", "/movers?source=nobody", None),
        ("GET", "/trends?limit=0", None), ("GET", "/trends?day=0", None),
        ("POST", "/trends/block", {}), ("POST", "/trends/block", {"thing": ""}),
        ("POST", "/trends/collect", {"within": 3600}), ("POST", "/trends/collect", {"colour": "red"}),
    ):  # fmt: skip
        answer = await api(method, path, sent)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), path
    assert (await api("GET", "/trends/rulings")).json()["items"] == []


async def test_a_source_that_is_down_says_why_and_costs_nothing_else(settings: Settings, clock: FixedClock) -> None:
    """The answer is 200 all the same: the count was made, and its report names the problems."""
    nowhere = closed_port()
    container = build(Settings(**{**settings.model_dump(), "huggingface_url": nowhere, "github_url": nowhere}), clock)
    transport = ASGITransport(create_app(container), raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://post.test") as client:
        api = Api(client, await key(container))
        answer = await api("POST", "/trends/collect", {"within": 5})
        assert answer.status_code == 200
        assert {one["name"]: (one["rows"], bool(one["problems"])) for one in answer.json()["sources"]} == {
            "Hugging Face": (0, True),
            "GitHub": (0, True),
        }
        assert (await api("GET", "/trends")).json()["items"] == []
    await container.close()


async def test_reading_does_not_allow_writing(client: AsyncClient, container: Container) -> None:
    """403 for each deed, 401 without a key."""
    reader = Api(client, await key(container, "read", name="reader"))
    deeds = ("allow", "block", "clear", "collect")
    for deed in deeds:
        sent = None if deed == "collect" else {"thing": GRIST}
        answer = await reader("POST", f"/trends/{deed}", sent)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
        assert (await client.post(f"/api/v1/trends/{deed}", json=sent)).status_code == 401
    for path in ("/trends", "/trends/charts", "/trends/held", "/trends/rulings", "/movers"):
        assert (await reader("GET", path)).status_code == 200
        assert (await client.get(f"/api/v1{path}")).status_code == 401


async def test_the_openapi_document_names_every_route_of_trends(client: AsyncClient) -> None:
    """With its method: a program is written against these."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    found = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in paths.items()
        for method in methods
        if path.startswith(("/api/v1/trends", "/api/v1/movers"))
    }
    assert found == {
        ("GET", "/trends"), ("GET", "/trends/charts"), ("GET", "/trends/held"), ("GET", "/trends/rulings"),
        ("GET", "/trends/{capture_id}"), ("GET", "/movers"), ("POST", "/trends/allow"), ("POST", "/trends/block"),
        ("POST", "/trends/clear"), ("POST", "/trends/collect"),
    }  # fmt: skip
