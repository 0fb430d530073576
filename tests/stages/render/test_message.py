"""The mail of an edition: static headers, bytes that receivers accept, and the same from stored rows."""

import dataclasses
import email
import email.policy
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.db import Database
from app.core.errors import Conflict, NotFound
from app.core.mail.message import Message
from app.core.mail.template import MailTemplate, Slot
from app.models.content import EditionContent
from app.models.states import EditionStatus
from app.stages.render import freeze, message, mjml, preview, text
from app.stages.send.personalise import list_unsubscribe, message_key
from app.store import drafts, editions
from tests.mail_rules import check_newsletter
from tests.people import add_edition
from tests.stages.render import sample

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)


def template(content: EditionContent | None = None, paper: object = None) -> MailTemplate:
    paper, content = sample.PAPER if paper is None else paper, content or sample.full()
    assert isinstance(paper, type(sample.PAPER))
    return message.edition_template(
        paper,
        subject=" ".join("".join(sign for sign in content.subject if sign.isprintable()).split()),
        slug=sample.SLUG,
        html=mjml.edition_html(content, paper, sample.SLUG, sample.MARK),
        text=text.edition_text(content, paper, sample.SLUG, sample.MARK),
    )


def addressed(made: MailTemplate, **values: str) -> Message:
    filled = {**sample.VALUES, **{Slot(name): value for name, value in values.items()}}
    return Message(
        key=1,
        attempt=1,
        recipient="ada@example.org",
        message_id=f"<{message_key(sample.SALT, 'ref')}@example.org>",
        date=NOW,
        return_path="post@example.org",
        template=made,
        values=filled,
        headers=list_unsubscribe(filled[Slot.UNSUBSCRIBE]),
    )


@cache
def full() -> MailTemplate:
    """Rendered once for the whole module."""
    return template()


@pytest.fixture
def edition() -> MailTemplate:
    return full()


def test_the_mail_keeps_every_rule_of_bulk_senders(edition: MailTemplate) -> None:
    """The MUST list, on the bytes as they are handed over."""
    raw = addressed(edition).as_bytes()
    assert check_newsletter(raw, now=NOW, postal_address=sample.PAPER.postal_address) == []


@pytest.mark.parametrize("content", [sample.bare(), sample.first_day(), sample.late(), sample.awkward()])
def test_so_does_every_other_paper(content: EditionContent) -> None:
    """Empty, young, late and awkward ones."""
    assert check_newsletter(addressed(template(content)).as_bytes(), now=NOW) == []


def test_the_static_headers(edition: MailTemplate) -> None:
    """Whose list it is, where its archive and owner are, that it is bulk mail and wants no automatic answers."""
    made = email.message_from_bytes(addressed(edition).as_bytes(), policy=email.policy.default)
    assert {name: made[name] for name in made if name not in ("Content-Type", "Subject")} == {
        "To": "ada@example.org",
        "Message-ID": f"<{message_key(sample.SALT, 'ref')}@example.org>",
        "Date": "Fri, 20 Nov 2026 06:30:00 +0000",
        "List-Unsubscribe": f"<{sample.VALUES[Slot.UNSUBSCRIBE]}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "From": "The AI Morning Post <post@example.org>",
        "List-Id": '"The AI Morning Post" <daily.example.org>',
        "List-Archive": "<https://post.example.org/editions>",
        "List-Owner": "<mailto:post@example.org>",
        "List-Post": "NO",
        "Feedback-ID": "2026-11-20:daily:2b00f0fa8a3c",
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "MIME-Version": "1.0",
    }
    assert made["Subject"] == "A harbour lets its tide tables go"


def test_answers_go_where_the_paper_says() -> None:
    """REPLY_TO may have a name; the owner's address is the bare mailbox."""
    made = template(sample.bare(), dataclasses.replace(sample.PAPER, reply_to="The Desk <desk@example.org>"))
    head = made.head.decode()
    assert "Reply-To: The Desk <desk@example.org>\r\n" in head
    assert "List-Owner: <mailto:desk@example.org>\r\n" in head


def test_a_name_beyond_ascii_is_encoded_and_the_list_id_is_not() -> None:
    """RFC 2047 words stand in the phrase; what programs compare stays literal."""
    paper = dataclasses.replace(sample.PAPER, name='Ärger "& Söhne"', sender=("Ärger & Söhne", "post@example.org"))
    raw = addressed(template(sample.bare(), paper)).as_bytes()
    assert check_newsletter(raw) == []
    assert b"<daily.example.org>\r\n" in raw


def test_the_same_edition_is_the_same_template(edition: MailTemplate) -> None:
    """Equal ids mean equal bytes, so any worker may send any shard."""
    assert template().id == edition.id
    assert template(sample.bare()).id != edition.id


