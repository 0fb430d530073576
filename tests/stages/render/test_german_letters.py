"""Service mail in German."""

import email
import email.policy
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from lxml import html as lxml_html

from app.core.language import Language
from app.core.languages import available, language_of
from app.core.mail.message import Message
from app.core.mail.template import MailTemplate, Slot
from app.stages.render import transactional
from tests.mail_rules import _html, _lines
from tests.stages.render import sample

GERMAN = language_of("de")
VALUES = {
    Slot.CONFIRM: "https://post.example.org/confirm/t",
    Slot.NEXT_DELIVERY: "Montag um 06:30 Uhr, Ortszeit London",
    Slot.MANAGE: "https://post.example.org/preferences/t",
    Slot.UNSUBSCRIBE: "https://post.example.org/unsubscribe/t",
    Slot.EDITION: "https://post.example.org/editions/2026-11-23",
}
LETTERS: dict[str, Callable[[Language], MailTemplate]] = {
    "confirmation": lambda language: transactional.confirmation_template(sample.PAPER, language),
    "reminder": lambda language: transactional.confirmation_template(sample.PAPER, language, reminder=True),
    "welcome": lambda language: transactional.welcome_template(sample.PAPER, language, with_edition=True),
}


def sent(template: MailTemplate) -> bytes:
    return Message(
        key=1,
        attempt=1,
        recipient="ada@example.org",
        message_id="<0123456789abcdef@example.org>",
        date=datetime(2026, 11, 20, 6, 30, tzinfo=UTC),
        return_path="post@example.org",
        template=template,
        values={name: VALUES[name] for name in template.slots},
    ).as_bytes()


@pytest.mark.parametrize("name", LETTERS)
@pytest.mark.parametrize("language", available(), ids=lambda one: one.tag)
def test_a_letter_names_its_language_and_keeps_the_rules_of_mail(name: str, language: Language) -> None:
    """In its header and in its HTML; no line is too long, nothing is 8-bit, nothing is fetched."""
    raw = sent(LETTERS[name](language))
    message = email.message_from_bytes(raw, policy=email.policy.default)
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]  # both parts are there
    assert message["Content-Language"] == language.tag
    assert lxml_html.fromstring(html).get("lang") == language.tag
    assert [*_lines(raw), *_html(html)] == []


def test_the_german_letters_are_german() -> None:
    """Subject, text and button."""
    message = email.message_from_bytes(sent(LETTERS["confirmation"](GERMAN)), policy=email.policy.default)
    assert message["Subject"] == "Bitte bestätigen: Ihr Abonnement von The AI Morning Post"
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # both parts are there
    assert "Zum Bestätigen öffnen Sie diese Adresse und drücken den Knopf auf der Seite:\r\n\r\nhttps://" in text
    html = LETTERS["confirmation"](GERMAN).html
    assert html is not None
    assert "Ja, schicken Sie mir die Zeitung" in html.fill(VALUES)
    assert "Die erste Zeitung kommt am Montag um 06:30 Uhr" in LETTERS["welcome"](GERMAN).text.fill(VALUES)
