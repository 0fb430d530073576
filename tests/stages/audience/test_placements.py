"""Placements and their numbers: nobody is counted twice, nowhere, or for somebody else's poster."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.core.db import Database, Session
from app.core.errors import Conflict, InvalidInput
from app.core.signing import Purpose
from app.models import Consent, Subscriber, TransactionalEmail
from app.stages.audience import consent, leaving, pending, placements
from app.stages.audience.domains import DomainRules
from app.stages.audience.origin import Origin
from app.stages.audience.visitor import Visitor
from app.store import placements as rows
from app.store import subscribers
from tests.people import NOON, SIGNER, SUPPRESSOR

VISITOR = Visitor("192.0.2.7", "Test/1.0")
ADA = "ada@example.org"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def place(db: Database, *codes: str) -> None:
    async with db.write() as session:
        for code in codes:
            await placements.create(session, code, f"The {code}", NOON)


async def ask(
    db: Database, placement: str = "", address: str = ADA, at: timedelta = timedelta(0), **more: object
) -> None:
    async with db.write() as session:
        await consent.subscribe(
            session,
            address=address,
            method="form",
            origin=Origin(placement=placement, **more),  # type: ignore[arg-type]
            suppressor=SUPPRESSOR,
            domains=DomainRules(),
            visitor=VISITOR,
            now=NOON + at,
        )


async def press(db: Database, address: str = ADA, at: timedelta = HOUR) -> None:
    """Presses the button behind the newest confirmation mail."""
    async with db.write() as session:
        reader = await subscribers.find_key(session, address)
        assert reader is not None
        newest = (await confirmations(session, reader.id))[-1]
        token = SIGNER.sign(Purpose.CONFIRM, newest, NOON + at + DAY)
        await consent.confirm(session, SIGNER, SUPPRESSOR, token, VISITOR, NOON + at)


async def confirmations(session: Session, reader_id: int) -> list[str]:
    """What the links of a reader's confirmation mails name, the oldest first."""
    mail = TransactionalEmail
    ours = mail.subscriber_id == reader_id, mail.kind == consent.CONFIRMATION
    return list((await session.scalars(select(mail.ref).where(*ours).order_by(mail.id))).all())


async def leave(db: Database, at: timedelta, address: str = ADA) -> None:
    async with db.write() as session:
        reader = await subscribers.find_key(session, address)
        assert reader is not None
        await leaving.leave(session, SIGNER, SIGNER.sign(Purpose.UNSUBSCRIBE, reader.ref), "link", VISITOR, NOON + at)


async def numbers(db: Database) -> dict[str, tuple[int, int, int]]:
    """Of each placement: asked, confirmed, reading."""
    async with db.read() as session:
        return {one.code: (one.asked, one.confirmed, one.reading) for one in await rows.counts(session, 100)}


async def test_a_sign_up_is_counted_at_its_placement(db: Database) -> None:
    """Asked, then confirmed and reading; asking twice is asking once; the others stay at nothing."""
    await place(db, "poster", "talk")
    assert await numbers(db) == {"poster": (0, 0, 0), "talk": (0, 0, 0)}
    await ask(db, "poster")
    await ask(db, "Poster", at=HOUR)
    await ask(db, "poster", "bob@example.org")
    assert await numbers(db) == {"poster": (2, 0, 0), "talk": (0, 0, 0)}
    await press(db)
    await press(db)
    assert await numbers(db) == {"poster": (2, 1, 1), "talk": (0, 0, 0)}


async def test_who_leaves_reads_no_more_and_who_rests_still_does(db: Database) -> None:
    """Confirmed stays what it was."""
    await place(db, "poster")
    for who in (ADA, "bob@example.org"):
        await ask(db, "poster", who)
        await press(db, who)
    async with db.write() as session:
        reader = await subscribers.find_key(session, ADA)
        assert reader is not None
        await subscribers.pause(session, reader.id, (NOON + DAY).date())
    await leave(db, 2 * HOUR, "bob@example.org")
    assert await numbers(db) == {"poster": (2, 2, 1)}


async def test_a_reader_who_scans_another_poster_was_not_won_by_it(db: Database) -> None:
    """They asked there too; but nothing new was confirmed, and no mail was sent."""
    await place(db, "first", "second")
    await ask(db, "first")
    await press(db)
    await ask(db, "second", at=2 * HOUR)
    assert await numbers(db) == {"first": (1, 1, 1), "second": (1, 0, 0)}


async def test_a_confirmation_belongs_to_the_sign_up_whose_mail_was_used(db: Database) -> None:
    """One mail a day: the second poster's sign-up sent none, so the press is the first one's."""
    await place(db, "first", "second")
    await ask(db, "first")
    await ask(db, "second", at=HOUR)
    await press(db, at=2 * HOUR)
    assert await numbers(db) == {"first": (1, 1, 1), "second": (1, 0, 0)}


async def test_who_comes_back_reads_by_where_they_came_back(db: Database) -> None:
    """Confirmed at both, reading at the last."""
    await place(db, "first", "second")
    await ask(db, "first")
    await press(db)
    await leave(db, 2 * HOUR)
    await ask(db, "second", at=2 * DAY)
    await press(db, at=2 * DAY + HOUR)
    assert await numbers(db) == {"first": (1, 1, 0), "second": (1, 1, 1)}


