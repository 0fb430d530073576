"""Erased is erased: out of the whole database, out of a send that is under way, and not back by an import."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from app.core.clock import FixedClock
from app.core.db import Database
from app.core.errors import NotFound
from app.core.mail.provider import Outgoing
from app.core.mail.receipt import Fault, Receipt, Rejected
from app.core.signing import Purpose
from app.models import Base, Consent, Delivery, DeliveryNote, Subscriber, TransactionalEmail
from app.models.ledger import REDACTED
from app.models.states import DeliveryStatus, EditionStatus, SubscriberStatus
from app.operations import housekeeping
from app.stages.audience import consent, erasure, leaving, pending
from app.stages.audience.domains import DomainRules
from app.stages.audience.import_readers.columns import recognise
from app.stages.audience.import_readers.run import Arrival, Fate, Terms, import_rows
from app.stages.audience.import_readers.table import Row
from app.stages.audience.origin import Origin
from app.stages.audience.visitor import Visitor
from app.stages.send import release
from app.store import erasure as rows
from app.store import progress, subscribers, suppressions, transactional
from tests.people import LONG_AGO, NOON, SIGNER, SUPPRESSOR, add_edition, add_reader
from tests.recount import assert_counted
from tests.stages.audience import whole_database
from tests.stages.audience.test_double_opt_in import letters, link, press
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import Desk, settings

GONE, STAYS = "Wanda.Vergessen@example.org", "stays@example.org"
KEY = GONE.casefold()


async def erase(db: Database, address: str = GONE) -> int:
    async with db.write() as session:
        return await erasure.erase_address(session, SUPPRESSOR, address, NOON)


async def sign_up(db: Database, address: str = GONE) -> None:
    async with db.write() as session:
        await consent.subscribe(
            session,
            address=address,
            method="form",
            origin=Origin(source=f"a card for {address}"),
            suppressor=SUPPRESSOR,
            domains=DomainRules(),
            visitor=Visitor("192.0.2.77", f"Browser of {address}"),
            now=NOON,
        )


async def join(db: Database, address: str = GONE) -> str:
    """Signs up and confirms; gives the opaque reference in the reader's links."""
    await sign_up(db, address)
    mail = (await letters(db))[-1]
    return (await press(db, link(mail))).ref


async def read_a_paper(db: Database, tmp_path: Path, provider: Scripted) -> Desk:
    paper = Desk(db, await add_edition(db), settings(tmp_path))
    paper.clock.move(NOON + timedelta(minutes=1))
    await release.send_now(db, paper.edition.id, paper.settings, paper.clock.now())
    await paper.send(provider)
    return paper


def refusing(message: object) -> Receipt:
    """As servers do, with the address in the reason."""
    return Rejected(f"550 5.1.1 <{getattr(message, 'recipient')}>: no such user", Fault.ADDRESS, "5.1.1")  # noqa: B009


async def test_nothing_of_the_address_is_left_in_the_whole_database(db: Database, tmp_path: Path) -> None:
    """Searched for in every byte: the address in any spelling, its links, what the browser said, what a server said."""
    ref = await join(db)
    await join(db, STAYS)
    await read_a_paper(db, tmp_path, Scripted(refusing))
    told = (KEY.encode(), ref.lower().encode(), b"wanda", b"vergessen", b"192.0.2.77")
    before = whole_database.bytes_of(db)
    assert all(word in before for word in told[:4])
    await erase(db)
    await erase(db, STAYS)
    assert await erasure.truncate(db)
    after = whole_database.bytes_of(db)
    assert [word for word in (*told, STAYS.encode()) if word in after] == []
    assert SUPPRESSOR.hash(KEY).encode() in after


async def test_the_address_is_nowhere_left_among_many(db: Database) -> None:
    """Pages that were split and merged again leave no copy behind."""
    for index in range(300):
        await add_reader(db, f"reader.number{index}@example.org", confirmed_at=LONG_AGO if index % 2 else None)
    gone = [f"reader.number{index}@example.org" for index in range(0, 300, 3)]
    for address in gone:
        await erase(db, address)
    assert await erasure.truncate(db)
    after = whole_database.bytes_of(db)
    assert [address for address in gone if address.encode() in after] == []
    assert b"reader.number1@example.org" in after


async def test_the_figures_of_an_edition_stay_true(db: Database, tmp_path: Path) -> None:
    """The delivery remains, of nobody; the consents remain without what was personal."""
    await join(db)
    paper = await read_a_paper(db, tmp_path, Scripted())
    async with db.read() as session:
        before = await progress.total(session, paper.edition.id)
    reader = await erase(db)
    async with db.read() as session:
        await assert_counted(session, paper.edition.id)
        assert await progress.total(session, paper.edition.id) == before == progress.Counts(accepted=1)
        kept = (await session.scalars(select(Consent).order_by(Consent.id))).all()
        row = await subscribers.get(session, reader)
        mails = await session.scalar(select(func.count()).select_from(TransactionalEmail))
    assert [one.act for one in kept] == ["asked", "confirmed", "erased"]
    assert {(one.ip, one.user_agent, one.source, one.message_id) for one in kept} == {("", "", "", "")}
    assert row is not None
    assert (row.status, row.address, row.first_name, row.zone) == (SubscriberStatus.ERASED, "", "", "")
    assert mails == 0
    assert not (await paper.rows())[0].provider_id
    assert await release.try_end(db, paper.edition, paper.settings, NOON) is EditionStatus.SENT


