"""How a group that a mailbox provider slowed down comes back to its rate, on both engines."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app.core.db import Database
from app.core.mail.bars import BARRED_FOR, QUIET
from app.core.mail.message import Message
from app.core.mail.receipt import Accepted
from app.core.mail.tokens import SECOND, Limits, day_of
from app.models.states import DeliveryStatus as Status
from app.stages.send.shares import Asked
from app.stages.send.throttle import ProviderThrottle
from app.store import shares
from tests.people import NOON
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_domain_limits import SLOWER, at, desk, domain, reserved
from tests.stages.send.test_throttle import UTC_ZONE, Hand, send


async def bar(db: Database, group: str, now: int) -> int:
    """Bars a group at the provider `scripted`; gives until when."""
    async with db.write() as session:
        made = await shares.bar_group(session, "scripted", group, None, now=now, today=day_of(now, UTC_ZONE))
    return made.until


@pytest.mark.parametrize(("rate", "minutes"), [(40, [5, 10, 20, 40]), (None, [5, 10, 20, 40, 80])])
async def test_two_workers_share_the_way_back(db: Database, rate: float | None, minutes: list[int]) -> None:
    """Asked ten times a second on a clock that is moved: each minute gives what its pace allows, within a twentieth."""
    clock = Hand()
    clock.now = await bar(db, "gmail", clock.now)
    for pace in minutes:
        given = 0
        for _ in range(50):  # ten seconds of each minute say enough
            for _worker in (0, 1):
                given += (await reserved(db, "scripted", {"gmail": Asked(rate, 50, 0)}, clock))["gmail"].count
            clock.now += SECOND // 5
        assert given == pytest.approx(pace * 10, rel=0.05, abs=1 + pace / 4)
        clock.now += QUIET - 10 * SECOND


async def test_a_group_without_a_rate_is_limited_only_until_it_is_back(db: Database) -> None:
    """Then it is nobody's concern: neither found by a look, nor held to a number."""
    until = await bar(db, "gmail", int(NOON.timestamp()) * SECOND)
    back = until + 5 * QUIET
    clock = Hand()
    clock.now = back
    async with db.write() as session:
        assert await shares.slowed(session, "scripted", back - 1) == {"gmail": until}
        assert await shares.slowed(session, "scripted", back) == {}
    grants = await reserved(db, "scripted", {"gmail": Asked(None, 500, 0)}, clock)
    assert grants["gmail"].count == 500


def counting(clock: Hand, begun: Counter[str], others: int, since: int) -> Callable[[Message], None]:
    """Lets a quarter of a second go by with each message, once all of the others are through."""

    def count(message: Message) -> None:
        begun[domain(message)] += 1
        elapsed = (clock.now - since) / SECOND
        assert begun["gmail.com"] <= 1 + 5 * (elapsed + 0.25), "no more than the way back allows"
        if begun["example.org"] == others:
            clock.now += SECOND // 4

    return count


@pytest.mark.parametrize("rates", [{}, {"gmail": 40.0}], ids=["no rate", "a rate"])
async def test_after_a_bar_a_paper_goes_on_with_little(db: Database, tmp_path: Path, rates: dict[str, float]) -> None:
    """What may be begun while time stands still is two messages; then what the pace allows, and all arrive."""
    paper, clock = await desk(db, tmp_path, gmail_com=8, example_org=8), Hand()
    told = Scripted(lambda message: SLOWER if domain(message) == "gmail.com" else Accepted(), connections=1)

    def throttle() -> ProviderThrottle:
        return ProviderThrottle(db, "scripted", Limits(groups=rates), UTC_ZONE, service=False, instant=clock)

    await send(paper, told, throttle())
    assert await at(paper) == {"gmail": {Status.QUEUED}, "other": {Status.ACCEPTED}}

    clock.now += int(BARRED_FOR[0].total_seconds()) * SECOND
    paper.clock.move(NOON + timedelta(minutes=6))
    provider, begun = Scripted(), Counter[str]()
    provider.before = counting(clock, begun, 0, clock.now)
    await send(paper, provider, throttle())
    assert begun == {"gmail.com": 8}
    assert set(await paper.states()) == {Status.ACCEPTED}


async def test_a_group_that_comes_back_keeps_no_other_waiting(db: Database, tmp_path: Path) -> None:
    """Everybody else of a provider without any limits gets theirs at once, in the same hand-over."""
    paper, clock = await desk(db, tmp_path, gmail_com=6, example_org=12), Hand()
    await bar(db, "gmail", clock.now - 60 * SECOND)
    provider, begun = Scripted(), Counter[str]()
    provider.before = counting(clock, begun, 12, clock.now)
    one = ProviderThrottle(db, "scripted", Limits(), UTC_ZONE, service=False, instant=clock)
    assert await send(paper, provider, one) == 18
    assert set(await paper.states()) == {Status.ACCEPTED}
