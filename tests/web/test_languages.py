"""Pages in the language of whoever asks."""

import re

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from app.core.languages import language_of
from app.models import Consent, Subscriber
from app.stages.audience import wording

from .conftest import Readers, form

GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}


@pytest.mark.parametrize(
    ("path", "headers", "tag"),
    [
        ("/", {}, "en"),
        ("/", GERMAN, "de"),
        ("/?lang=de", {}, "de"),
        ("/?lang=en", GERMAN, "en"),
        ("/?lang=klingon", {"accept-language": "fr"}, "en"),
        ("/nowhere", GERMAN, "de"),
    ],
)
async def test_a_page_is_in_the_language_that_was_asked_for(
    client: AsyncClient, path: str, headers: dict[str, str], tag: str
) -> None:
    """The address wins over the browser; a cache is told what the answer hangs on."""
    answer = await client.get(path, headers=headers)
    assert f'<html lang="{tag}" dir="ltr">' in answer.text
    assert answer.headers["content-language"] == tag
    assert "Accept-Language" in answer.headers["vary"]
    assert ("E-Mail-Adresse" if tag == "de" else "Email address") in answer.text or path == "/nowhere"


async def test_every_page_links_to_itself_in_the_other_language(client: AsyncClient) -> None:
    """By a plain link that keeps the rest of the address; links within the site keep the choice."""
    page = (await client.get("/editions?before=2026-11-01")).text
    assert 'href="?before=2026-11-01&amp;lang=de" hreflang="de" lang="de"' in page
    page = (await client.get("/?lang=de")).text
    assert 'href="?lang=en" hreflang="en"' in page
    assert 'href="/editions?lang=de"' in page
    assert 'action="/subscribe?lang=de"' in page


async def test_a_sign_up_keeps_the_language_of_its_page(client: AsyncClient, readers: Readers) -> None:
    """The record of consent names the words that stood there, as they were shown."""
    page = (await client.get("/", headers=GERMAN)).text
    field = re.search(r'name="language" value="(\w+)"', page)
    assert field is not None
    words = wording.consent("The AI Morning Post").in_(language_of("de"))
    assert words in page
    typed = form(readers.container, email="ada@example.org", language=field[1])
    answer = await client.post("/subscribe", data=typed)
    assert answer.headers["content-language"] == "de"
    assert "hreflang" not in answer.text
    async with readers.container.db.read() as session:
        assert await session.scalar(select(Subscriber.language)) == "de"
        agreed = await session.scalar(select(Consent.wording))
    assert agreed == wording.fingerprint("The AI Morning Post", language_of("de"))
    assert agreed.startswith("1-de:")
    assert len(agreed) <= 64


@pytest.mark.parametrize(("language", "kept"), [("de", "de"), ("DE", "de"), ("xx", ""), ("", "")])
async def test_a_program_may_name_a_language(readers: Readers, language: str, kept: str) -> None:
    """One that we do not have counts as none."""
    answer = await readers.client.post("/subscribe", json={"email": "ada@example.org", "language": language})
    assert answer.status_code == 202
    async with readers.container.db.read() as session:
        assert await session.scalar(select(Subscriber.language)) == kept


async def test_a_second_sign_up_changes_the_language_of_nobody_who_reads(readers: Readers) -> None:
    """Whoever knows an address cannot turn its owner's pages into another language."""
    for language in ("", "de"):
        await readers.client.post("/subscribe", json={"email": "ada@example.org", "language": language})
    async with readers.container.db.read() as session:
        assert await session.scalar(select(Subscriber.language)) == "de"
    await readers.client.post(f"/confirm/{await readers.ask()}")
    await readers.client.post("/subscribe", json={"email": "ada@example.org", "language": "en"})
    async with readers.container.db.read() as session:
        assert await session.scalar(select(Subscriber.language)) == "de"
