"""An erasure beside a hand-over: whatever the provider answers, neither its number nor its words are kept."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from app.core.db import Database
from app.models import Delivery, DeliveryNote, TransactionalEmail
from app.models.states import DeliveryStatus, SubscriberStatus
from app.stages.send import release
from app.store import deliveries, erasure, groups, handovers, outcomes, persons, streams, subscribers, transactional
from app.store.handovers import Wanted
from app.store.leases import ShardLease
from app.store.outcomes import Outcome
from app.store.statements import ask
from tests.interleave import at_once, stop_at
from tests.people import NOON, add_edition, add_reader
from tests.recount import assert_counted
from tests.stages.send.test_shard import settings

ADA = "ada@example.org"
WHY = f"550 5.1.1 <{ADA}>: no such user"
MINUTE = timedelta(minutes=1)


class Sent:
    """One edition to two readers, Ada and another; both are in the first shard."""

    def __init__(self, db: Database, edition: int, ada: int, other: int) -> None:
        self.db = db
        self.edition = edition
        self.lease = ShardLease(edition, 1, 0, "worker")
        self.ada = ada
        self.other = other

    async def begin(self, most: int = 9) -> list[handovers.Begun]:
        async with self.db.write() as session:
            return await handovers.begin(session, Wanted(self.lease, "post", most), NOON + MINUTE)

    async def record(self, *outcomes_: Outcome) -> None:
        async with self.db.write() as session:
            moved = await groups.move(session, self.edition, [self.lease], {1: outcomes_}, [], NOON + MINUTE)
            await outcomes.record(session, self.edition, moved.unwritten, NOON + MINUTE)

    async def erase(self) -> None:
        async with self.db.write() as session:
            held = await subscribers.hold(session, self.ada)
            assert held is not None
            assert await erasure.erase(session, self.ada, held.status, "nobody", NOON)

    async def kept(self) -> list[tuple[str, str]]:
        """The provider's number of Ada's delivery and its reasons; the counts are true."""
        async with self.db.read() as session:
            await assert_counted(session, self.edition)
            number = await session.scalar(select(Delivery.provider_id).where(Delivery.subscriber_id == self.ada))
            found = select(DeliveryNote.why).where(DeliveryNote.subscriber_id == self.ada)
            return [(number or "", why) for why in (await session.scalars(found)).all() or [""]]

    async def states(self) -> Sequence[str]:
        async with self.db.read() as session:
            found = select(Delivery.status).order_by(Delivery.subscriber_id)
            return [one.value for one in await session.scalars(found)]


@pytest.fixture
async def sent(db: Database, tmp_path: Path) -> Sent:
    ada, other = await add_reader(db, ADA), await add_reader(db, "other@example.org")
    edition = await add_edition(db)
    await release.send_now(db, edition.id, settings(tmp_path), NOON)
    async with db.write() as session:
        await session.execute(text("UPDATE shards SET owner = 'worker'"))
    return Sent(db, edition.id, ada, other)


def accepted(reader: int, attempt: int = 1) -> Outcome:
    return Outcome(reader, attempt, DeliveryStatus.ACCEPTED, provider_id="number", why=WHY)


def refused(reader: int, attempt: int = 1) -> Outcome:
    return Outcome(reader, attempt, DeliveryStatus.REJECTED, provider_id="number", why=WHY, fault="address")


Answer = Callable[[int], Outcome]
KINDS = pytest.mark.parametrize("outcome", [accepted, refused])
GONE = [("", "")]


@KINDS
async def test_an_answer_after_an_erasure(sent: Sent, outcome: Answer) -> None:
    """It is counted, and no more of it is kept. What is known of others stays."""
    await sent.begin()
    await sent.erase()
    await sent.record(outcome(sent.ada), accepted(sent.other))
    assert await sent.kept() == GONE
    async with sent.db.read() as session:
        numbers = [one.provider_id for one in await persons.deliveries(session, sent.other)]
        mine = [one.provider_id for one in await persons.deliveries(session, sent.ada)]
    assert (numbers, mine) == (["number"], [None])


@KINDS
async def test_an_answer_that_waits_for_an_erasure(
    sent: Sent, outcome: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement began before the erasure was committed, and goes on after it."""
    await sent.begin()
    stop = stop_at(monkeypatch, erasure, "owe_truncation")
    assert await at_once(stop, sent.erase(), lambda: sent.record(outcome(sent.ada))) == (None, None)
    assert await sent.kept() == GONE


