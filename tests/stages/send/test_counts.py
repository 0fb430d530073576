"""Whatever happens to an edition, its counts and its ledger say the same, on both engines."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core.db import Database
from app.core.mail.message import Message
from app.core.mail.receipt import Accepted, Deferred, Fault, Halt, NotSent, Receipt, Rejected, Scope, Unknown
from app.models.states import DeliveryStatus, EditionStatus, SubscriberStatus
from app.stages.send import control, release, watch
from app.store import editions, handovers, leases, outcomes, progress, subscribers
from app.store.handovers import Wanted
from tests.people import NOON, add_edition, add_reader, minutes
from tests.recount import assert_counted
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import Desk, settings

DOMAINS = ("gmail.com", "hotmail.co.uk", "yahoo.fr", "example.org", "web.de")
RECEIPTS: tuple[Receipt, ...] = (
    *(Accepted("id"),) * 6,
    Rejected("no such user", Fault.ADDRESS, "5.1.1"),
    Rejected("too big", Fault.MESSAGE, "5.3.4"),
    Rejected("a bug", Fault.OURS),
    Deferred("451"),
    Deferred("421", timedelta(minutes=2), Scope.PROVIDER),
    Unknown("no answer"),
    NotSent("the line was cut"),
    Halt("535", "535"),
)


class Night:
    """Things that happen to an edition, chosen by a seed."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self.db, self.luck = desk, desk.db, random.Random(seed)
        self.begun: list[tuple[int, int]] = []

    async def hand_over(self) -> None:
        """By one of two providers, with every kind of answer."""
        provider = Scripted(self.answer, connections=self.luck.randint(1, 3))
        provider.name = self.luck.choice(["first", "second"])
        await self.desk.send(provider)

    def answer(self, message: Message) -> Receipt:
        self.begun.append((message.key, message.attempt))
        return self.luck.choice(RECEIPTS)

    async def die_in_mid_air(self) -> None:
        """A worker takes a shard, begins some of it and is no more."""
        async with self.db.write() as session:
            lease = await leases.take_shard(session, "dead", self.desk.clock.now())
            if lease is None:
                return
            rows = await handovers.begin(session, Wanted(lease, "first", 3), self.desk.clock.now())
            self.begun += [(row.subscriber_id, row.attempt) for row in rows]
            await session.execute(text("UPDATE shards SET lease_until = 0"))

    async def answer_late(self) -> None:
        """What comes in for any attempt there ever was."""
        if not self.begun:
            return
        reader, attempt = self.luck.choice(self.begun)
        status = self.luck.choice([DeliveryStatus.ACCEPTED, DeliveryStatus.ACCEPTED, DeliveryStatus.REJECTED])
        shard = next(row.shard for row in await self.desk.rows() if row.subscriber_id == reader)
        async with self.db.write() as session:
            late = outcomes.Outcome(reader, attempt, status, fault="address" if status == "rejected" else None)
            await outcomes.record(session, self.desk.edition.id, {shard: [late]}, self.desk.clock.now())

    async def leave(self) -> None:
        row = self.luck.choice(await self.desk.rows())
        async with self.db.write() as session:
            await subscribers.leave(session, row.subscriber_id, SubscriberStatus.ACTIVE, NOON)

    async def move_elsewhere(self) -> None:
        """An address changes its mailbox provider between release and hand-over."""
        row = self.luck.choice(await self.desk.rows())
        async with self.db.write() as session:
            reader = await subscribers.get(session, row.subscriber_id)
            assert reader is not None
            new = f"moved{reader.id}-{self.luck.random()}@{self.luck.choice(DOMAINS)}"
            await subscribers.readdress(session, reader.id, reader.address_key, new, new)

    async def pause_or_resume(self) -> None:
        async with self.db.write() as session:
            edition = await editions.get(session, self.desk.edition.id)
            assert edition is not None
            if edition.status is EditionStatus.SENDING:
                await control.pause(session, edition.id)
            elif edition.status is EditionStatus.PAUSED:
                await control.resume(session, edition.id)

    async def newcomers(self) -> None:
        await add_reader(self.db, f"new{self.luck.random()}@{self.luck.choice(DOMAINS)}")
        async with self.db.read() as session:
            edition = await editions.get(session, self.desk.edition.id)
        assert edition is not None
        if edition.status is EditionStatus.SENDING:
            await release.send_now(self.db, edition.id, self.desk.settings, self.desk.clock.now())

    async def wait(self) -> None:
        self.desk.clock.move(self.desk.clock.now() + minutes(self.luck.choice([0.1, 2, 15, 150])))


@pytest.mark.parametrize("unknown", ["resend", "hold"])
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_counts_are_what_a_recount_finds(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, unknown: str
) -> None:
    """After every one of sixty things that happen in no order: answers, deaths, leavings, moves, pauses, hours."""
    monkeypatch.setattr("app.store.releases.SHARD", 6)
    for index in range(20):
        await add_reader(db, f"reader{index}@{DOMAINS[index % len(DOMAINS)]}")
    desk = Desk(db, await add_edition(db), settings(tmp_path, on_unknown=unknown))
    await release.send_now(db, desk.edition.id, desk.settings, NOON)
    night = Night(desk, seed)
    deeds: list[Callable[[], Awaitable[None]]] = [
        *(night.hand_over,) * 4,
        *(night.pause_or_resume,) * 2,
        *(night.answer_late,) * 2,
        night.die_in_mid_air,
        night.leave,
        night.move_elsewhere,
        night.newcomers,
        night.wait,
    ]
    for _ in range(60):
        await night.luck.choice(deeds)()
        async with db.read() as session:
            await assert_counted(session, desk.edition.id)


async def test_what_is_at_rest_is_one_shards_counts(db: Database, tmp_path: Path) -> None:
    """To read an edition is to add up a row a provider and domain group, however many shards it had."""
    for index in range(6):
        await add_reader(db, f"reader{index}@{DOMAINS[index % 2]}")
    desk = Desk(db, await add_edition(db), settings(tmp_path))
    await release.send_now(db, desk.edition.id, desk.settings, NOON)
    await desk.send(Scripted())
    async with db.read() as session:
        shards = (await session.scalars(text("SELECT DISTINCT shard FROM delivery_counts"))).all()
        look = await watch.look(session, desk.edition.id, NOON)
    assert shards == [progress.SETTLED]
    assert look.counts == progress.Counts(accepted=6)
    assert {name: counts.accepted for name, counts in look.domains.items()} == {"gmail": 3, "microsoft": 3}
    assert {name: counts.accepted for name, counts in look.providers.items()} == {"scripted": 6}
    assert look.rate == pytest.approx(6 / progress.SLICE)


async def test_the_rate_is_of_the_last_minute(db: Database, tmp_path: Path) -> None:
    """And what is open is through when it has been answered at that rate, but not before its last retry."""
    for index in range(4):
        await add_reader(db, f"reader{index}@example.org")
    desk = Desk(db, await add_edition(db), settings(tmp_path))
    await release.send_now(db, desk.edition.id, desk.settings, NOON)
    await desk.send(Scripted(lambda message: Accepted() if message.key % 2 else Deferred("451")))
    async with db.read() as session:
        look = await watch.look(session, desk.edition.id, NOON + timedelta(seconds=20))
        assert look.rate == pytest.approx(2 / 20)
        assert look.waits.retries is not None
        assert look.done_at == max(NOON + timedelta(seconds=20 + 2 / look.rate), look.waits.retries.last)
        later = await watch.look(session, desk.edition.id, NOON + minutes(5))
        assert (later.rate, later.done_at) == (0.0, None)
