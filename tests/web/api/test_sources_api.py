"""Sources and candidates through the operator API: scopes, audit, keyset pages, health, and what is refused."""

from collections.abc import AsyncIterator, Iterator

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.settings import Settings
from app.models import AuditEntry
from app.stages.collect.gather import gather
from app.store import health
from tests.conftest import NOON
from tests.stages.collect.feed_server import News, Press
from tests.web.api.test_operator_api import STORY, Api, key

KILN = News("Kiln agents run offline on one small laptop", "https://kiln.example/offline")
REED = News("Reed opens the weights of its lantern model", "https://reed.example/lantern", 5)


@pytest.fixture
async def container(settings: Settings, clock: FixedClock) -> AsyncIterator[Container]:
    """One that may read feeds from this machine."""
    made = build(settings.model_copy(update={"private_sources": ("127.0.0.0/8",)}), clock)
    yield made
    await made.close()


@pytest.fixture
async def api(client: AsyncClient, container: Container) -> Api:
    return Api(client, await key(container))


@pytest.fixture
def press() -> Iterator[Press]:
    made = Press()
    yield made
    made.server.close()


async def audited(container: Container) -> list[tuple[str, str]]:
    async with container.db.read() as session:
        rows = await session.execute(select(AuditEntry.action, AuditEntry.noun).order_by(AuditEntry.id))
        return [(action, noun) for action, noun in rows]


async def test_a_source_is_added_tried_changed_and_removed(api: Api, press: Press, container: Container) -> None:
    """Each with its audit line; kind and name are guessed; its health comes with it."""
    made = await api("POST", "/sources", {"url": press.print("/kiln", [KILN]), "section": "opinion"})
    assert made.status_code == 201
    source = made.json()
    assert (source["kind"], source["name"], source["section"]) == ("feed", "127.0.0.1", "opinion")
    assert (source["weight"], source["most"], source["enabled"], source["health"]) == (1.0, 20, True, None)
    path = f"/sources/{source['id']}"
    tried = (await api("POST", f"{path}/check")).json()
    assert (tried["ok"], tried["problem"], tried["finds"][0]["title"]) == (True, "", KILN.title)
    changed = await api("PATCH", path, {"name": "Kiln", "enabled": False})
    assert (changed.json()["name"], changed.json()["enabled"]) == ("Kiln", False)
    shown = (await api("GET", path)).json()
    assert (shown["health"]["breaker"], shown["health"]["items"]) == ("closed", 1)
    assert shown["health"]["data_age_seconds"] == 7200
    assert (await api("DELETE", path)).status_code == 204
    assert (await api("GET", path)).status_code == 404
    assert (await api("DELETE", path)).status_code == 404
    assert await audited(container) == [(deed, "source") for deed in ("create", "check", "change", "delete")]


async def test_the_same_address_twice_is_a_conflict(api: Api, press: Press) -> None:
    """Added or changed into; the sentence says which source has it."""
    first = (await api("POST", "/sources", {"url": "https://kiln.example/feed"})).json()
    answer = await api("POST", "/sources", {"url": "https://kiln.example/feed"})
    assert (answer.status_code, answer.json()["detail"]) == (409, f"That address is source {first['id']} already.")
    second = (await api("POST", "/sources", {"url": "https://reed.example/feed"})).json()
    answer = await api("PATCH", f"/sources/{second['id']}", {"url": "https://kiln.example/feed"})
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "url"),
        ({"url": "nonsense"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://me:secret@kiln.example/"}, "url"),
        ({"url": "https://kiln.example/", "section": "movers"}, "section"),
        ({"url": "https://kiln.example/", "weight": -1}, "weight"),
        ({"url": "https://kiln.example/", "most": 0}, "most"),
        ({"url": "https://kiln.example/", "kind": "gopher"}, "kind"),
        ({"url": "https://kiln.example/", "name": "a\nb"}, "name"),
        ({"url": "https://kiln.example/", "colour": "red"}, "colour"),
    ],
)
async def test_a_malformed_source_is_told_which_field(api: Api, fields: dict[str, object], field: str) -> None:
    """422, and nothing is written."""
    answer = await api("POST", "/sources", fields)
    assert answer.status_code == 422
    assert field in [one["field"] for one in answer.json()["errors"]]
    assert (await api("GET", "/sources")).json()["items"] == []


async def test_arxiv_and_hacker_news_are_known_by_their_address(api: Api) -> None:
    """And the sources we suggest are added once."""
    arxiv = await api("POST", "/sources", {"url": "https://export.arxiv.org/api/query?search_query=cat:cs.SD"})
    assert (arxiv.json()["kind"], arxiv.json()["name"]) == ("arxiv", "arXiv")
    hacker = await api("POST", "/sources", {"url": "https://hn.algolia.com/api/v1/search_by_date?query=rag"})
    assert (hacker.json()["kind"], hacker.json()["name"]) == ("hackernews", "Hacker News")
    assert len((await api("POST", "/sources/defaults")).json()["added"]) == 20
    assert (await api("POST", "/sources/defaults")).json() == {"added": []}
    page = (await api("GET", "/sources?limit=15")).json()
    rest = (await api("GET", f"/sources?limit=15&before={page['next']}")).json()
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (15, 7, None)