@settings(max_examples=25, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=300),
    st.from_regex(r"https://[a-z.]{1,60}/unsubscribe/[A-Za-z0-9_-]{32,128}", fullmatch=True),
)
def test_odd_values_read_back(value: str, url: str) -> None:
    """Spliced, parsed with the standard library, found again in both parts; the header stays literal."""
    one = addressed(full(), schedule=value, unsubscribe=url)
    raw = one.as_bytes()
    made = email.message_from_bytes(raw, policy=email.policy.default)
    plain, page = (part.get_content().replace("\r\n", "\n") for part in made.iter_parts())
    assert f"It comes {value}." in plain
    assert f"Unsubscribe: {url}\n" in plain
    assert plain.rstrip("\n") == one.text().rstrip("\n")
    assert page.rstrip("\n") == (one.html() or "").rstrip("\n")
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in raw
    assert check_newsletter(raw) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\r\nDate:", b"\nDate:"),
        (b"List-Unsubscribe: <https:", b"List-Unsubscribe: <http:"),
        (b"List-Unsubscribe: <", b"List-Unsubscribe: =?utf-8?q?<"),
        (b"One-Click", b"Two-Click"),
        (b"To: ada@example.org", b"To: ada@example.org, eve@example.org"),
        (b"Precedence: bulk", b"Auto-Submitted: auto-replied"),
        (b"<daily.example.org>", b"<daily>"),
        (b"Message-ID: <", b"Message-ID: "),
        (b"Subject:", b"Bcc: eve@example.org\r\nSubject:"),
        (b"Feedback-ID: 2026-11-20:daily:", b"Feedback-ID: a:b:c:d:"),
        (b"text/plain;", b"text/x-other;"),
        (b"Unsubscribe", b"Something"),
        (b"<title>", b"<script>"),
        (b"20 Nov 2026 06:30", b"20 Nov 2026 08:30"),
        (b"Galley Lane", b"G. Lane"),
        (b"quoted-printable", b"8bit"),
        (b"MIME-Version: 1.0\r\n", b""),
        (b"<h1", b"\x00<h1"),
        (b"<h1", b"x" * 999 + b"<h1"),
        (b"<h1", b"\xe2\x82\xac<h1"),
    ],
)
def test_the_rules_notice(edition: MailTemplate, before: bytes, after: bytes) -> None:
    """Each rule is broken once."""
    raw = addressed(edition).as_bytes()
    assert before in raw
    assert check_newsletter(raw.replace(before, after), now=NOW, postal_address=sample.PAPER.postal_address)


async def ready(db: Database) -> int:
    """An edition of full content, ready to be frozen."""
    async with db.write() as session:
        await drafts.add(session, day=sample.DAY, number=214, salt=sample.SALT, now=NOW)
        draft = await editions.of_day(session, sample.DAY)
        assert draft is not None
        await drafts.fill(session, draft.id, sample.full(), "hash", NOW)
        await editions.move(session, draft.id, EditionStatus.DRAFT, EditionStatus.READY, "")
    return draft.id


async def test_a_frozen_edition_is_mailed_from_its_rows(db: Database) -> None:
    """What was frozen is what is sent, whatever the templates say later."""
    number = await ready(db)
    await freeze.freeze(db, number, sample.PAPER, NOW)
    made = await message.template_of(db, number, sample.PAPER)
    assert made == template()
    assert check_newsletter(addressed(made).as_bytes()) == []


async def test_an_edition_that_is_not_frozen_has_no_template(db: Database) -> None:
    """Nobody gets a paper that may still change."""
    number = await ready(db)
    with pytest.raises(Conflict, match="not frozen"):
        await message.template_of(db, number, sample.PAPER)
    with pytest.raises(NotFound):
        await message.template_of(db, number + 1, sample.PAPER)


async def test_a_trial_goes_to_anybody_before_and_after_the_freeze(db: Database) -> None:
    """It is the whole mail, with a link that unsubscribes nobody, and without the headers that would."""
    number = await ready(db)
    before = await message.trial_of(db, number, sample.PAPER, "eve@example.org", NOW)
    await freeze.freeze(db, number, sample.PAPER, NOW)
    after = await message.trial_of(db, number, sample.PAPER, "eve@example.org", NOW)
    assert before.as_bytes() == after.as_bytes()
    assert "You get this because eve@example.org\n" in before.text()
    assert "Unsubscribe: https://post.example.org\n" in before.text()
    assert b"List-Unsubscribe" not in before.as_bytes()
    assert before.message_id.endswith("@example.org>")


async def test_a_preview_shows_the_mail_with_nobodys_values(db: Database) -> None:
    """The same before and after the freeze; HTML, text and the content as JSON."""
    number = await ready(db)
    before = await preview.of_edition(db, number, sample.PAPER)
    await freeze.freeze(db, number, sample.PAPER, NOW)
    assert await preview.of_edition(db, number, sample.PAPER) == before
    assert "[[" not in before.html + before.text
    assert sample.MARK not in before.html + before.text
    assert "The next one is on Saturday at 06:30." in before.html
    assert "It comes every day at 06:30, London time." in before.text
    assert EditionContent.model_validate_json(before.json) == sample.full()


async def test_a_preview_of_nothing_says_why(db: Database) -> None:
    """A draft without content, an edition that does not exist."""
    async with db.write() as session:
        await drafts.add(session, day=sample.DAY, number=1, salt=sample.SALT, now=NOW)
        draft = await editions.of_day(session, sample.DAY)
    assert draft is not None
    with pytest.raises(Conflict, match="nothing to print on 2026-11-20 yet"):
        await preview.of_edition(db, draft.id, sample.PAPER)
    with pytest.raises(NotFound):
        await preview.of_edition(db, draft.id + 1, sample.PAPER)


async def test_a_damaged_row_is_not_mailed(db: Database) -> None:
    """A stored body without its mark raises, rather than sending half a paper."""
    edition = await add_edition(db)
    with pytest.raises(ValueError, match="does not begin with its mark"):
        await message.template_of(db, edition.id, sample.PAPER)
