"""Editions are edited over HTTP: versions, refusals, audit."""

from httpx import AsyncClient
from sqlalchemy import text

from app.bootstrap import Container
from app.store import access as rows

from .test_operator_api import STORY, Api, api, key, paper

__all__ = ["api", "key"]


async def audited(container: Container) -> list[tuple[str, str]]:
    async with container.db.read() as session:
        found = await session.execute(text("SELECT actor, action FROM audit_log WHERE noun = 'edition' ORDER BY id"))
        return [(row[0], row[1]) for row in found]


async def test_an_edition_is_edited_held_and_let_go(api: Api, container: Container) -> None:
    """Each answer has the next ETag, each change a line in the audit log."""
    edition = await paper(api)
    seen = await api("GET", f"/editions/{edition}")
    assert seen.headers["etag"] == f'"{seen.json()["version"]}"'
    another = (await api("POST", "/stories", {**STORY, "section": "tools", "headline": "An awl"})).json()["id"]
    changes = {"subject": "Awls are back in the press room", "sections": {"tools": [another]}}
    changed = await api("PATCH", f"/editions/{edition}", changes, If_Match=seen.headers["etag"])
    assert changed.status_code == 200
    body = changed.json()
    assert body["subject"] == changes["subject"]
    assert [one["headline"] for one in body["content"]["tools"]] == ["An awl", "A tool"]
    assert body["content"]["tools"][0]["reason"] == "put here by an operator"
    held = await api("POST", f"/editions/{edition}/hold", {"reason": "A doubt"}, If_Match=changed.headers["etag"])
    assert (held.json()["status"], held.json()["reason"]) == ("held", "A doubt")
    let_go = await api("POST", f"/editions/{edition}/unhold", If_Match=held.headers["etag"])
    assert let_go.json()["status"] == "ready"
    assert [action for _, action in await audited(container)] == ["compose", "edit", "hold", "unhold"]


async def test_an_edit_of_what_was_changed_since_is_refused(api: Api, container: Container) -> None:
    """412 with an old, weak or foreign ETag, 428 without one; nothing changes, nothing is audited."""
    edition = await paper(api)
    old = (await api("GET", f"/editions/{edition}")).headers["etag"]
    assert (await api("PATCH", f"/editions/{edition}", {"remove": [2]}, If_Match=old)).status_code == 200
    before = (await api("GET", f"/editions/{edition}")).json()
    for headers, status in (
        ({"If_Match": old}, 412),
        ({}, 428),
        ({"If_Match": "seven"}, 412),
        ({"If_Match": f'W/"{before["version"]}"'}, 412),
        ({"If_Match": '"3-abc", ' + old}, 412),
    ):
        answer = await api("PATCH", f"/editions/{edition}", {"subject": "Mine"}, **headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
    for deed in ("hold", "unhold", "approve"):
        body = {"reason": "x"} if deed == "hold" else None
        assert (await api("POST", f"/editions/{edition}/{deed}", body, If_Match=old)).status_code == 412
    assert (await api("GET", f"/editions/{edition}")).json() == before
    assert [action for _, action in await audited(container)] == ["compose", "edit"]
    either = f'{old}, W/"9", "{before["version"]}"'
    assert (await api("PATCH", f"/editions/{edition}", {"subject": "Mine"}, If_Match=either)).status_code == 200


async def test_a_saturday_has_a_daily_and_a_weekly(api: Api, container: Container) -> None:
    """Each composed by its kind, with a number and a name of its own; a weekly of a Monday is refused."""
    made = [
        (await api("POST", "/editions/compose", {"date": "2026-11-28", "kind": kind})).json()
        for kind in ("daily", "weekly")
    ]
    assert [one["slug"] for one in made] == ["2026-11-28", "2026-11-28-weekly"]
    assert [one["kind"] for one in made] == ["daily", "weekly"]
    assert made[0]["number"] != made[1]["number"]
    assert made[1]["reason"] == "Nothing was printed from Monday to Friday."
    listed = (await api("GET", "/editions")).json()["items"]
    assert [one["slug"] for one in listed] == ["2026-11-28-weekly", "2026-11-28"]
    refused = await api("POST", "/editions/compose", {"date": "2026-11-23", "kind": "weekly"})
    assert (refused.status_code, refused.json()["detail"]) == (
        422,
        "A weekly is for a Saturday, and 2026-11-23 is none.",
    )


async def test_a_stray_draft_has_no_number_and_is_deleted(api: Api, container: Container, client: AsyncClient) -> None:
    """204, and 404 from then on; a line in the audit log; a key that may only read may not."""
    far = (await api("POST", "/editions/compose", {"date": "2077-01-01", "force": True})).json()
    assert (far["number"], (await api("GET", f"/editions/{far['id']}")).json()["number"]) == (None, None)
    edition = await paper(api)
    today = (await api("GET", f"/editions/{edition}")).json()
    assert (today["number"], today["content"]["number"]) == (1, 1)
    refused = await client.delete(f"/api/v1/editions/{far['id']}", headers=await key(container, "read", name="r"))
    assert refused.status_code == 403
    gone = await api("DELETE", f"/editions/{far['id']}", If_Match=f'"{far["version"]}"')
    assert (gone.status_code, gone.content) == (204, b"")
    for method in ("DELETE", "GET"):
        answer = await api(method, f"/editions/{far['id']}")
        assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no edition {far['id']}.")
        assert answer.headers["content-type"] == "application/problem+json"
    async with container.db.read() as session:
        line = (await rows.trail(session, 1))[0]
    assert (line.action, line.noun_id, line.actor) == ("delete", far["id"], "test")
    assert line.detail == {"date": "2077-01-01", "kind": "daily"}


async def test_what_is_deleted_is_what_was_seen_and_never_frozen(api: Api) -> None:
    """412 for an old ETag or none of ours, 409 with the reason once it was frozen: it is there as before."""
    edition = await paper(api)
    assert (await api("DELETE", f"/editions/{edition}", If_Match='"0"')).status_code == 412
    assert (await api("DELETE", f"/editions/{edition}", If_Match="mine")).status_code == 412
    assert (await api("POST", f"/editions/{edition}/freeze")).status_code == 200
    before = (await api("GET", f"/editions/{edition}")).json()
    refused = await api("DELETE", f"/editions/{edition}", If_Match="*")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        (
            "The edition of 2026-11-23 is frozen. Only an edition that was never frozen can be deleted; "
            "one that goes out can be cancelled."
        ),
    )
    assert (await api("GET", f"/editions/{edition}")).json() == before


async def test_a_correction_that_is_a_draft_is_deleted_and_made_again(api: Api) -> None:
    """The edition it was to replace stays, under its number."""
    edition = await paper(api)
    assert (await api("POST", f"/editions/{edition}/freeze")).status_code == 200
    assert (await api("POST", f"/editions/{edition}/send")).status_code == 200
    made = (await api("POST", f"/editions/{edition}/correct")).json()
    assert (await api("DELETE", f"/editions/{made['id']}")).status_code == 204
    assert (await api("GET", f"/editions/{edition}")).json()["number"] == 1
    again = (await api("POST", f"/editions/{edition}/correct")).json()
    assert (again["number"], again["id"] != made["id"]) == (1, True)
