"""SIGTERM: nothing new is begun, what is in hand ends or is recorded, and the exit code is 0; on both engines.

The process itself takes exit code 1 where it needs more than ten seconds, so no test measures time.
"""

import asyncio
import signal
import subprocess
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import text

from app.core.db import Session
from app.models.states import DeliveryStatus
from tests.acceptance.house import House
from tests.chaos.night import Night
from tests.chaos.receiver import Receiver
from tests.chaos.worker import Pace

READERS = 60


class Stalling(Receiver):
    """Says nothing after the final dot, once `taken` mails are through."""

    def __init__(self, after: int) -> None:
        super().__init__(rate=1000, seed=1)
        self._after = after
        self.stalled = 0

    async def _taken(self, mail: bytes, recipient: str) -> bytes:
        if self.count >= self._after:
            self.stalled += 1
            await asyncio.Event().wait()
        return await super()._taken(mail, recipient)


def in_mid_send(night: Night, receiver: Stalling) -> BaseProcess:
    """A worker that waits for the answers to some mails, and has others that it never wrote."""
    night.prepare(READERS)
    process = night.start()
    night.wait("mid-send", lambda: receiver.stalled >= 2)
    return process


def states(night: Night) -> dict[str, int]:
    async def asked(session: Session) -> dict[str, int]:
        rows = await session.execute(text("SELECT status, count(*) FROM deliveries GROUP BY status"))
        return {one[0]: one[1] for one in rows}

    return night.ask(asked)


def test_a_worker_that_is_told_to_end_writes_down_what_it_was_doing(database_url: str, tmp_path: Path) -> None:
    """A server that stalls at the final dot: those mails are unknown, the others are owed, nobody is `sending`."""
    with Stalling(after=20) as receiver:
        night = Night(tmp_path, database_url, receiver, Pace(drain=1))
        try:
            process = in_mid_send(night, receiver)
            process.terminate()
            process.join(30)
            assert process.exitcode == 0, night.log()[-4000:]
            found = states(night)
        finally:
            night.end()
    assert found[DeliveryStatus.UNKNOWN] == receiver.stalled
    assert found[DeliveryStatus.ACCEPTED] == receiver.count
    assert sum(found.values()) == READERS
    assert DeliveryStatus.SENDING not in found


def test_the_second_signal_waits_for_no_conversation(database_url: str, tmp_path: Path) -> None:
    """And still everything is written down. One that waited for them here would not end by itself, with exit code 0."""
    with Stalling(after=20) as receiver:
        night = Night(tmp_path, database_url, receiver, Pace(drain=60))
        try:
            process = in_mid_send(night, receiver)
            process.terminate()
            # The system tells a process once of two signals that it has not heard of yet.
            night.wait("it has heard the first", lambda: "the worker is asked to end" in night.log())
            night.signal(process, signal.SIGTERM)
            process.join(30)
            assert process.exitcode == 0, night.log()[-4000:]
            found = states(night)
        finally:
            night.end()
    assert found[DeliveryStatus.UNKNOWN] == receiver.stalled
    assert DeliveryStatus.SENDING not in found


def test_serve_ends_with_its_worker(database_url: str, tmp_path: Path) -> None:
    """SIGTERM to `serve` in the middle of a confirmation: exit code 0, and the mail is unknown, to be sent again."""
    with Stalling(after=0) as receiver:
        provider = f"smtp://127.0.0.1:{receiver.port}?tls=none&name=receiver"
        with House(tmp_path, database_url, PROVIDERS=provider) as house:
            serve = house.start("serve")
            house.wait("the site", house.is_up)
            answer = house.web.post("/subscribe", json={"email": "reader@example.org"})
            assert answer.status_code == 202, answer.text
            house.wait("the confirmation is on its way", lambda: receiver.stalled)
            serve.send_signal(signal.SIGTERM)
            try:
                assert serve.wait(40) == 0, house.logs()[-4000:]
            except subprocess.TimeoutExpired:
                raise AssertionError(house.logs()[-4000:]) from None
            assert "is killed" not in house.logs()
        night = Night(tmp_path, database_url, receiver)

        async def asked(session: Session) -> list[str]:
            return list((await session.scalars(text("SELECT status FROM transactional_emails"))).all())

        assert night.ask(asked) == [DeliveryStatus.UNKNOWN]
