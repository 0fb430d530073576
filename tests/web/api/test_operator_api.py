"""The operator API: keys and scopes, stories, editions, and what a wrong request is told."""

from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from app.bootstrap import Container
from app.operations import access
from app.store import access as rows
from tests.people import NOON, add_reader

STORY = {"section": "lead", "headline": "A lead story of the tests", "standfirst": "It stands first.", "body": "Words."}


async def key(container: Container, *scopes: str, name: str = "test") -> dict[str, str]:
    async with container.db.write() as session:
        made = await access.create_key(session, name, scopes or ("read", "write", "send"), NOON)
    return {"Authorization": f"Bearer {made}"}


class Api:
    """A client that holds a key."""

    def __init__(self, client: AsyncClient, headers: dict[str, str]) -> None:
        self._client, self._headers = client, headers

    async def __call__(self, method: str, path: str, json: Any = None, **headers: str) -> Response:
        sent = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self._client.request(method, f"/api/v1{path}", json=json, headers=sent)


@pytest.fixture
async def api(client: AsyncClient, container: Container) -> Api:
    return Api(client, await key(container))


async def paper(api: Api) -> int:
    """Two stories and an edition of today composed from them."""
    assert (await api("POST", "/stories", STORY)).status_code == 201
    assert (await api("POST", "/stories", {**STORY, "section": "tools", "headline": "A tool"})).status_code == 201
    answer = await api("POST", "/editions/compose", {})
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    return int(answer.json()["id"])


async def test_nothing_is_told_without_a_key(client: AsyncClient, container: Container) -> None:
    """401 with a problem; a revoked key is no key; a key without the scope is told which it lacks."""
    for headers in ({}, {"Authorization": "Bearer mp_wrong"}, {"Authorization": "Basic x"}):
        answer = await client.get("/api/v1/stories", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"
    reader = await key(container, "read")
    assert (await client.get("/api/v1/stories", headers=reader)).status_code == 200
    answer = await client.post("/api/v1/stories", json=STORY, headers=reader)
    assert (answer.status_code, "scope write" in answer.json()["detail"]) == (403, True)
    async with container.db.write() as session:
        await access.revoke_key(session, "test", NOON)
    assert (await client.get("/api/v1/stories", headers=reader)).status_code == 401


async def test_a_story_is_written_read_changed_listed_and_deleted(api: Api) -> None:
    """With keyset pages."""
    ids = [(await api("POST", "/stories", {**STORY, "headline": f"Story {index}"})).json()["id"] for index in range(3)]
    changed = await api("PATCH", f"/stories/{ids[0]}", {"headline": "A better headline"})
    assert (changed.status_code, changed.json()["headline"]) == (200, "A better headline")
    first = (await api("GET", "/stories?limit=2")).json()
    assert [one["id"] for one in first["items"]] == [ids[2], ids[1]]
    second = (await api("GET", f"/stories?limit=2&before={first['next']}")).json()
    assert [one["id"] for one in second["items"]] == [ids[0]]
    assert second["next"] is None
    assert (await api("DELETE", f"/stories/{ids[0]}")).status_code == 204
    assert (await api("GET", f"/stories/{ids[0]}")).status_code == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"headline": ""}, "headline"),
        ({"section": "sports"}, "section"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"body": "a\0b"}, "body"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_malformed_story_is_a_problem_that_names_the_field(
    api: Api, fields: dict[str, str], field: str
) -> None:
    """422, every field named, nothing written; the same for a change."""
    answer = await api("POST", "/stories", {**STORY, **fields})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await api("GET", "/stories")).json()["items"] == []
    made = (await api("POST", "/stories", STORY)).json()["id"]
    answer = await api("PATCH", f"/stories/{made}", fields)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_scripts_in_a_story_never_reach_a_preview(api: Api) -> None:
    """Sanitised when composed, escaped when rendered."""
    nasty = "<script>alert(1)</script><img src=x onerror=alert(2)> **broken *markdown"
    await api("POST", "/stories", {**STORY, "headline": "<b>Bold</b> & wild", "body": nasty})
    await api("POST", "/stories", {**STORY, "section": "deep_dive", "headline": "Dive"})
    edition = (await api("POST", "/editions/compose", {})).json()["id"]
    answer = await api("GET", f"/editions/{edition}/preview")
    assert answer.status_code == 200
    assert "alert(" not in answer.text
    assert "onerror" not in answer.text
    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; wild" in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    words = await api("GET", f"/editions/{edition}/preview?form=text")
    assert words.headers["content-type"].startswith("text/plain")
    assert "**broken *markdown" in words.text


async def test_an_edition_goes_from_draft_to_sent_by_hand(api: Api, container: Container) -> None:
    """Compose, approve, freeze, send, pause, resume, progress; each refused where it makes no sense."""
    edition = await paper(api)
    await add_reader(container.db, "ada@example.org")
    assert (await api("POST", f"/editions/{edition}/send")).status_code == 409
    assert (await api("POST", f"/editions/{edition}/pause")).status_code == 409
    assert (await api("POST", f"/editions/{edition}/approve")).json()["approved_at"] is not None
    frozen = await api("POST", f"/editions/{edition}/freeze")
    assert (frozen.status_code, frozen.json()["status"]) == (200, "frozen")
    assert (await api("POST", f"/editions/{edition}/freeze")).status_code == 200
    assert (await api("POST", "/editions/compose", {})).status_code == 409
    assert (await api("POST", f"/editions/{edition}/send")).json() == {"released": 1}
    assert (await api("POST", f"/editions/{edition}/pause")).json()["status"] == "paused"
    assert (await api("POST", f"/editions/{edition}/resume")).json()["status"] == "sending"
    progress = (await api("GET", f"/editions/{edition}/progress")).json()
    assert progress == {
        "status": "sending",
        "reason": "",
        "released": 1,
        "counts": {"queued": 1},
        "repeated": 0,
        "rate": 0.0,
        "done_at": None,
        "next_release_at": None,
        "next_retry_at": None,
        "next_decision_at": None,
        "workers": 0,
        "providers": {},
        "domains": {"other": {"queued": 1}},
    }
    assert [one["id"] for one in (await api("GET", "/editions")).json()["items"]] == [edition]
    async with container.db.read() as session:
        trail = [entry.action for entry in await rows.trail(session, 100)]
    assert trail == ["resume", "pause", "send", "freeze", "freeze", "approve", "compose", "create", "create"]


