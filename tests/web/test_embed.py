"""The form in another site's frame, and a form of another site's own."""

import re
from pathlib import Path

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from app.bootstrap import Container
from app.core.clock import FixedClock
from app.core.settings import load_settings
from app.models import Consent, Subscriber
from app.stages.audience import placements, snippets
from app.web import nonce
from app.web.guard import SITE_POLICY
from tests.people import NOON

from .conftest import SITE, Readers, form

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
async def _placed(container: Container) -> None:
    async with container.db.write() as session:
        await placements.create(session, "partner-site", "The partner's sidebar", NOON)


async def the_consent(container: Container) -> Consent:
    async with container.db.read() as session:
        return (await session.scalars(select(Consent))).one()


async def test_only_the_embedded_form_and_its_answers_may_be_framed(client: AsyncClient, container: Container) -> None:
    """Every other page forbids it; but for that the policy is the same, and still without inline scripts."""
    open_policy = SITE_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")
    framed = [
        await client.get("/embed"),
        await client.post("/embed", data=form(container, email="ada@example.org")),
        await client.post("/embed", data=form(container, email="ada")),
        await client.post("/embed", data={"email": "ada@example.org"}),
        await client.post("/embed", content=b"x", headers={"content-type": "text/plain"}),
        await client.request("DELETE", "/embed"),
    ]
    assert [answer.status_code for answer in framed] == [200, 200, 422, 422, 415, 405]
    for answer in framed:
        assert answer.headers["content-security-policy"] == open_policy
        assert "x-frame-options" not in answer.headers
        assert "set-cookie" not in answer.headers
        assert '<base target="_top">' in answer.text
    for path in ("/", "/editions", "/qr", "/confirm/x", "/embed/x", "/embedded"):
        answer = await client.get(path)
        assert answer.headers["content-security-policy"] == SITE_POLICY
        assert "_top" not in answer.text
    refused = await client.post("/subscribe", data=form(container, email="ada"))
    assert refused.headers["content-security-policy"] == SITE_POLICY


async def test_the_framed_form_carries_placement_campaign_and_name(client: AsyncClient, container: Container) -> None:
    """No header, no footer, one form that answers in the frame; nothing of it is cached."""
    page = await client.get("/embed?src=partner-site&utm_medium=sidebar")
    assert page.headers["cache-control"] == "no-store"
    assert "<header" not in page.text
    assert "<footer" not in page.text
    assert page.text.count("<h1") == 1
    assert re.search(r'<form class="coupon" action="/embed" method="post" target="_self">', page.text)
    told = dict(re.findall(r'<input type="hidden" name="(placement|utm_\w+)" value="([^"]*)"', page.text))
    fields = form(container, email="ada@example.org", first_name=" Ada ", **told)
    answer = await client.post("/embed", data=fields)
    assert answer.status_code == 200
    assert "Check your post." in answer.text
    asked = await the_consent(container)
    assert (asked.method, asked.placement, asked.utm) == ("form", "partner-site", {"utm_medium": "sidebar"})
    async with container.db.read() as session:
        assert (await session.scalars(select(Subscriber.first_name))).one() == "Ada"


async def test_a_name_that_cannot_be_kept_is_said_under_its_field(client: AsyncClient, container: Container) -> None:
    """The address is kept, and is not the one to blame."""
    answer = await client.post("/embed", data=form(container, email="ada@example.org", first_name="x" * 81))
    assert answer.status_code == 422
    assert 'id="name-error"' in answer.text
    assert 'id="email-error"' not in answer.text
    assert 'value="ada@example.org"' in answer.text


