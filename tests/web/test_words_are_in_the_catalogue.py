"""Every word on a page comes from the catalogue, from the paper, or from the reader: seen in a language of brackets."""

import gettext
import re

import pytest
from httpx import AsyncClient
from lxml import html

from app.core import languages
from app.core.language import ENGLISH, Language

from . import sample
from .conftest import Readers, form


class Bracketed(gettext.NullTranslations):
    """Says everything in brackets, dates too: what stands outside of them came from no catalogue."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


TAG = "sv"  # a tag that Babel knows the dates of, and we have no catalogue for
NAMES = re.compile(
    r"The AI Morning Post|1 Press Lane, London|\w\S*@example\.org|post\.test\S*|English|Deutsch|svenska|UTC|London"
    r"|Artificial Intelligence|Machine Learning|Future Tech"
    # Of the paper that the front page shows: its sections, names, units and sources.
    r"|Deep Dive|Weekend Reading|press/\S+|stars|likes|The letters desk|Methods Quarterly|Interface Papers"
)


@pytest.fixture(autouse=True)
def _another_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "available", lambda: (ENGLISH, Language(TAG, Bracketed())))


def outside(page: str) -> list[str]:
    """What is said on `page` outside brackets, without what is marked as the paper's own language and names."""
    tree = html.fromstring(page)
    for element in tree.xpath(
        f'//script | //style | //body//*[@lang="{ENGLISH.tag}"] | //optgroup/option | //textarea'
    ):
        element.drop_tree()
    attributes = tree.xpath("//@aria-label | //@alt | //meta[@name='description']/@content")
    texts = [tree.text_content(), *map(str, attributes)]
    return [word for text in texts for word in re.findall(r"[^\W\d_]{2,}", _unsaid(text))]


def _unsaid(text: str) -> str:
    """`text` without what stands in brackets, which may stand in brackets again, and without names."""
    shorter = re.sub(r"⟦[^⟦⟧]*⟧", "", text)
    return NAMES.sub("", text) if shorter == text else _unsaid(shorter)


async def test_no_page_says_a_word_of_its_own(client: AsyncClient, readers: Readers) -> None:
    """The way of a reader from the front page to leaving, and what goes wrong on it."""
    await sample.publish(readers.container.db, sample.content())
    answers = [
        await client.get(f"/?lang={TAG}"),
        await client.get(f"/editions?lang={TAG}"),
        await client.get(f"/editions?lang={TAG}&before=2020-01-01"),
        await client.get(f"/nowhere?lang={TAG}"),
        await client.get(f"/confirm/x?lang={TAG}"),
        await client.post("/subscribe", data=form(readers.container, email="ada", language=TAG)),
        await client.post("/subscribe", data=form(readers.container, email="ada@example.org", language=TAG)),
    ]
    token = await readers.confirmation()
    answers += [
        await client.get(f"/preferences/{await readers.preferences()}"),
        await client.get(f"/confirm/{token}"),
        await client.post(f"/confirm/{token}"),
        await client.get(f"/confirm/{token}"),
    ]
    settings, leave = f"/preferences/{await readers.preferences()}", f"/unsubscribe/{await readers.leaving()}"
    wishes = {"sections": "tools", "frequency": "daily", "form": "html", "language": TAG}
    answers += [
        await client.post(settings, data={**wishes, "delivery_time": "07:30"}),
        await client.post(settings, data={"language": TAG}),
        await client.post(settings, data={"action": "pause", "until": "2026-12-07"}),
        await client.get(settings),
        await client.get(leave),
        await client.post(leave),
        await client.get(settings),
        await client.post(leave, data={"back": "weekly"}),
    ]
    for answer in answers:
        assert f'<html lang="{TAG}"' in answer.text, answer.url
        assert outside(answer.text) == [], answer.url


def test_the_check_notices() -> None:
    """A word in the text, and one in an attribute."""
    assert outside('<p>⟦Hello ⟦you⟧⟧, reader</p><img alt="A picture">') == ["reader", "picture"]
