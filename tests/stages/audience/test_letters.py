"""Fresh links and what they open: who may ask how often, how long they work, and the whole change of address."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core.db import Database
from app.core.errors import Conflict, InvalidInput, InvalidToken
from app.core.signing import Purpose
from app.models import Consent, Subscriber, TransactionalEmail
from app.models.states import SubscriberStatus
from app.stages.audience import erasure, fresh, leaving, moving
from app.stages.audience.domains import DomainRules
from app.stages.audience.visitor import Visitor
from app.store import subscribers, suppressions
from tests.people import NOON, SIGNER, SUPPRESSOR, add_reader
from tests.stages.audience import whole_database
from tests.stages.audience.test_erasure import bring_in

ADA, NEW, THIRD = "ada@example.org", "ada@example.net", "ada@example.com"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
VISITOR = Visitor("192.0.2.7", "Test/1.0")


async def reader_at(db: Database, address: str) -> Subscriber | None:
    async with db.read() as session:
        return await subscribers.find_key(session, address)


async def ask(db: Database, what: str, at: timedelta = timedelta(0), address: str = ADA) -> None:
    reader = await reader_at(db, address)
    assert reader is not None
    async with db.write() as session:
        await fresh.ask(session, SIGNER, SIGNER.sign(Purpose.PREFERENCES, reader.ref), what, NOON + at)


async def mails(db: Database, kind: str) -> list[TransactionalEmail]:
    async with db.read() as session:
        rows = select(TransactionalEmail).where(TransactionalEmail.kind == kind).order_by(TransactionalEmail.id)
        return list((await session.scalars(rows)).all())


async def link(db: Database, purpose: Purpose, which: int = -1) -> str:
    mail = (await mails(db, purpose))[which]
    return SIGNER.sign(purpose, mail.ref, mail.created_at + fresh.WORKS_FOR[purpose])


async def opens(db: Database, purpose: Purpose, token: str, at: timedelta) -> bool:
    async with db.read() as session:
        try:
            await fresh.open_letter(session, SIGNER, purpose, token, NOON + at)
        except InvalidToken:
            return False
    return True


async def name(db: Database, new: str = NEW, at: timedelta = timedelta(0)) -> None:
    """Types a new address behind the fresh link."""
    async with db.write() as session:
        token = await link(db, Purpose.MOVE)
        await moving.ask(session, SIGNER, SUPPRESSOR, DomainRules(), token, new, NOON + at)


async def move(db: Database, which: int = -1, at: timedelta = timedelta(0)) -> moving.Readdressed:
    token = await link(db, Purpose.NEW_ADDRESS, which)
    async with db.write() as session:
        return await moving.move(session, SIGNER, SUPPRESSOR, token, VISITOR, NOON + at)


async def put_back(db: Database, which: int = -1, at: timedelta = timedelta(0)) -> moving.Readdressed:
    token = await link(db, Purpose.OLD_ADDRESS, which)
    async with db.write() as session:
        return await moving.put_back(session, SIGNER, SUPPRESSOR, token, VISITOR, NOON + at)


async def acts(db: Database, subscriber_id: int) -> list[str]:
    async with db.read() as session:
        rows = select(Consent.act).where(Consent.subscriber_id == subscriber_id).order_by(Consent.id)
        return list((await session.scalars(rows)).all())


@pytest.mark.parametrize("what", fresh.ASKABLE)
async def test_pressing_often_mails_a_few(db: Database, what: Purpose) -> None:
    """One every ten minutes, five a day, each kind by itself."""
    await add_reader(db, ADA)
    for minutes in (0, 1, 9, 10, 11, 20, 30, 40, 50, 60, 120):
        await ask(db, what, minutes * MINUTE)
    assert len(await mails(db, what)) == 5
    await ask(db, what, 24 * HOUR + MINUTE)
    assert len(await mails(db, what)) == 6


async def test_a_link_works_for_an_hour_to_the_second_and_for_one_thing(db: Database) -> None:
    """Although the token itself counts in whole hours."""
    await add_reader(db, ADA)
    await ask(db, "download", 30 * MINUTE)
    token = await link(db, Purpose.DOWNLOAD)
    assert await opens(db, Purpose.DOWNLOAD, token, 90 * MINUTE - timedelta(seconds=1))
    assert not await opens(db, Purpose.DOWNLOAD, token, 90 * MINUTE)
    assert not await opens(db, Purpose.ERASE, token, 31 * MINUTE)


async def test_who_has_left_may_still_have_their_data_and_be_forgotten(db: Database) -> None:
    """There is no paper to send elsewhere; and leaving does not take a link back that they asked for."""
    reader = await add_reader(db, ADA)
    await ask(db, "erase")
    row = await reader_at(db, ADA)
    assert row is not None
    async with db.write() as session:
        await leaving.leave(session, SIGNER, SIGNER.sign(Purpose.UNSUBSCRIBE, row.ref), "link", VISITOR, NOON)
    await ask(db, "download")
    with pytest.raises(Conflict):
        await ask(db, "move")
    with pytest.raises(InvalidInput):
        await ask(db, "new-address")
    assert [one.status.value for one in await mails(db, "erase")] == ["queued"]
    assert reader == row.id


async def test_a_change_of_address_keeps_everything_else(db: Database) -> None:
    """One row, with choices, consents and papers; the old address is told, and a list cannot bring it in."""
    reader = await add_reader(db, ADA, zone="Asia/Tokyo")
    await ask(db, "move")
    await name(db, NEW.upper())
    assert await reader_at(db, NEW) is None
    assert not (await move(db)).already
    assert (await move(db)).already
    row = await reader_at(db, NEW)
    assert row is not None
    assert (row.id, row.zone, row.status) == (reader, "Asia/Tokyo", SubscriberStatus.ACTIVE)
    assert await reader_at(db, ADA) is None
    (told,) = await mails(db, "old-address")
    assert (told.recipient, told.parameters) == (ADA, {"to": "A***@example.net"})
    assert await acts(db, reader) == ["moved"]
    assert sum((await bring_in(db, ADA)).fates.values()) == 1
    assert await reader_at(db, ADA) is None


async def test_links_to_an_address_that_was_given_up_open_nothing(db: Database) -> None:
    """Also those that were still good."""
    await add_reader(db, ADA)
    await ask(db, "move")
    await ask(db, "erase")
    await name(db)
    await move(db)
    assert not await opens(db, Purpose.ERASE, await link(db, Purpose.ERASE), MINUTE)
    assert not await opens(db, Purpose.MOVE, await link(db, Purpose.MOVE), MINUTE)


async def test_only_the_last_wish_counts(db: Database) -> None:
    """Of two addresses that were named the later one; and after a move, none named before it."""
    await add_reader(db, ADA)
    await ask(db, "move")
    await name(db, NEW)
    await name(db, THIRD)
    with pytest.raises(InvalidToken) as refused:
        await move(db, 0)
    assert refused.value.expired
    await move(db, 1)
    assert await reader_at(db, THIRD) is not None
    with pytest.raises(InvalidToken):
        await move(db, 0)


async def test_the_old_address_may_object_for_a_week(db: Database) -> None:
    """Twice is once; two moves in a row are undone by the first address, and then the second has no say."""
    reader = await add_reader(db, ADA)
    await ask(db, "move")
    await name(db)
    await move(db)
    await ask(db, "move", 11 * MINUTE, NEW)
    await name(db, THIRD, 12 * MINUTE)
    await move(db, at=13 * MINUTE)
    second = await link(db, Purpose.OLD_ADDRESS, 1)
    late = fresh.WORKS_FOR[Purpose.OLD_ADDRESS]
    assert not (await put_back(db, 0, late - MINUTE)).already
    assert (await put_back(db, 0, late - MINUTE)).already
    row = await reader_at(db, ADA)
    assert row is not None
    assert row.id == reader
    assert not await opens(db, Purpose.OLD_ADDRESS, second, late - MINUTE)
    assert await acts(db, reader) == ["moved", "moved", "put back"]
    with pytest.raises(InvalidToken):
        await put_back(db, 0, late)


async def test_an_address_with_a_paper_of_its_own_is_told_by_its_own_mail_alone(db: Database) -> None:
    """The asker meets the same answer and the same letter; who opens it learns why nothing changes."""
    reader, other = await add_reader(db, ADA), await add_reader(db, NEW)
    await ask(db, "move")
    await name(db, NEW)
    await name(db, THIRD, MINUTE)
    assert [one.recipient for one in await mails(db, "new-address")] == [NEW, THIRD]
    await name(db, NEW, 2 * MINUTE)
    with pytest.raises(Conflict):
        await move(db, 2, 3 * MINUTE)
    kept = [await reader_at(db, one) for one in (ADA, NEW)]
    assert [one.id for one in kept if one] == [reader, other]


async def test_whoever_has_left_the_new_address_gives_way(db: Database) -> None:
    """Their row stays for the figures, without a name."""
    reader, gone = await add_reader(db, ADA), await add_reader(db, NEW)
    async with db.write() as session:
        assert await subscribers.leave(session, gone, SubscriberStatus.ACTIVE, NOON)
    await ask(db, "move")
    await name(db, NEW)
    await move(db)
    row = await reader_at(db, NEW)
    async with db.read() as session:
        before = await subscribers.get(session, gone)
    assert row is not None
    assert before is not None
    assert (row.id, before.status) == (reader, SubscriberStatus.ERASED)


async def test_a_barred_address_is_not_written_to_and_nobody_is_told(db: Database) -> None:
    """`not-asked` holds; three letters a day to whatever addresses is the most."""
    await add_reader(db, ADA)
    await ask(db, "move")
    async with db.write() as session:
        await suppressions.add(session, SUPPRESSOR.hash(NEW), "not-asked", NOON)
    await name(db, NEW)
    assert await mails(db, "new-address") == []
    for number in range(5):
        await name(db, f"x{number}@example.net")
    assert len(await mails(db, "new-address")) == 3


@pytest.mark.parametrize("typed", ["", "nonsense", ADA, ADA.upper(), "x@mailinator.com"])
async def test_an_address_that_cannot_be_is_refused_in_a_sentence(db: Database, typed: str) -> None:
    """As at the sign-up, and the reader's own."""
    await add_reader(db, ADA)
    await ask(db, "move")
    with pytest.raises(InvalidInput):
        await name(db, typed)


async def test_an_erasure_takes_the_other_addresses_along(db: Database) -> None:
    """The one before the move, and one that was only named."""
    await add_reader(db, ADA)
    await ask(db, "move")
    await name(db, NEW)
    await move(db)
    await ask(db, "move", 11 * MINUTE, NEW)
    await name(db, THIRD, 12 * MINUTE)
    async with db.write() as session:
        await erasure.erase_address(session, SUPPRESSOR, NEW, NOON)
    assert await erasure.truncate(db)
    assert re.search(rb"ada@|a\*\*\*@", whole_database.bytes_of(db)) is None
    for address in (ADA, NEW):
        await bring_in(db, address)
        assert await reader_at(db, address) is None
