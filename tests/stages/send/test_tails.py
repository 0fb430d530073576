"""Hand-overs that end while answers are still to come: what went wrong is known at once, and the rest is free."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.core.db import Database
from app.core.mail.provider import Outgoing
from app.core.mail.receipt import Accepted, Deferred, Halt, NotSent, Receipt, Scope, Unknown
from app.models import Delivery, OperatorMail, ProviderState, Shard
from app.models.breaker import Breaker
from app.models.states import DeliveryStatus as Status
from app.models.states import EditionStatus
from app.stages.send import patience
from app.stages.send.ways import Way
from app.store import editions, provider_states
from tests.people import NOON, minutes
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import Desk, desk

DOWN = Deferred("connection refused", scope=Scope.PROVIDER, code="unreachable")
QUOTA = Halt("the day's quota is used up", "quota", account=True)


class Slow(Scripted):
    """Says `last` to its first message, and no answer to another until `answer` is set; takes no more than that."""

    def __init__(self, last: Receipt) -> None:
        super().__init__()
        self.last = last
        self.answer = asyncio.Event()

    async def drain(self, outgoing: Outgoing) -> None:
        waits, first = [message for _ in range(2) for message in await outgoing.take(1)]
        outgoing.settle(first, self.last)
        await self.answer.wait()
        outgoing.settle(waits, Accepted())


async def until(at: Desk, what: object) -> None:
    """The ledger says so."""
    async with asyncio.timeout(60):
        while True:
            async with at.db.read() as session:
                if await session.scalar(select(what)):  # type: ignore[call-overload]
                    return
            await asyncio.sleep(0.01)


NOTHING_SENDING = ~select(Delivery).where(Delivery.status == Status.SENDING).exists()


@pytest.mark.parametrize("fault", [DOWN, QUOTA])
async def test_a_fault_met_by_the_last_of_a_shard_counts_as_well(
    db: Database, tmp_path: Path, fault: Deferred | Halt
) -> None:
    """Also where its outcome is written down while the provider still says goodbye."""
    paper = await desk(db, tmp_path, readers=1, operator_emails="ada@example.org")

    class Polite(Scripted):
        async def drain(self, outgoing: Outgoing) -> None:
            for message in await outgoing.take(1):
                outgoing.settle(message, fault)
            await until(paper, NOTHING_SENDING)

    assert await paper.send(Polite()) == 1
    async with db.read() as session:
        known = await provider_states.every(session)
        found = await editions.get(session, paper.edition.id)
        letters = await session.scalar(select(func.count()).select_from(OperatorMail))
        owners = await session.scalar(select(func.count()).where(Shard.owner.is_not(None)))
    assert known["scripted"].failures == 1
    assert found is not None
    halted = isinstance(fault, Halt)
    assert (found.status, letters) == ((EditionStatus.PAUSED, 1) if halted else (EditionStatus.SENDING, 0))
    assert owners == 0


@pytest.mark.parametrize("fault", [DOWN, QUOTA])
async def test_a_fault_is_known_while_an_answer_is_awaited(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Deferred | Halt
) -> None:
    """The breaker opens, and every other shard is free: nobody waits ten minutes for one silent conversation."""
    monkeypatch.setattr(patience, "TAIL_AFTER", 0.1)
    monkeypatch.setattr("app.store.releases.SHARD", 2)
    paper = await desk(db, tmp_path, readers=6, operator_emails="ada@example.org")
    slow = Slow(fault)
    task = asyncio.create_task(paper.send(slow))
    await until(paper, select(OperatorMail if isinstance(fault, Halt) else ProviderState).exists())
    async with db.read() as session:
        state = (await provider_states.every(session))["scripted"]
        shards = list(await session.scalars(select(Shard.owner).order_by(Shard.number)))
    assert provider_states.breaker(state, NOON) is Breaker.OPEN
    assert [owner is None for owner in shards] == [False, True, True]
    assert (await paper.states()).count(Status.QUEUED) == 5
    slow.answer.set()
    await task
    assert (await paper.states()).count(Status.ACCEPTED) == 1
    async with db.read() as session:
        assert (await provider_states.every(session))["scripted"].failures == 1
        assert await session.scalar(select(func.count()).where(Shard.owner.is_not(None))) == 0


class Mute(Scripted):
    """Takes as much as its lines carry and says nothing until `answer` is set; then `last`."""

    def __init__(self, last: Receipt) -> None:
        super().__init__()
        self.last = last
        self.answer = asyncio.Event()

    async def drain(self, outgoing: Outgoing) -> None:
        taken = [message for _ in range(2) for message in await outgoing.take(1)]
        self.sent += taken
        await self.answer.wait()
        for message in taken:
            outgoing.settle(message, self.last)


async def test_a_trial_is_nobody_elses_while_its_answers_are_awaited(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows yet whether the provider works: a second worker would give it more."""
    monkeypatch.setattr(patience, "TAIL_AFTER", 0.1)
    paper = await desk(db, tmp_path, readers=2)
    async with db.write() as session:
        await provider_states.failed(session, "scripted", after=None, ours=False, code="x", why="down", now=NOON)
    paper.clock.move(NOON + minutes(15))
    mute, tail = Mute(Accepted()), asyncio.Event()
    task = asyncio.create_task(paper.send(Way(mute, on_trial=True), on_tail=tail.set))
    async with asyncio.timeout(60):
        await tail.wait()
    async with db.write() as session:
        assert not await Way(mute, on_trial=True).enter(session, NOON + minutes(15.1))
    mute.answer.set()
    assert await task == 2
    async with db.read() as session:
        state = (await provider_states.every(session))["scripted"]
    assert provider_states.breaker(state, NOON + minutes(15.2)) is Breaker.CLOSED


@pytest.mark.parametrize(
    ("last", "became"),
    [(Accepted(), Status.ACCEPTED), (Unknown("no answer"), Status.UNKNOWN), (NotSent(), Status.QUEUED)],
)
async def test_where_one_falls_silent_another_carries_on(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: Receipt, became: Status
) -> None:
    """With the rest of the very shard; what the silent one has in hand stays its own, until it says what it is."""
    monkeypatch.setattr(patience, "SILENT_AFTER", 0.2)
    monkeypatch.setattr(patience, "TAIL_AFTER", 0.1)
    paper = await desk(db, tmp_path, readers=6)
    mute, second = Mute(last), Scripted()
    mute.name, second.name = "mute", "second"
    silent = asyncio.create_task(paper.send(Way(mute, ("second",))))
    await until(paper, select(ProviderState).where(ProviderState.code == "silent").exists())
    paper.clock.move(NOON + minutes(0.1))
    assert await paper.send(Way(second, ("mute",))) == 4
    assert sorted(await paper.states()) == [*[Status.ACCEPTED] * 4, *[Status.UNKNOWN] * 2]
    mute.answer.set()
    await silent
    assert sorted(await paper.states()) == sorted([*[Status.ACCEPTED] * 4, *[became] * 2])
    assert not {one.key for one in mute.sent} & {one.key for one in second.sent}
    rows = [row for row in await paper.rows() if row.subscriber_id in {one.key for one in mute.sent}]
    assert [row.pinned for row in rows if row.status is not Status.ACCEPTED] == (
        [] if became is Status.ACCEPTED else [became is Status.UNKNOWN] * 2
    )
