"""Words of scripts that run from right to left, on pages that run from left to right."""

import re
from collections.abc import AsyncIterator

import lxml.html
import pytest
from httpx import ASGITransport, AsyncClient

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.settings import Settings
from app.main import create_app
from app.models.content import EditionContent, Section
from tests.web.conftest import SITE, form

from . import sample

HEBREW = "\u05d1\u05d5\u05e7\u05e8 \u05d8\u05d5\u05d1 (AI) 2026"
ARABIC = "\u0635\u0628\u0627\u062d \u0627\u0644\u062e\u064a\u0631, 3 models"
STRONG = re.compile("[\u0590-\u08ff]")
"""Letters of Hebrew, Arabic and their neighbours."""


def undirected(page: str) -> list[str]:
    """What a reader sees that runs from right to left, and stands in no element that says so or finds it out."""
    found = []
    for element in lxml.html.fromstring(page).body.iter():
        words = [element.text or "", *(child.tail or "" for child in element)]
        if isinstance(element.tag, str) and any(STRONG.search(one) for one in words):
            around = [element, *element.iterancestors()]
            if not any(one.tag == "bdi" or one.get("dir") in ("auto", "rtl") or _isolates(one) for one in around):
                found.append(" ".join(words).strip())
    return found


def _isolates(element: lxml.html.HtmlElement) -> bool:
    """Addresses in bold are isolated by the style sheet."""
    return bool(element.tag == "b" and element.get("class") == "ink")


def paper() -> EditionContent:
    lead = sample.piece(1, Section.LEAD, HEBREW, standfirst=ARABIC, body=f"<p>{HEBREW}</p><p>{ARABIC}</p>")
    opinion = sample.piece(3, Section.OPINION, ARABIC, standfirst=HEBREW, byline=HEBREW, source=ARABIC)
    return sample.content(lead=lead, subject=HEBREW, preheader=ARABIC, opinion=(opinion,))


@pytest.fixture
async def hebrew(settings: Settings, clock: FixedClock) -> AsyncIterator[tuple[AsyncClient, Container]]:
    """The site of a paper with a Hebrew name."""
    named = settings.model_copy(update={"publication_name": HEBREW, "postal_address": f"{HEBREW} 7"})
    container = build(named, clock)
    transport = ASGITransport(create_app(container), raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url=SITE) as made:
        yield made, container
    await container.close()


async def test_what_people_wrote_says_which_way_it_runs(hebrew: tuple[AsyncClient, Container]) -> None:
    """Headlines, standfirsts, the opening, credits, the paper's name and address."""
    client, container = hebrew
    await sample.publish(container.db, paper())
    for address in ("/", "/editions", "/how-we-count", "/nowhere", "/outbox", "/confirm/x"):
        page = (await client.get(address)).text
        assert STRONG.search(page), address
        assert undirected(page) == [], address
    assert f'<p class="deck" dir="auto">{ARABIC}</p>' in (await client.get("/")).text


async def test_a_name_is_typed_in_its_own_direction(hebrew: tuple[AsyncClient, Container]) -> None:
    """Also where the form comes back with what was typed; an address runs from left to right."""
    client, container = hebrew
    page = (await client.post("/subscribe", data=form(container, email="nobody", first_name=ARABIC))).text
    (name,) = lxml.html.fromstring(page).xpath("//input[@name='first_name']")
    assert (name.get("value"), name.get("dir")) == (ARABIC, "auto")
    (address,) = lxml.html.fromstring(page).xpath("//input[@type='email']")
    assert address.get("dir") == "ltr"
    assert undirected(page) == []


def test_the_check_notices() -> None:
    assert undirected(f"<html><body><p>{HEBREW}</p><p dir='auto'>{ARABIC}<i>x</i>{HEBREW}</p></body></html>") == [
        HEBREW
    ]
