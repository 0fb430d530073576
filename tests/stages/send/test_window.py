"""How many rows of one worker may be in the air, whatever ends of other hand-overs are awaited beside it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from app.core.db import Database
from app.core.mail.provider import Outgoing
from app.core.mail.receipt import Accepted
from app.models import Delivery
from app.models.states import DeliveryStatus as Status
from app.stages.send import handover
from app.stages.send.books import Books
from app.stages.send.meter import Meter
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import desk


@pytest.mark.parametrize(("elsewhere", "allowed"), [(0, 20), (11, 9), (100, handover.TRIAL)])
async def test_what_waits_for_slow_answers_counts_within_the_window(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: int, allowed: int
) -> None:
    """A hand-over beside it begins no more than is left, and never less than a few."""
    monkeypatch.setattr(handover, "WINDOW", 20)
    paper = await desk(db, tmp_path, readers=40)
    meter, provider, most = Meter(), Scripted(), 0

    async def drain(outgoing: Outgoing) -> None:
        nonlocal most
        while messages := await outgoing.take(64):
            await asyncio.sleep(0.1)  # groups that may be begun meanwhile are
            async with db.read() as session:
                rows = select(func.count()).select_from(Delivery).where(Delivery.status == Status.SENDING)
                most = max(most, await session.scalar(rows) or 0)
            for message in messages:
                outgoing.settle(message, Accepted())

    provider.drain = drain  # type: ignore[method-assign]
    with meter.watching(lambda: elsewhere):
        assert await paper.send(provider, meter=meter) == 40
    assert most == allowed
    assert await paper.states() == [Status.ACCEPTED] * 40


async def test_sqlites_writer_is_given_up_between_the_halves_of_a_large_group(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who signs up waits for one half at most: outcomes are written down in one, the next ones begun in the other."""
    monkeypatch.setattr("app.stages.send.books.MOST_AT_ONCE", 9)
    paper = await desk(db, tmp_path, readers=200)
    halves: list[tuple[int, int]] = []
    group = Books.group

    async def watched(books: Books[Any], settled: Sequence[Any], room: int) -> Sequence[Any] | None:
        begun = await group(books, settled, room)
        halves.append((len(settled), len(begun or ())))
        return begun

    monkeypatch.setattr(Books, "group", watched)
    await paper.send(Scripted(connections=4))
    assert await paper.states() == [Status.ACCEPTED] * 200
    assert sum(begun for _, begun in halves) == 200
    both = [one for one in halves if all(one) and sum(one) > 9]
    assert bool(both) is not db.is_sqlite


async def test_a_shard_that_ends_with_a_large_group_is_no_shard_that_was_lost(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given back only after the half that proves the lease again; an operator reads of no other worker."""
    monkeypatch.setattr("app.stages.send.books.MOST_AT_ONCE", 1)
    monkeypatch.setattr("app.store.releases.SHARD", 5)
    paper = await desk(db, tmp_path, readers=15)
    provider = Scripted()

    async def drain(outgoing: Outgoing) -> None:
        while messages := await outgoing.take(9):
            for message in messages:  # all before the next group is begun
                outgoing.settle(message, Accepted())

    provider.drain = drain  # type: ignore[method-assign]
    with capture_logs() as told:
        while await paper.send(provider, most_shards=1) >= 0:
            pass
    assert await paper.states() == [Status.ACCEPTED] * 15
    assert [one for one in told if one["log_level"] == "warning"] == []
