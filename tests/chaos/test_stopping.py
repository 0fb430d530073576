"""Pause, resume and cancel while mail flows: counted where it arrives, with a slow mail server and a fast one."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core.db import Database, Session
from app.models import Delivery, Shard
from app.models.states import DeliveryStatus, EditionStatus
from app.stages.send import control
from tests.chaos.night import Night, edition_of
from tests.chaos.receiver import Receiver
from tests.people import NOON

SEED = 20261125
Deed = Callable[[Session, int], Awaitable[object]]
PACES = pytest.mark.parametrize(("rate", "readers"), [(20, 160), (2000, 3000)], ids=["slow", "fast"])


async def _states(session: Session) -> Counter[DeliveryStatus]:
    rows = await session.execute(select(Delivery.status, func.count()).group_by(Delivery.status))
    found: dict[Any, int] = dict(rows.all())
    return Counter(found)


def in_mid_send(night: Night, readers: int, deed: Deed) -> None:
    """Does `deed` to an edition that flows; what is received after its commit is at most what was in hand then."""

    async def done(db: Database) -> tuple[int, int]:
        async with db.write() as session:
            # Every group begins with its shards' rows: who holds them knows that no group is under way.
            await session.execute(select(Shard.number).with_for_update())
            in_hand, received = (await _states(session))[DeliveryStatus.SENDING], night.receiver.count
            await deed(session, (await edition_of(session)).id)
        return in_hand, received

    night.prepare(readers)
    night.start()
    night.wait("mail flows", lambda: night.receiver.count >= 40, every=0.005)
    in_hand, received = night.ask_db(done)
    night.wait("nothing is in hand", lambda: not night.ask(_states)[DeliveryStatus.SENDING])
    stopped_at = night.receiver.count
    assert stopped_at - received <= in_hand
    assert stopped_at < readers, "it was over before it was stopped"
    time.sleep(1.5)  # a worker looks for work every second
    assert night.receiver.count == stopped_at, "mail went out after it was stopped"


@PACES
def test_a_pause_stops_what_was_not_begun_and_a_resume_goes_on_with_it(
    database_url: str, tmp_path: Path, rate: float, readers: int
) -> None:
    """Nobody is lost for it, and nobody gets it twice."""
    with Receiver(rate, SEED) as receiver:
        night = Night(tmp_path, database_url, receiver)
        try:
            in_mid_send(night, readers, control.pause)
            assert night.status() is EditionStatus.PAUSED

            async def resume(db: Database) -> None:
                async with db.write() as session:
                    await control.resume(session, (await edition_of(session)).id)

            night.ask_db(resume)
            night.wait("the edition ends", night.ended, within=90, every=0.3)
            account = night.account()
        finally:
            night.end()
    assert account.sound(), account
    assert account.twice == []
    assert account.states == {DeliveryStatus.ACCEPTED: readers}


@PACES
def test_a_cancelled_edition_is_received_by_those_whom_the_ledger_names(
    database_url: str, tmp_path: Path, rate: float, readers: int
) -> None:
    """Whoever waited is skipped; nobody is left between."""

    async def cancel(session: Session, edition_id: int) -> None:
        await control.cancel(session, edition_id, "a trial", NOON)

    with Receiver(rate, SEED) as receiver:
        night = Night(tmp_path, database_url, receiver)
        try:
            in_mid_send(night, readers, cancel)
            night.wait("what waits is skipped", lambda: not night.ask(_states)[DeliveryStatus.QUEUED])
            account = night.account()
            received = receiver.count
        finally:
            night.end()
    assert account.lost == []
    assert account.twice == []
    assert account.edition is EditionStatus.CANCELLED
    released = account.states.total()  # the release may not have come to everybody before it was cancelled
    assert account.states == {DeliveryStatus.ACCEPTED: received, DeliveryStatus.SKIPPED: released - received}
