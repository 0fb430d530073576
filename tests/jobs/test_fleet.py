"""Several workers on one PostgreSQL: real processes, with leases of two seconds instead of ten."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core.db import Database, Session
from app.models.states import DeliveryStatus
from tests.chaos.night import Night
from tests.chaos.receiver import Receiver
from tests.conftest import Postgres

READERS = 300


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """PostgreSQL only: SQLite has one worker."""
    with postgres.database() as url:
        yield url


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(rate=60, seed=7) as made:
        yield made


@pytest.fixture
def night(tmp_path: Path, database_url: str, receiver: Receiver) -> Iterator[Night]:
    made = Night(tmp_path, database_url, receiver)
    yield made
    made.end()


async def _owners(session: Session) -> set[str]:
    """The process ids that hold a shard."""
    held = await session.scalars(text("SELECT owner FROM shards WHERE owner IS NOT NULL"))
    return {owner.split(":")[1] for owner in held}


def test_two_workers_share_an_edition_and_one_goes_on_where_the_other_is_killed(night: Night) -> None:
    """Nobody is lost; what arrives twice was in the air when the first one died."""
    night.prepare(READERS)
    first, second = night.start(), night.start()
    both = {str(first.pid), str(second.pid)}
    night.wait("both hold shards", lambda: night.ask(_owners) == both)
    night.kill(first)
    night.wait("the edition ends", night.ended)
    account = night.account()
    assert account.sound(), account
    assert account.states == {DeliveryStatus.ACCEPTED: READERS}
    second.terminate()
    second.join(30)
    assert second.exitcode == 0, night.log()[-4000:]


def test_a_worker_that_was_asleep_hands_over_nothing_more_and_works_on(night: Night, receiver: Receiver) -> None:
    """Another has taken its shards over. Awake, it records what it knows, and its place in the queue is renewed."""
    night.prepare(READERS)
    sleeper = night.start()
    night.wait("mid-send", lambda: receiver.count > 20)
    night.signal(sleeper, signal.SIGSTOP)
    night.in_the_air |= night.held_by(sleeper)
    other = night.start()
    night.wait("the other takes over", lambda: night.ask(_owners) == {str(other.pid)})

    async def strike_off(session: Session) -> None:
        await session.execute(text("DELETE FROM procrastinate_workers"))

    async def write(db: Database) -> None:
        async with db.write() as session:
            await strike_off(session)

    time.sleep(3)  # longer than the sleeper may go on without having renewed its lease
    night.ask_db(write)
    night.signal(sleeper, signal.SIGCONT)
    night.wait("the edition ends", night.ended)
    account = night.account()
    assert account.sound(), account
    assert account.states == {DeliveryStatus.ACCEPTED: READERS}
    night.wait("both follow the queue again", lambda: night.ask(_clients) >= 4)
    for process in (sleeper, other):
        process.terminate()
        process.join(30)
        assert process.exitcode == 0, night.log()[-4000:]


async def _clients(session: Session) -> int:
    """Each worker has two: for shards, and for the rest."""
    return int(await session.scalar(text("SELECT count(*) FROM procrastinate_workers")) or 0)
