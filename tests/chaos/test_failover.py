"""A mail server that dies in mid-send and another that carries on: real workers, real servers, both engines."""

from pathlib import Path

from sqlalchemy import text

from app.core.db import Session
from app.models.states import DeliveryStatus
from tests.chaos.night import Night
from tests.chaos.receiver import Receiver

READERS = 240


async def _pinned(session: Session) -> set[int]:
    found = await session.scalars(
        text("SELECT subscriber_id FROM deliveries WHERE pinned AND status IN ('unknown', 'queued')")
    )
    return set(found)


async def _open(session: Session) -> int:
    query = text("SELECT COUNT(*) FROM deliveries WHERE status IN ('queued', 'sending') AND NOT pinned")
    return int(await session.scalar(query) or 0)


async def _carriers(session: Session) -> dict[int, str]:
    rows = await session.execute(text("SELECT subscriber_id, provider FROM deliveries"))
    return dict(list(rows))


def test_the_second_carries_on_and_never_sends_what_the_first_may_have_sent(database_url: str, tmp_path: Path) -> None:
    """What the dead one had in hand waits for it, until it is back; all others have their paper long before."""
    with Receiver(rate=200, seed=1) as second:
        with Receiver(rate=40, seed=2, books=second) as first:
            ways = [f"smtp://127.0.0.1:{one.port}?tls=none&connections=6&name={name}"
                    for name, one in (("first", first), ("second", second))]  # fmt: skip
            night = Night(tmp_path, database_url, first, PROVIDERS=" ".join(ways))
            night.prepare(READERS)
            night.start()
            night.wait("the first takes mail", lambda: first.taken > 30)
        try:
            night.wait("the second carries on", lambda: not night.ask(_open))
            waiting = night.ask(_pinned)
            assert first.taken > 30, "the first was in use"
            assert second.taken > READERS / 3
            assert waiting, "it died with mail in hand"
            night.in_the_air |= waiting
            with Receiver(rate=200, seed=3, port=first.port, books=second) as back:
                night.turn_clock(1500)  # its rest is over, and so is the wait of the unknown
                night.wait("the edition ends", night.ended)
                assert back.taken == len(waiting)
        finally:
            night.end()
    account = night.account()
    assert account.sound(), account
    assert account.states == {DeliveryStatus.ACCEPTED: READERS}
    carriers = night.ask(_carriers)
    assert {carriers[reader] for reader in waiting} == {"first"}
