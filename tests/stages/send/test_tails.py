"""Hand-overs that end while answers are still to come: what went wrong is known at once, and the rest is free."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.core.db import Database
from app.core.mail.provider import Outgoing
from app.core.mail.receipt import Accepted, Deferred, Halt, Receipt, Scope
from app.models import Delivery, OperatorMail, ProviderState, Shard
from app.models.breaker import Breaker
from app.models.states import DeliveryStatus as Status
from app.models.states import EditionStatus
from app.stages.send import handover
from app.store import editions, provider_states
from tests.people import NOON
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
    async with asyncio.timeout(15):
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
    monkeypatch.setattr(handover, "TAIL_AFTER", 0.1)
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
