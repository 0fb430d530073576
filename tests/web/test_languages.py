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


async def test_a_reader_goes_the_whole_way_in_german(readers: Readers) -> None:
    """Sign-up, confirmation, preferences, leaving and coming back: the reader's language, whatever the browser says."""
    client = readers.client
    typed = form(readers.container, email="ada@example.org", language="de")
    asked = (await client.post("/subscribe", data=typed)).text
    assert "Sehen Sie in Ihre Post." in asked
    token = await readers.confirmation()
    assert "Dürfen wir liefern?" in (await client.get(f"/confirm/{token}")).text
    done = (await client.post(f"/confirm/{token}")).text
    assert "am Dienstag um 06:30 Uhr, Ortszeit London." in done
    link = f"/preferences/{await readers.preferences()}"
    page = (await client.get(link)).text
    assert '<option value="de" lang="de" selected>Deutsch</option>' in page
    assert "Nächste Zeitung: Dienstag, 24. November, 06:30 Uhr, Ortszeit London; dort ist es jetzt 12:00 Uhr." in page
    wishes = {"sections": "tools", "frequency": "daily", "form": "html", "language": "de", "delivery_time": "06:17"}
    refused = await client.post(link, data=wishes)
    assert refused.status_code == 422
    assert "Noch nicht gespeichert. Die Zustellzeit ist eine volle oder halbe Stunde, etwa 06:30." in refused.text
    saved = (await client.post(link, data={**wishes, "delivery_time": "07:30"})).text
    assert "Gespeichert. Die Zeitung am Dienstag folgt diesen Einstellungen." in saved
    leave = f"/unsubscribe/{await readers.leaving()}"
    assert "Sie möchten gehen?" in (await client.get(leave)).text
    assert "Montag, 30. November (eine Woche)" in (await client.post(leave)).text
    back = await client.post(leave, data={"back": "weekly"})
    assert "einmal in der Woche" in back.text
    assert back.headers["content-language"] == "de"


async def test_a_reader_chooses_a_language(readers: Readers) -> None:
    """The answer is in the new one already; one that we do not have is refused in a sentence, with the rest kept."""
    await readers.join()
    link = f"/preferences/{await readers.preferences()}"
    wishes = {"sections": "tools", "frequency": "daily", "form": "html"}
    saved = await readers.client.post(link, data={**wishes, "language": "de"})
    assert "Gespeichert." in saved.text
    assert 'name="language" value=""' in saved.text  # the way back is to what was before
    refused = await readers.client.post(link, data={**wishes, "language": "xx"})
    assert refused.status_code == 422
    assert "Diese Sprache sprechen wir noch nicht." in refused.text
    async with readers.container.db.read() as session:
        assert await session.scalar(select(Subscriber.language)) == "de"


async def test_a_refusal_is_told_to_people_in_their_language_and_to_programs_in_english(readers: Readers) -> None:
    typed = form(readers.container, email="ada@mailinator.com", language="de")
    page = await readers.client.post("/subscribe", data=typed)
    assert page.status_code == 422
    assert "An Adressen bei mailinator.com liefern wir nicht." in page.text
    answer = await readers.client.post("/subscribe", json={"email": "ada", "language": "de"}, headers=GERMAN)
    assert answer.json()["detail"] == "That address has no @ in it."
