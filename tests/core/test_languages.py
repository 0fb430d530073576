"""Phrases, and who is spoken to in which language."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from app.core import languages
from app.core.language import ENGLISH, Phrase, dated, figure, joined, plural, say
from app.core.templating import teach

GERMAN = languages.language_of("de")


def test_a_phrase_is_its_english_text() -> None:
    """Logs and programs read it as any other text."""
    phrase = say("We sent {what} to {address}.", what=plural("one link", "{number} links", 1200), address="{a}")
    assert phrase == "We sent 1,200 links to {a}."
    assert type(str(phrase)) is str
    assert ENGLISH.say(phrase) == str(phrase)


def test_a_key_without_values_may_hold_braces() -> None:
    assert say("{ }") == "{ }"


def test_a_phrase_in_a_phrase_is_said_in_the_same_language() -> None:
    """Dates, figures and sentences, however deep."""
    day = dated("EEEE", date(2026, 11, 23))
    phrase = joined([say("Site"), "", say("{a}, {b}", a=day, b=figure(10400))], between=": ")
    assert phrase == "Site: Monday, 10,400"
    assert GERMAN.say(phrase) == "Website: Montag, 10.400"


def test_an_instant_is_told_in_its_own_zone() -> None:
    assert dated("EEEE 'at' HH:mm", datetime(2026, 11, 23, 6, 5, tzinfo=UTC)) == "Monday at 06:05"


def test_what_a_language_lacks_it_says_in_english() -> None:
    assert GERMAN.say(say("A key that no catalogue has")) == "A key that no catalogue has"
    assert GERMAN.say(say("")) == ""


def test_a_language_knows_its_name_and_direction() -> None:
    assert [(one.tag, one.name, one.direction) for one in languages.available()][:2] == [
        ("en", "English", "ltr"),
        ("de", "Deutsch", "ltr"),
    ]


@pytest.mark.parametrize("tag", ["", "xx", "de-AT", "../de", "DEUTSCH", "\0"])
def test_an_unknown_language_is_english(tag: str) -> None:
    assert languages.language_of(tag) == ENGLISH


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("de", "de"),
        ("de-AT, en;q=0.5", "de"),
        ("fr, en;q=0.2, de;q=0.3", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("de;q=0, en;q=0.1", "en"),
        ("*", "en"),
        ("fr, *;q=0.1", "en"),
        ("DE_de, De", "de"),
        ("de;q=nonsense, en;q=0.1", "en"),
        ("fr", None),
        ("", None),
        (",;q=1,-,--", None),
    ],
)
def test_the_browser_is_asked_what_it_reads(header: str, tag: str | None) -> None:
    found = languages.best(header)
    assert (found.tag if found else None) == tag


@given(st.text() | st.lists(st.sampled_from(["de", "en-", "*", ";q=", "0.", "²", ",", " ", "q"])).map("".join))
def test_any_header_is_read(header: str) -> None:
    """Whatever a browser sends, the answer is a language of ours or none."""
    assert languages.best(header) in (None, *languages.available())


@pytest.mark.parametrize("autoescape", [True, False])
def test_templates_say_phrases_and_escape_values(autoescape: bool) -> None:
    """A key may be HTML; what is put into it is not."""
    made = Environment(autoescape=autoescape)
    teach(made, GERMAN)

    def shown(template: str, **values: Any) -> str:
        return made.from_string(template).render(values)

    assert shown("{{ _('Back numbers') }} {{ x }}", x=say("Today")) == "Frühere Ausgaben Heute"
    text = shown("{% trans a=x, b=y %}<b>{{ a }}</b>\n 100% {{ b }}{% endtrans %}", x="<i>", y=say("Today"))
    assert text == f"<b>{'&lt;i&gt;' if autoescape else '<i>'}</b> 100% Heute"
    many = "{% trans count=n %}one{% pluralize %}{{ count }} of them{% endtrans %}"
    assert (shown(many, n=1), shown(many, n=2)) == ("one", "2 of them")
    assert shown("{{ x }}", x=Phrase(lambda _: "<")) == ("&lt;" if autoescape else "<")
