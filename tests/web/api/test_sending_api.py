"""An edition that goes out, in an operator's hands: progress as it goes, cancel, retry, late, correct."""

import json
from datetime import timedelta

import pytest
from httpx import AsyncClient

from app.bootstrap import Container
from app.core.clock import FixedClock
from app.store import access as rows
from app.web.api import live
from tests.people import NOON, add_reader
from tests.web.api.test_operator_api import Api, api, key, paper

__all__ = ["api"]


async def sending(api: Api, container: Container) -> int:
    """Of two readers."""
    for address in ("ada@gmail.com", "bob@example.org"):
        await add_reader(container.db, address)
    edition = await paper(api)
    assert (await api("POST", f"/editions/{edition}/freeze")).status_code == 200
    assert (await api("POST", f"/editions/{edition}/send")).json() == {"released": 2}
    return edition


async def test_progress_is_told_by_provider_and_mailbox_provider(api: Api, container: Container) -> None:
    edition = await sending(api, container)
    progress = (await api("GET", f"/editions/{edition}/progress")).json()
    assert progress["counts"] == {"queued": 2}
    assert progress["domains"] == {"gmail": {"queued": 1}, "other": {"queued": 1}}


async def test_progress_is_streamed_until_the_edition_has_ended(
    api: Api, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One event a look, then `end`; a proxy is asked not to keep them back."""
    monkeypatch.setattr(live, "EVERY", 0.01)
    edition = await sending(api, container)
    monkeypatch.setattr(live, "LONGEST", 2)
    going = await api("GET", f"/editions/{edition}/progress", accept="text/event-stream")
    assert going.headers["content-type"].startswith("text/event-stream")
    assert (going.headers["x-accel-buffering"], going.headers["cache-control"]) == ("no", "no-store, no-transform")
    assert "event: progress\ndata: {" in going.text
    assert (going.text.count("event: progress"), going.text.count("event: end")) == (2, 0)
    await api("POST", f"/editions/{edition}/cancel")
    over = await api("GET", f"/editions/{edition}/progress", accept="text/event-stream")
    events = [line.removeprefix("data: ") for line in over.text.splitlines() if line.startswith("data: {")]
    assert json.loads(events[0])["status"] == "cancelled"
    assert over.text.endswith("event: end\ndata: {}\n\n")
    assert (await api("GET", "/editions/77/progress", accept="text/event-stream")).status_code == 404


async def test_an_edition_is_cancelled_with_a_reason(api: Api, container: Container, client: AsyncClient) -> None:
    """For good, and written down; a key that may only write may not."""
    edition = await sending(api, container)
    refused = await client.post(f"/api/v1/editions/{edition}/cancel", headers=await key(container, "write", name="w"))
    assert refused.status_code == 403
    answer = (await api("POST", f"/editions/{edition}/cancel", {"reason": "The lead is wrong"})).json()
    assert (answer["status"], answer["reason"]) == ("cancelled", "The lead is wrong")
    assert (await api("POST", f"/editions/{edition}/resume")).status_code == 409
    async with container.db.read() as session:
        trail = await rows.trail(session, 1)
    assert (trail[0].action, trail[0].detail["reason"]) == ("cancel", "The lead is wrong")


async def test_a_retry_is_counted_before_and_after_and_carried_out_once(
    api: Api, container: Container, clock: FixedClock
) -> None:
    """An Idempotency-Key makes the second press answer as the first."""
    edition = await sending(api, container)
    nobody = {"expired": 0, "rejected_message": 0, "rejected_ours": 0, "unknown": 0, "total": 0}
    assert (await api("GET", f"/editions/{edition}/retry")).json() == nobody
    assert (await api("POST", f"/editions/{edition}/retry?include_unknown=true")).json() == nobody
    first = await api("POST", f"/editions/{edition}/retry", idempotency_key="again")
    assert (await api("POST", f"/editions/{edition}/retry", idempotency_key="again")).json() == first.json()


async def test_late_readers_get_it_once(api: Api, container: Container, clock: FixedClock) -> None:
    edition = await sending(api, container)
    await add_reader(container.db, "late@example.org", confirmed_at=NOON + timedelta(minutes=1))
    clock.move(NOON + timedelta(minutes=2))
    assert (await api("POST", f"/editions/{edition}/late", idempotency_key="late")).json() == {"released": 1}
    assert (await api("POST", f"/editions/{edition}/late", idempotency_key="late")).json() == {"released": 1}
    assert (await api("POST", f"/editions/{edition}/late")).json() == {"released": 0}


async def test_a_correction_is_a_draft_in_the_place_of_the_edition(api: Api, container: Container) -> None:
    """Its stories may be changed again; asked for twice with one key it is one draft."""
    edition = await sending(api, container)
    stories = (await api("GET", "/stories")).json()["items"]
    lead = next(one["id"] for one in stories if one["section"] == "lead")
    assert (await api("PATCH", f"/stories/{lead}", {"headline": "Too late"})).status_code in (404, 409)
    made = (await api("POST", f"/editions/{edition}/correct", idempotency_key="fix")).json()
    assert (await api("POST", f"/editions/{edition}/correct", idempotency_key="fix")).json()["id"] == made["id"]
    assert (made["status"], made["id"] != edition) == ("ready", True)
    assert made["number"] == (await api("GET", f"/editions/{edition}")).json()["number"]
    assert (await api("GET", f"/editions/{edition}")).json()["status"] == "cancelled"
    assert (await api("PATCH", f"/stories/{lead}", {"headline": "As it should be"})).status_code == 200
    assert (await api("POST", "/editions/compose", {})).json()["id"] == made["id"]
    assert (await api("POST", f"/editions/{made['id']}/freeze")).json()["subject"].startswith("As it should be")
    assert (await api("POST", f"/editions/{made['id']}/send")).json() == {"released": 2}