class ErasingMeanwhile(Scripted):
    """The reader is erased after the mail was begun and before the server refuses it."""

    db: Database

    async def drain(self, outgoing: Outgoing) -> None:
        messages = await outgoing.take(5)
        if messages:
            await erase(self.db)
        for message in messages:
            outgoing.settle(message, refusing(message))


async def test_a_mail_in_mid_air_is_counted_and_brings_nothing_back(db: Database, tmp_path: Path) -> None:
    """Its outcome is recorded, the server's words with the address are not."""
    await join(db)
    provider = ErasingMeanwhile()
    provider.db = db
    paper = await read_a_paper(db, tmp_path, provider)
    assert await paper.states() == [DeliveryStatus.REJECTED]
    async with db.read() as session:
        notes = (await session.scalars(select(DeliveryNote.why))).all()
    assert list(notes) == [""]
    assert await erasure.truncate(db)
    assert KEY.encode() not in whole_database.bytes_of(db)


async def test_what_came_in_late_is_swept_out(db: Database, tmp_path: Path) -> None:
    """A provider's number for a mail that was on its way goes with the day's tidying."""
    await join(db)
    paper = await read_a_paper(db, tmp_path, Scripted())
    reader = await erase(db)
    async with db.write() as session:
        await session.execute(update(Delivery).values(provider_id="late"))
        await transactional.owe(
            session, kind="welcome", subscriber_id=reader, ref="late", parameters={}, now=NOON, until=NOON + DAY
        )
        assert await transactional.begin(session, provider="outbox", epoch=1, most=9, now=NOON) == []
    await housekeeping.tidy(db, NOON + DAY)
    assert [row.provider_id for row in await paper.rows()] == [REDACTED]
    assert await letters(db) == []


DAY = timedelta(days=1)


async def bring_in(db: Database, address: str) -> Arrival:
    def lines() -> Iterator[Row]:
        yield Row(2, [address], "")

    columns = recognise(["Email"], None, [("address", "Email")])
    arrival = Arrival(columns, Terms(confirm=True), lambda _, __: None)
    async for _ in import_rows(db, SUPPRESSOR, FixedClock(NOON), lines(), arrival):
        pass
    return arrival


async def test_an_import_does_not_bring_the_person_back(db: Database) -> None:
    """In any spelling."""
    await join(db)
    await erase(db)
    assert (await bring_in(db, GONE.upper())).fates[Fate.SUPPRESSED] == 1


async def test_the_person_may_come_back_by_themselves(db: Database) -> None:
    """As somebody new, with one confirmation; confirming lifts the block."""
    old = await join(db)
    await erase(db)
    new = await join(db)
    assert new != old
    async with db.read() as session:
        assert await suppressions.reason(session, SUPPRESSOR.hash(KEY)) is None
        reader = await subscribers.find_key(session, KEY)
    assert reader is not None
    assert reader.status is SubscriberStatus.ACTIVE


async def test_erasing_twice_is_erasing_once_and_old_links_find_nobody(db: Database) -> None:
    """A link to leave in an old paper still answers; it has nothing left to do."""
    ref = await join(db)
    await erase(db)
    with pytest.raises(NotFound):
        await erase(db)
    token = SIGNER.sign(Purpose.UNSUBSCRIBE, ref)
    async with db.write() as session:
        await leaving.leave(session, SIGNER, token, "one-click", Visitor(), NOON)
        found = await leaving.look_up(session, SIGNER, SUPPRESSOR, token, NOON)
    assert found.status is None


async def test_a_bar_outlives_the_erasure(db: Database) -> None:
    """Whoever said that they did not ask stays barred when an operator erases them."""
    await join(db)
    async with db.write() as session:
        await suppressions.add(session, SUPPRESSOR.hash(KEY), pending.NOT_ASKED, NOON)
    await erase(db)
    async with db.read() as session:
        assert await suppressions.reason(session, SUPPRESSOR.hash(KEY)) == pending.NOT_ASKED


async def test_the_log_is_emptied_again_when_a_reader_was_in_the_way(db: Database) -> None:
    """An open snapshot keeps SQLite's log; the debt stays written down until it is paid."""
    if db.file is None:
        assert await erasure.truncate(db)
        return
    await join(db)
    async with db.read() as session:
        assert await subscribers.find_key(session, KEY) is not None
        await erase(db)
        assert not await erasure.truncate(db)
    assert KEY.encode() in whole_database.bytes_of(db)
    assert await erasure.truncate(db)
    assert KEY.encode() not in whole_database.bytes_of(db)


def test_every_table_that_hangs_on_a_reader_is_emptied_of_them() -> None:
    """Whoever adds one says in store/erasure what becomes of it."""
    hanging = {table.name for table in Base.metadata.sorted_tables if "subscriber_id" in table.columns}
    assert hanging == rows.HOLDERS
    assert Subscriber.__tablename__ not in hanging