async def test_a_sign_up_without_a_placement_counts_nowhere(db: Database) -> None:
    """Also of somebody who once came by one: coming back by themselves is not the poster's doing."""
    await place(db, "poster")
    await ask(db, "poster")
    await press(db)
    await leave(db, 2 * HOUR)
    await ask(db, at=2 * DAY)
    await press(db, at=2 * DAY + HOUR)
    assert await numbers(db) == {"poster": (1, 1, 0)}


async def test_an_unknown_code_keeps_the_sign_up_and_counts_nothing(db: Database) -> None:
    """It is written down as the source, unless one was given; a placement made later does not inherit it."""
    await ask(db, "autumn-poster")
    await ask(db, "winter-poster", "bob@example.org", source="a talk")
    await place(db, "autumn-poster", "winter-poster")
    async with db.read() as session:
        kept = (await session.execute(select(Consent.source, Consent.placement).order_by(Consent.id))).all()
    assert [tuple(row) for row in kept] == [("autumn-poster", None), ("a talk", None)]
    assert set((await numbers(db)).values()) == {(0, 0, 0)}


async def test_campaign_fields_are_kept_with_the_consent(db: Database) -> None:
    """By their names in links."""
    await place(db, "poster")
    await ask(db, "poster", utm={"utm_source": "library", "utm_campaign": " spring ", "utm_term": ""})
    async with db.read() as session:
        asked = (await session.scalars(select(Consent))).one()
    assert (asked.placement, asked.source) == ("poster", "")
    assert asked.utm == {"utm_source": "library", "utm_campaign": "spring"}


async def test_the_numbers_outlive_the_people(db: Database) -> None:
    """Who never confirmed is forgotten after a month, who did not ask at once; both did come by the poster."""
    await place(db, "poster")
    for who in (ADA, "bob@example.org", "cat@example.org"):
        await ask(db, "poster", who)
    await press(db, "cat@example.org")
    async with db.write() as session:
        bob = await subscribers.find_key(session, "bob@example.org")
        cat = await subscribers.find_key(session, "cat@example.org")
        assert bob is not None
        assert cat is not None
        (ref,) = await confirmations(session, bob.id)
        token = SIGNER.sign(Purpose.CONFIRM, ref, NOON + DAY)
        assert await pending.refuse(session, SIGNER, SUPPRESSOR, token, NOON + HOUR)
    await pending.forget(db, NOON + 40 * DAY)
    assert await numbers(db) == {"poster": (3, 1, 1)}
    async with db.write() as session:
        await subscribers.forget(session, [cat.id])
    assert await numbers(db) == {"poster": (3, 1, 0)}
    async with db.read() as session:
        assert (await session.scalars(select(Subscriber))).all() == []


@pytest.mark.parametrize("code", ["", " ", "-x", "a b", "ä", "x" * 41, "a/b", "a.b", "²"])
async def test_a_code_that_would_not_stand_in_an_address_is_refused(db: Database, code: str) -> None:
    """On `code`."""
    async with db.write() as session:
        with pytest.raises(InvalidInput) as refused:
            await placements.create(session, code, "A label", NOON)
    assert [one.field for one in refused.value.errors] == ["code"]


@pytest.mark.parametrize("label", ["", "  ", "x" * 121, "two\nlines"])
async def test_a_label_is_one_line(db: Database, label: str) -> None:
    """On `label`."""
    async with db.write() as session:
        with pytest.raises(InvalidInput) as refused:
            await placements.create(session, "poster", label, NOON)
    assert [one.field for one in refused.value.errors] == ["label"]


async def test_a_code_stands_for_one_place(db: Database) -> None:
    """In any letters; the first label stays."""
    await place(db, "poster")
    async with db.write() as session:
        with pytest.raises(Conflict):
            await placements.create(session, "POSTER", "Another", NOON)
    async with db.read() as session:
        (one,) = await rows.counts(session, 10)
    assert (one.code, one.label) == ("poster", "The poster")


async def test_the_list_goes_on_past_a_code(db: Database) -> None:
    """In the order of codes."""
    await place(db, "c", "a", "b")
    async with db.read() as session:
        first = await rows.counts(session, 2)
        rest = await rows.counts(session, 2, after=first[-1].code)
    assert [one.code for one in [*first, *rest]] == ["a", "b", "c"]


async def test_one_question_with_an_index_counts_them(db: Database) -> None:
    """Placements lead to their consents by the index; the consents of everybody else are not read."""
    async with db.read() as session:
        bind = session.get_bind()
        sql = str(rows.counting().compile(dialect=bind.dialect, compile_kwargs={"literal_binds": True}))
        if bind.dialect.name == "sqlite":
            plan = [row.detail for row in await session.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]
            assert any("consents USING INDEX ix_consents_placement" in step for step in plan)
            return
        # Over empty tables PostgreSQL would read them whole; the question is whether the index can serve.
        for off in ("seqscan", "hashjoin", "mergejoin"):
            await session.execute(text(f"SET LOCAL enable_{off} = off"))
        plan = [row[0] for row in await session.execute(text(f"EXPLAIN {sql}"))]
        assert any("ix_consents_placement" in step for step in plan)