async def test_reading_does_not_allow_writing(client: AsyncClient, container: Container) -> None:
    """403 for every change, 401 without a key."""
    reader = Api(client, await key(container, "read", name="reader"))
    for method, path in (
        ("POST", "/sources"), ("PATCH", "/sources/1"), ("DELETE", "/sources/1"), ("POST", "/sources/1/check"),
        ("POST", "/sources/defaults"), ("POST", "/stories/1/accept"), ("POST", "/stories/1/dismiss"),
        ("POST", "/stories/1/restore"),
    ):  # fmt: skip
        assert (await reader(method, path, {})).status_code == 403
    assert (await reader("GET", "/sources/health")).status_code == 200
    assert (await client.get("/api/v1/sources")).status_code == 401


async def test_the_health_of_every_source_is_told(api: Api, container: Container) -> None:
    """Those of trends beside those of stories; one that fails is left alone."""
    async with container.db.write() as session:
        await health.record_success(session, "huggingface", NOON, latency_ms=80, data_at=NOON)
        for _ in range(3):
            await health.record_failure(session, "github", "GitHub could not be read: it answered 500.", NOON)
    github, hub = (await api("GET", "/sources/health")).json()
    assert (github["name"], github["breaker"], github["failures"]) == ("github", "open", 3)
    assert github["open_until"].startswith("2026-11-23T13:00:00")
    assert (hub["name"], hub["breaker"], hub["latency_ms"], hub["quiet"]) == ("huggingface", "closed", 80, False)


async def test_candidates_are_listed_accepted_dismissed_and_restored(
    api: Api, press: Press, container: Container
) -> None:
    """They are apart from the stories that may be printed, and come with all that show them."""
    assert (await api("POST", "/stories", STORY)).status_code == 201
    for path, news in (("/kiln", [KILN, REED]), ("/hn", [News(KILN.title, KILN.url, 1, "", 300)])):
        kind = "hackernews" if path == "/hn" else "feed"
        await api(
            "POST", "/sources", {"url": press.print(path, news), "kind": kind, "name": path[1:], "section": "tools"}
        )
    await gather(container.db, container.gatherer, NOON, 30)
    assert [one["headline"] for one in (await api("GET", "/stories")).json()["items"]] == [STORY["headline"]]
    listed = (await api("GET", "/stories?status=candidate")).json()["items"]
    found = {one["headline"]: one for one in listed}
    assert set(found) == {KILN.title, REED.title}
    kiln, reed = found[KILN.title], found[REED.title]
    assert (kiln["status"], kiln["source"], kiln["summary"]) == ("candidate", "kiln", KILN.summary)
    shown = [(one["source"], one["points"]) for one in kiln["seen_at_sources"]]
    assert sorted(shown, key=str) == [("hn", 300), ("kiln", None)]
    page = (await api("GET", "/stories?status=candidate&limit=1")).json()
    rest = (await api("GET", f"/stories?status=candidate&limit=1&before={page['next']}")).json()
    assert {page["items"][0]["id"], rest["items"][0]["id"]} == {kiln["id"], reed["id"]}

    answer = await api("PATCH", f"/stories/{kiln['id']}", {"headline": "x"})
    assert (answer.status_code, "accept it" in answer.json()["detail"]) == (409, True)
    accepted = await api("POST", f"/stories/{kiln['id']}/accept", {"section": "lead", "standfirst": "In our words."})
    assert (accepted.json()["status"], accepted.json()["section"]) == ("ready", "lead")
    assert accepted.json()["standfirst"] == "In our words."
    assert (await api("POST", f"/stories/{kiln['id']}/accept")).status_code == 409
    assert (await api("POST", f"/stories/{reed['id']}/accept", {"section": "movers"})).status_code == 422
    for _ in range(2):
        assert (await api("POST", f"/stories/{reed['id']}/dismiss")).json()["status"] == "dismissed"
    assert (await api("POST", f"/stories/{reed['id']}/restore")).json()["status"] == "candidate"
    assert (await api("POST", f"/stories/{kiln['id']}/restore")).status_code == 409
    plain = await api("POST", f"/stories/{reed['id']}/accept")
    assert plain.json()["standfirst"] == REED.summary
    assert (await api("POST", "/stories/999/dismiss")).status_code == 404
    deeds = [deed for deed, noun in await audited(container) if noun == "story"]
    assert deeds == ["create", "accept", "dismiss", "dismiss", "restore", "accept"]


async def test_a_feed_inside_our_walls_is_refused_where_it_was_not_allowed(
    settings: Settings, clock: FixedClock, press: Press
) -> None:
    """Whoever holds a key for writing cannot make the service read its own network."""
    from httpx import ASGITransport

    from app.main import create_app

    made = build(settings, clock)
    transport = ASGITransport(create_app(made))
    async with AsyncClient(transport=transport, base_url="http://post.test") as outside:
        api = Api(outside, await key(made))
        source = (await api("POST", "/sources", {"url": press.print("/kiln", [KILN])})).json()
        tried = (await api("POST", f"/sources/{source['id']}/check")).json()
    await made.close()
    assert (tried["ok"], tried["finds"]) == (False, [])
    assert "not on the public Internet" in tried["problem"]
    assert press.server.asked == []
