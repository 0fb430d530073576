"""Readers, stories and editions for tests, made through the same doors that the service uses."""

from datetime import UTC, date, datetime, timedelta

from app.core.db import Database, Session
from app.core.signing import Signer, Suppressor, opaque_reference
from app.models import Edition
from app.models.content import ALL_SECTIONS, EditionContent, EditionKind, Piece, Section
from app.models.states import EditionStatus, Frequency, MailForm
from app.store import drafts, editions, subscribers

DAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
SIGNER = Signer(["a key of the tests that is long enough to sign with"])
SUPPRESSOR = Suppressor("a key of the tests that suppressions are hashed under")


async def add_reader(db: Database, address: str, *, zone: str = "", confirmed_at: datetime | None = LONG_AGO) -> int:
    """A reader; active where `confirmed_at` is given, else pending."""
    key = address.casefold()
    async with db.write() as session:
        await subscribers.add_pending(
            session, address=address, key=key, ref=opaque_reference(), zone=zone, now=LONG_AGO
        )
        reader = await subscribers.find_key(session, key)
        assert reader is not None
        if confirmed_at:
            assert await subscribers.activate(session, reader, confirmed_at)
    return reader.id


async def prefer(db: Database, reader: int, frequency: Frequency, *, minute: int | None = None, zone: str = "") -> None:
    """Lets a reader read so often, at that minute of the day in that zone, all sections."""
    async with db.write() as session:
        assert await subscribers.choose(
            session,
            reader,
            sections=ALL_SECTIONS,
            frequency=frequency,
            minute=minute,
            zone=zone,
            form=MailForm.HTML,
            first_name="",
            language="",
        )


async def add_readers(db: Database, count: int) -> list[int]:
    """Active readers reader0@ … of the paper's own zone."""
    return [await add_reader(db, f"reader{index}@example.org") for index in range(count)]


def content(day: date = DAY, number: int = 1, kind: EditionKind = EditionKind.DAILY) -> EditionContent:
    """The smallest paper there is: a lead and one deep dive."""
    return EditionContent(
        kind=kind,
        date=day,
        volume=1,
        number=number,
        minutes=2,
        subject="A lead for the tests",
        preheader="One clause on it. 2 minutes.",
        lead=Piece(story_id=1, section=Section.LEAD, headline="A lead for the tests", body_text="Words.", minutes=1),
        deep_dive=Piece(story_id=2, section=Section.DEEP_DIVE, headline="A dive", body_text="Deep words.", minutes=1),
    )


async def freeze(
    session: Session, edition_id: int, *, html: str = "<p>paper</p>", text: str = "paper", now: datetime = NOON
) -> None:
    """Freezes an edition with bodies that nothing was rendered for."""
    edition = await editions.lock(session, edition_id)
    assert edition is not None
    await editions.freeze(session, edition, html=html, text=text, now=now)


async def add_edition(
    db: Database,
    day: date = DAY,
    *,
    status: EditionStatus = EditionStatus.FROZEN,
    kind: EditionKind = EditionKind.DAILY,
) -> Edition:
    """An edition in `ready`, `frozen` or `sending`, with bodies short enough to read."""
    paper = content(day, kind=kind)
    async with db.write() as session:
        number = await editions.next_number(session)
        await drafts.add(session, day=day, number=number, salt="5a17" * 8, now=NOON, kind=kind)
        draft = await editions.of_day(session, day, kind)
        assert draft is not None
        await drafts.fill(session, draft.id, paper, "hash", NOON)
        await editions.move(session, draft.id, EditionStatus.DRAFT, EditionStatus.READY, "")
        if status is not EditionStatus.READY:
            await freeze(session, draft.id)
        if status is EditionStatus.SENDING:
            await editions.move(session, draft.id, EditionStatus.FROZEN, status, "")
        made = await editions.get(session, draft.id)
    assert made is not None
    return made


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