async def test_a_form_of_another_site_takes_one_press_more(
    client: AsyncClient, container: Container, readers: Readers, clock: FixedClock
) -> None:
    """It has no signed time: our page shows it again with all it carried, and that one is taken."""
    sent = {"email": "ada@example.org", "first_name": "Ada", "placement": "partner-site", "utm_source": "partner"}
    first = await client.post("/subscribe", data=sent)
    assert first.status_code == 422
    assert "You come from another site, so we ask here once more." in first.text
    assert await readers.status() is None
    clock.move(clock.now() + nonce.FILLED_AFTER)
    shown = dict(re.findall(r'<input [^>]*name="([^"]+)" value="([^"]*)"', first.text))
    assert {name: shown[name] for name in sent} == sent
    assert (await client.post("/subscribe", data=shown)).status_code == 200
    asked = await the_consent(container)
    assert (asked.placement, asked.utm, asked.method) == ("partner-site", {"utm_source": "partner"}, "form")


async def test_json_may_choose_name_sections_and_frequency(client: AsyncClient, container: Container) -> None:
    """For somebody who has not confirmed; and each wrong field is named."""
    wish = {"email": "ada@example.org", "first_name": "Ada", "sections": ["tools", "movers"], "frequency": "weekly"}
    assert (await client.post("/subscribe", json=wish)).status_code == 202
    async with container.db.read() as session:
        reader = (await session.scalars(select(Subscriber))).one()
    assert (reader.first_name, reader.sections, reader.frequency.value) == ("Ada", 0b10100, "weekly")
    bad = {**wish, "first_name": "x" * 81, "sections": [], "frequency": "hourly"}
    answer = await client.post("/subscribe", json=bad)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["first_name", "sections", "frequency"]


async def test_a_sign_up_changes_nothing_that_a_reader_chose(client: AsyncClient, readers: Readers) -> None:
    """Anybody may type anybody's address: neither a reader's name nor their sections follow."""
    await readers.join()
    await client.post("/subscribe", json={"email": "ada@example.org", "first_name": "Eve", "frequency": "weekly"})
    async with readers.container.db.read() as session:
        reader = (await session.scalars(select(Subscriber))).one()
    assert (reader.first_name, reader.frequency.value) == ("", "daily")


async def test_the_api_describes_what_is_taken(client: AsyncClient) -> None:
    """JSON with its choices, forms without; every reference in it can be followed."""
    described = (await client.get("/openapi.json")).json()
    content = described["paths"]["/subscribe"]["post"]["requestBody"]["content"]
    program = content["application/json"]["schema"]
    assert program["additionalProperties"] is False
    assert program["required"] == ["email"]
    assert program["properties"]["frequency"]["enum"] == ["daily", "weekdays", "weekly"]
    assert "$ref" not in str(content)
    by_form = content["application/x-www-form-urlencoded"]["schema"]["properties"]
    assert set(program["properties"]) - set(by_form) == {"sections", "frequency"}
    assert "/embed" not in described["paths"]


def test_what_an_operator_copies_stands_in_the_docs_word_for_word() -> None:
    """So that the page cannot go stale."""
    page = (ROOT / "docs/sign-up.md").read_text(encoding="utf-8")
    paper = load_settings(public_url="https://post.example.org").publication
    for made in (snippets.frame(paper, "partner-site"), snippets.form(paper, "partner-site")):
        assert "\n".join(f"    {line}" for line in made.splitlines()) in page


async def test_what_is_copied_works_here(client: AsyncClient, container: Container) -> None:
    """The frame's address answers, the form's fields are taken; the name of the paper cannot break out."""
    odd = container.settings.model_copy(update={"publication_name": '"><script>x</script>'}).publication
    frame, own = snippets.frame(odd, "partner-site"), snippets.form(odd, "partner-site")
    assert "<script" not in frame + own
    source = re.search(r'src="([^"]+)"', frame)
    action = re.search(r'action="([^"]+)"', own)
    assert source is not None
    assert action is not None
    assert (await client.get(source[1].removeprefix(SITE))).status_code == 200
    fields = {name: "ada@example.org" if name == "email" else "x" for name in re.findall(r'name="(\w+)"', own)}
    assert (await client.post(action[1].removeprefix(SITE), data=fields)).status_code == 422
