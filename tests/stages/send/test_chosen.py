"""Each reader's mail holds what that reader chose: the press's own template, handed over by a shard."""

import asyncio
from collections.abc import Mapping

from app.core.clock import FixedClock
from app.core.db import Database
from app.core.mail.message import Message
from app.core.mail.template import MailTemplate
from app.core.settings import Settings, load_settings
from app.core.signing import Purpose
from app.models.content import Section, section_bits, sections_of
from app.models.states import EditionStatus, Frequency, MailForm
from app.stages.render import freeze, message
from app.stages.send import release, shard
from app.stages.send.ways import Way
from app.store import editions, subscribers
from tests.mail_rules import check_newsletter
from tests.people import NOON, SIGNER, add_reader
from tests.stages.send.scripted import Scripted
from tests.web import sample


async def reader(db: Database, address: str, sections: frozenset[Section], form: MailForm) -> str:
    """A reader of these sections in this form; gives their reference."""
    number = await add_reader(db, address)
    async with db.write() as session:
        assert await subscribers.choose(
            session,
            number,
            sections=section_bits(sections),
            frequency=Frequency.DAILY,
            minute=None,
            zone="",
            form=form,
            first_name="",
            language="",
        )
        found = await subscribers.get(session, number)
    assert found is not None
    return found.ref


async def mails(db: Database) -> tuple[Settings, Mapping[str, Message]]:
    """Today's full edition, frozen and handed over; the mails by recipient."""
    settings = load_settings(
        secret_keys=("x" * 40,), public_url="https://post.example.org", postal_address="1 Press Lane, London"
    )
    await sample.publish(db, sample.content(), EditionStatus.READY)
    async with db.read() as session:
        edition = await editions.of_day(session, sample.TODAY)
    assert edition is not None
    await freeze.freeze(db, edition.id, settings.publication, NOON)

    async def template_for(number: int, sections: int, form: MailForm) -> MailTemplate:
        return await message.template_of(db, number, settings.publication, sections_of(sections), form)

    await release.send_now(db, edition.id, settings, NOON)
    provider = Scripted()
    await shard.send_due(
        db,
        Way(provider),
        settings=settings,
        signer=SIGNER,
        clock=FixedClock(NOON),
        template_for=template_for,
        owner="worker",
        stop=asyncio.Event(),
    )
    return settings, {one.recipient: one for one in provider.sent}


EVERYTHING = sections_of(63)
HEADINGS = {
    Section.DEEP_DIVE: "How a test wears out",
    Section.OPINION: "Give the blank answer its due",
    Section.TOOLS: "shelfmark",
    Section.TRENDING: "model-12",
    Section.MOVERS: "press/millstone",
    Section.WEEKEND: "A short history of the margin note",
}


async def test_each_reader_gets_the_sections_and_the_form_they_chose(db: Database) -> None:
    """The lead for all; two sections for one; no HTML at all for another; every mail fit to send."""
    two = frozenset({Section.TOOLS, Section.WEEKEND})
    await reader(db, "all@example.org", EVERYTHING, MailForm.HTML)
    await reader(db, "two@example.org", two, MailForm.HTML)
    await reader(db, "text@example.org", two, MailForm.TEXT)
    settings, sent = await mails(db)
    assert set(sent) == {"all@example.org", "two@example.org", "text@example.org"}
    for address, chosen in (("all@example.org", EVERYTHING), ("two@example.org", two), ("text@example.org", two)):
        bodies = [sent[address].text(), sent[address].html() or ""]
        for body in filter(None, bodies):
            assert "The archive that learnt to say where it looked" in body
            for section, heading in HEADINGS.items():
                assert (heading in body) == (section in chosen), (address, section)
    assert sent["text@example.org"].html() is None
    assert sent["text@example.org"].text() != sent["all@example.org"].text()
    raw = sent["text@example.org"].as_bytes()
    assert b"Content-Type: text/plain; charset=utf-8\r\n" in raw
    assert b"multipart" not in raw
    assert b"text/html" not in raw
    for address in ("all@example.org", "two@example.org"):
        assert check_newsletter(sent[address].as_bytes(), postal_address=settings.publication.postal_address) == []


async def test_every_mail_leads_to_its_readers_own_preferences(db: Database) -> None:
    """In the HTML as a link with a name, in the text as an address; nobody else's."""
    refs = {
        "ada@example.org": await reader(db, "ada@example.org", EVERYTHING, MailForm.HTML),
        "bob@example.org": await reader(db, "bob@example.org", EVERYTHING, MailForm.TEXT),
    }
    _, sent = await mails(db)
    for address, ref in refs.items():
        link = f"https://post.example.org/preferences/{SIGNER.sign(Purpose.PREFERENCES, ref)}"
        assert f"Manage preferences: {link}\n" in sent[address].text()
        page = sent[address].html()
        assert page is None or page.count(f'href="{link}"') == 1
    assert ">Manage preferences</a>" in (sent["ada@example.org"].html() or "")
