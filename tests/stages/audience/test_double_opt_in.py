"""From asking to agreeing to leaving, on both engines."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core.db import Database
from app.core.errors import InvalidInput, InvalidToken
from app.core.signing import Purpose
from app.models import Consent, TransactionalEmail
from app.models.states import DeliveryStatus, SubscriberStatus
from app.stages.audience import consent, leaving
from app.stages.audience.domains import DomainRules
from app.stages.audience.origin import Origin
from app.stages.audience.visitor import Visitor
from app.store import streams, subscribers, transactional
from app.store.streams import Outcome
from tests.people import NOON, SIGNER, SUPPRESSOR

VISITOR = Visitor("192.0.2.7", "Test/1.0")


async def ask(db: Database, address: str = "ada@example.org", **more: object) -> None:
    async with db.write() as session:
        await consent.subscribe(
            session,
            address=address,
            method="form",
            suppressor=SUPPRESSOR,
            domains=DomainRules(),
            visitor=VISITOR,
            now=NOON,
            **more,  # type: ignore[arg-type]
        )


async def letters(db: Database) -> list[TransactionalEmail]:
    async with db.read() as session:
        return list((await session.scalars(select(TransactionalEmail).order_by(TransactionalEmail.id))).all())


async def status(db: Database, key: str = "ada@example.org") -> SubscriberStatus | None:
    async with db.read() as session:
        reader = await subscribers.find_key(session, key)
        return reader.status if reader else None


def link(letter: TransactionalEmail) -> str:
    return SIGNER.sign(Purpose.CONFIRM, letter.ref, letter.created_at + consent.CONFIRM_WITHIN)


async def press(db: Database, token: str, at: timedelta = timedelta(0)) -> consent.Confirmed:
    async with db.write() as session:
        return await consent.confirm(session, SIGNER, SUPPRESSOR, token, VISITOR, NOON + at)


async def unsubscribe_token(db: Database) -> str:
    async with db.read() as session:
        reader = await subscribers.find_key(session, "ada@example.org")
        assert reader is not None
        return SIGNER.sign(Purpose.UNSUBSCRIBE, reader.ref)


async def test_asking_owes_one_confirmation_and_no_more(db: Database) -> None:
    """A pending reader and one owed mail; asking again while it is owed adds none."""
    await ask(db)
    await ask(db, "ADA@example.org")
    assert await status(db) is SubscriberStatus.PENDING
    assert [(one.kind, one.status) for one in await letters(db)] == [("confirmation", DeliveryStatus.QUEUED)]


async def test_looking_changes_nothing_and_pressing_makes_active(db: Database) -> None:
    """The page behind the link shows a masked address; only the press counts, and writes the consent."""
    await ask(db, origin=Origin(source="qr-poster"))
    token = link((await letters(db))[0])
    async with db.read() as session:
        seen = await consent.look_up(session, SIGNER, SUPPRESSOR, token, NOON)
    assert (seen.status, seen.address) == (SubscriberStatus.PENDING, "a***@example.org")
    assert await status(db) is SubscriberStatus.PENDING
    assert not (await press(db, token)).already
    assert await status(db) is SubscriberStatus.ACTIVE
    assert (await press(db, token)).already
    async with db.read() as session:
        acts = (await session.execute(select(Consent.act, Consent.method, Consent.source, Consent.ip))).all()
    assert [tuple(row) for row in acts] == [
        ("asked", "form", "qr-poster", "192.0.2.7"),
        ("confirmed", "link", "", "192.0.2.7"),
    ]


async def test_a_confirmation_link_works_for_seven_days(db: Database) -> None:
    """After that it has run out, and says so; the reader stays pending."""
    await ask(db)
    token = link((await letters(db))[0])
    with pytest.raises(InvalidToken) as caught:
        await press(db, token, timedelta(days=7, hours=1))
    assert caught.value.expired
    assert await status(db) is SubscriberStatus.PENDING
    await press(db, token, timedelta(days=6, hours=23))
    assert await status(db) is SubscriberStatus.ACTIVE


async def test_leaving_is_at_once_idempotent_and_final(db: Database) -> None:
    """The old confirmation link does not bring a reader back; a new sign-up does."""
    await ask(db)
    old = link((await letters(db))[0])
    await press(db, old)
    token = await unsubscribe_token(db)
    for _ in range(2):
        async with db.write() as session:
            await leaving.leave(session, SIGNER, token, "one-click", VISITOR, NOON + timedelta(minutes=5))
    assert await status(db) is SubscriberStatus.LEFT
    with pytest.raises(InvalidToken):
        await press(db, old, timedelta(minutes=10))
    async with db.write() as session:
        await consent.subscribe(
            session,
            address="ada@example.org",
            method="form",
            suppressor=SUPPRESSOR,
            domains=DomainRules(),
            visitor=VISITOR,
            now=NOON + timedelta(days=1),
        )
    assert await status(db) is SubscriberStatus.LEFT
    letter = (await letters(db))[-1]
    await press(db, link(letter), timedelta(days=1, minutes=1))
    assert await status(db) is SubscriberStatus.ACTIVE


async def test_an_active_reader_who_asks_again_is_told_so_by_mail(db: Database) -> None:
    """The answer on the page is the same; no second confirmation is owed."""
    await ask(db)
    await press(db, link((await letters(db))[0]))
    async with db.write() as session:
        for begun in await transactional.begin(session, provider="outbox", epoch=1, most=9, now=NOON):
            outcome = Outcome(begun.id, begun.attempt, DeliveryStatus.ACCEPTED, None, None, "", "")
            await streams.settle(session, TransactionalEmail, [outcome])
    await ask(db)
    await ask(db)
    assert [one.kind for one in await letters(db)] == ["confirmation", "welcome", "already"]


async def test_a_well_signed_link_of_nobody_is_answered_like_any_other(db: Database) -> None:
    """Erased readers' links keep working; only a bad signature is refused."""
    async with db.write() as session:
        await leaving.leave(session, SIGNER, SIGNER.sign(Purpose.UNSUBSCRIBE, "nobody-of-ours"), "link", VISITOR, NOON)
    async with db.read() as session:
        with pytest.raises(InvalidToken):
            await leaving.look_up(session, SIGNER, SUPPRESSOR, "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NOON)


async def test_a_malformed_sign_up_writes_nothing(db: Database) -> None:
    """Neither a reader nor a mail nor a consent."""
    for bad in ({"address": "not an address"}, {"origin": Origin(source="two\nlines")}):
        with pytest.raises(InvalidInput):
            await ask(db, **{"address": "ada@example.org", **bad})  # type: ignore[arg-type]  # one of each kind
    assert await status(db) is None
    assert await letters(db) == []


async def test_a_zone_we_do_not_know_counts_as_none(db: Database) -> None:
    """A browser may say anything; the sign-up still works."""
    await ask(db, zone="Mars/Olympus_Mons")
    await ask(db, "bob@example.org", zone="Asia/Tokyo")
    async with db.read() as session:
        ada, bob = [await subscribers.find_key(session, key) for key in ("ada@example.org", "bob@example.org")]
        assert ada is not None
        assert bob is not None
        assert (ada.zone, bob.zone) == ("", "Asia/Tokyo")