@KINDS
async def test_an_erasure_that_waits_for_an_answer(
    sent: Sent, outcome: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number and the note are written and not committed when the erasure looks for them."""
    await sent.begin()
    stop = stop_at(monkeypatch, groups, "move", after=True)
    assert await at_once(stop, sent.record(outcome(sent.ada)), sent.erase) == (None, None)
    assert await sent.kept() == GONE


async def test_a_late_answer_to_an_attempt_that_was_given_up(sent: Sent) -> None:
    """Unknown, erased, accepted in the end."""
    await sent.begin()
    async with sent.db.write() as session:
        assert await deliveries.abandon(session, sent.edition, 1, NOON, NOON) == 2
    await sent.erase()
    await sent.record(accepted(sent.ada), accepted(sent.other))
    assert await sent.states() == ["accepted", "accepted"]
    assert {number for number, _ in await sent.kept()} == {""}
    assert WHY not in [why for _, why in await sent.kept()]


async def test_a_mail_that_went_out_twice(sent: Sent) -> None:
    """The first attempt's answer comes after the second was accepted: the note of the repeat has no words either."""
    await sent.begin()
    async with sent.db.write() as session:
        await deliveries.abandon(session, sent.edition, 1, NOON, NOON)
        await deliveries.ripen(session, sent.edition, 1, NOON, resend=True)
    await sent.begin()
    await sent.record(accepted(sent.ada, 2))
    await sent.erase()
    await sent.record(accepted(sent.ada, 1))
    async with sent.db.read() as session:
        notes = (await session.execute(select(DeliveryNote.outcome, DeliveryNote.why).order_by(DeliveryNote.id))).all()
    assert ("repeated", "") in [tuple(one) for one in notes]
    assert all(WHY not in why for _, why in notes)
    assert (await sent.kept())[0][0] == ""


async def test_a_group_is_begun_without_whom_it_waited_for(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail to nobody is not begun, and is skipped as every other one of somebody who is gone."""
    stop = stop_at(monkeypatch, erasure, "owe_truncation")
    erased, begun = await at_once(stop, sent.erase(), sent.begin)
    assert erased is None
    assert [(one.subscriber_id, one.address) for one in begun] == [(sent.other, "other@example.org")]
    async with sent.db.write() as session:
        shard = deliveries.Shard(sent.edition, 1)
        gone = await ask(session, shard.skip_gone(NOON + MINUTE))
        await shard.tally(session, gone)
        assert len(gone) == 1
    assert await sent.states() == ["skipped", "sending"]
    assert await sent.kept() == GONE


async def test_service_mail_that_was_under_way_is_answered_by_nobody(db: Database) -> None:
    """Its row is gone; the answer finds nothing and disturbs nothing."""
    ada = await add_reader(db, ADA)
    async with db.write() as session:
        await transactional.owe(
            session, kind="welcome", subscriber_id=ada, ref="mail", parameters={}, now=NOON, until=NOON + MINUTE
        )
        (begun,) = await transactional.begin(session, provider="post", epoch=1, most=9, now=NOON)
    async with db.write() as session:
        assert await erasure.erase(session, ada, SubscriberStatus.ACTIVE, "nobody", NOON)
    async with db.write() as session:
        for made in (DeliveryStatus.ACCEPTED, DeliveryStatus.REJECTED):
            answer = streams.Outcome(begun.id, begun.attempt, made, None, "number", "", WHY)
            await streams.settle(session, TransactionalEmail, [answer])
    async with db.read() as session:
        assert (await session.scalars(select(TransactionalEmail.id))).all() == []