async def test_an_edition_with_an_error_is_held_and_an_operator_may_overrule_it(api: Api, container: Container) -> None:
    """Lint says what is wrong, the freeze refuses with the same words, and `force` is written down."""
    edition = await paper(api)
    report = (await api("GET", f"/editions/{edition}/lint")).json()
    assert (report["edition_id"], report["errors"], report["problems"]) == (edition, 0, [])
    lead = (await api("GET", "/stories")).json()["items"][-1]["id"]
    await api("PATCH", f"/stories/{lead}", {"headline": "TODO: a headline"})
    assert (await api("POST", "/editions/compose", {})).json()["status"] == "ready"
    report = (await api("GET", f"/editions/{edition}/lint")).json()
    assert report["problems"][0] == {
        "rule": "placeholder",
        "severity": "error",
        "where": "subject",
        "message": "“TODO:” is a note to oneself.",
    }
    assert report["errors"] == 2
    refused = await api("POST", f"/editions/{edition}/freeze")
    assert (refused.status_code, "Lint found 2 errors" in refused.json()["detail"]) == (409, True)
    held = (await api("GET", f"/editions/{edition}")).json()
    assert (held["status"], held["reason"].startswith("Lint found 2 errors. Subject:")) == ("held", True)
    forced = await api("POST", f"/editions/{edition}/freeze?force=true")
    assert (forced.status_code, forced.json()["status"]) == (200, "frozen")
    async with container.db.read() as session:
        entry = (await rows.trail(session, 1))[0]
    assert entry.detail["overruled"] == ["placeholder: subject", f"placeholder: headline of story {lead}"]


async def test_a_repeat_with_its_key_is_answered_as_the_first(api: Api, container: Container) -> None:
    """Idempotency-Key: the same answer, nobody released twice; the key for another request is refused."""
    edition = await paper(api)
    await add_reader(container.db, "ada@example.org")
    await api("POST", f"/editions/{edition}/freeze")
    refused = await api("POST", "/editions/999/send", Idempotency_Key="k1")
    assert refused.status_code == 404
    first = await api("POST", f"/editions/{edition}/send", Idempotency_Key="k2")
    again = await api("POST", f"/editions/{edition}/send", Idempotency_Key="k2")
    assert first.json() == again.json() == {"released": 1}
    other = await api("POST", f"/editions/{edition}/test", {"to": "ada@example.org"}, Idempotency_Key="k2")
    assert other.status_code == 422
    retried = await api("POST", f"/editions/{edition}/send", Idempotency_Key="k1")
    assert (retried.status_code, retried.json()) == (200, {"released": 0}), "a refusal is not kept"


async def test_a_test_mail_reaches_one_address_and_no_ledger(api: Api, container: Container) -> None:
    """It lies in the outbox, marked as a test, and nobody is released by it."""
    edition = await paper(api)
    answer = await api("POST", f"/editions/{edition}/test", {"to": "desk@example.org"})
    assert answer.status_code == 200, answer.text
    mails = list(Path("var/outbox/new").glob("*.eml"))
    assert len(mails) == 1
    content = mails[0].read_text()
    assert "To: desk@example.org" in content
    assert "Subject: [Test] A lead story of the tests" in content
    assert (await api("GET", f"/editions/{edition}/progress")).json()["released"] == 0
    assert (await api("POST", f"/editions/{edition}/test", {"to": "no address"})).status_code == 422


async def test_what_is_not_there_is_a_404(api: Api) -> None:
    """For every deed on an edition."""
    for method, path in (
        ("GET", ""),
        ("GET", "/preview"),
        ("GET", "/lint"),
        ("POST", "/lint"),
        ("GET", "/progress"),
        ("POST", "/approve"),
        ("POST", "/freeze"),
        ("POST", "/send"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/cancel"),
        ("GET", "/retry"),
        ("POST", "/retry"),
        ("POST", "/late"),
        ("POST", "/correct"),
    ):
        answer = await api(method, f"/editions/77{path}")
        assert (path, answer.status_code) == (path, 404)
        assert answer.json()["detail"] == "There is no edition 77."


async def test_a_distant_date_is_not_composed(api: Api) -> None:
    """A typing error in the year makes no edition."""
    assert (await api("POST", "/editions/compose", {"date": "2036-11-23"})).status_code == 409
    assert (await api("POST", "/editions/compose", {"date": "23.11.2026"})).status_code == 422


async def test_the_openapi_document_names_every_route(client: AsyncClient) -> None:
    """What /docs shows is generated from the routes themselves."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {path for path in paths if path.startswith("/api/v1/editions")} == {
        f"/api/v1/editions{rest}"
        for rest in (
            "",
            "/compose",
            *(
                f"/{{edition_id}}{deed}"
                for deed in (
                    "",
                    "/preview",
                    "/lint",
                    "/approve",
                    "/freeze",
                    "/hold",
                    "/unhold",
                    "/test",
                    "/send",
                    "/pause",
                    "/resume",
                    "/cancel",
                    "/retry",
                    "/late",
                    "/correct",
                    "/progress",
                )
            ),
        )
    }
