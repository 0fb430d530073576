"""The mail that asks for consent."""

import email
import email.policy
import re
from datetime import UTC, datetime

import pytest
from inline_snapshot import snapshot
from lxml import html as lxml_html

from app.core.mail.message import Message
from app.core.mail.template import Slot
from app.stages.audience.consent import CONFIRM_WITHIN
from app.stages.render import transactional
from tests.stages.render import sample

LINK = "https://post.example.org/confirm/AQAAAAAAAGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6"


def confirmation() -> Message:
    return Message(
        key=1,
        attempt=1,
        recipient="ada@example.org",
        message_id="<0123456789abcdef@example.org>",
        date=datetime(2026, 11, 20, 6, 30, tzinfo=UTC),
        return_path="post@example.org",
        template=transactional.confirmation_template(sample.PAPER),
        values={Slot.CONFIRM: LINK},
    )


def test_the_words() -> None:
    """What happened, what to do, how long the link works, what to do if it was not you."""
    assert confirmation().text() == snapshot("""\
THE AI MORNING POST

Shall we deliver?

Somebody, we hope it was you, asked for The AI Morning Post to be sent to
this address. Nothing comes until you say so.

To confirm, open this address and press the button on the page:

https://post.example.org/confirm/AQAAAAAAAGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6

The link works for 7 days. If you did not ask for this, do nothing: you are
not on the list. The page has a button that bars your address for good.

The AI Morning Post, 4 Galley Lane, Harwich CO12 0ZZ
""")


def test_the_reminder_says_that_it_is_the_last() -> None:
    """The same link, another subject, and no third mail."""
    made = transactional.confirmation_template(sample.PAPER, reminder=True)
    assert made.subject == "Still to confirm: your subscription to The AI Morning Post"
    assert "and this is the last we send about it" in made.text.fill({Slot.CONFIRM: "https://x"})


@pytest.mark.parametrize("with_edition", [True, False])
def test_the_welcome_says_when_and_how_to_leave(with_edition: bool) -> None:
    """With the latest edition where one is out."""
    made = transactional.welcome_template(sample.PAPER, with_edition=with_edition)
    values = {
        Slot.NEXT_DELIVERY: "Tuesday at 06:30, UTC",
        Slot.UNSUBSCRIBE: "https://u",
        Slot.MANAGE: "https://m",
        Slot.EDITION: "https://e",
    }
    words = made.text.fill(values)
    assert "The first paper comes on Tuesday at 06:30, UTC." in words
    assert "https://u" in words
    assert "https://m" in words
    assert ("https://e" in words) is with_edition
    assert made.html is not None
    assert (Slot.EDITION in made.html.slots) is with_edition


def test_the_headers() -> None:
    """It says what to do in its subject, that no person wrote it, and belongs to no list."""
    made = email.message_from_bytes(confirmation().as_bytes(), policy=email.policy.default)
    assert made["Subject"] == "Confirm your subscription to The AI Morning Post"
    assert made["Auto-Submitted"] == "auto-generated"
    assert made["X-Auto-Response-Suppress"] == "All"
    assert not [name for name in made if name.lower().startswith(("list-", "precedence", "feedback"))]
    assert [part.get_content_type() for part in made.iter_parts()] == ["text/plain", "text/html"]


def test_the_page() -> None:
    """One h1, one button, the address in full below it, nothing from elsewhere, small."""
    body = confirmation().html()
    assert body is not None
    made = lxml_html.document_fromstring(body)
    assert [one.text for one in made.iter("h1")] == ["Shall we deliver?"]
    assert [one.get("href") for one in made.iter("a")] == [LINK, LINK]
    assert LINK in made.text_content()
    assert not list(made.iter("img", "link", "script"))
    assert re.search(r"works for 7 days", made.text_content())
    assert len(body.encode()) < 12_000
    assert "[[" not in body


def test_it_promises_what_the_link_keeps() -> None:
    """Another room decides how long the link works; the mail says the same."""
    assert CONFIRM_WITHIN.days == transactional.LINK_WORKS_FOR


def test_it_holds_nothing_that_a_person_typed() -> None:
    """The link is the only thing that differs: a form cannot make us mail a stranger's words."""
    assert transactional.confirmation_template(sample.PAPER).slots == {Slot.CONFIRM}


def test_it_is_compiled_once() -> None:
    """One is sent for each sign-up."""
    assert transactional.confirmation_template(sample.PAPER) is transactional.confirmation_template(sample.PAPER)
