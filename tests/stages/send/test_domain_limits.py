"""Limits by mailbox provider: tokens of groups, and groups that are left alone, on both engines."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core.db import Database
from app.core.mail.bars import BARRED_FOR
from app.core.mail.message import Message
from app.core.mail.receipt import Accepted, Deferred, Receipt, Scope
from app.core.mail.tokens import SECOND, Grant, Limits
from app.models.states import DeliveryStatus as Status
from app.models.states import EditionStatus
from app.providers.smtp import SmtpProvider
from app.providers.smtp_connection import Terms
from app.providers.smtp_session import NONE, Server
from app.stages.send import release
from app.stages.send.shares import Asked
from app.stages.send.throttle import ProviderThrottle, Take, reserve
from app.store import buckets, shares
from tests.people import NOON, add_edition, add_reader
from tests.providers.fault_server import FaultServer
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import Desk, settings
from tests.stages.send.test_throttle import UTC_ZONE, Hand, send

SLOWER = Deferred("421 4.7.28 An unusual rate of mail", scope=Scope.DOMAIN, code="4.7.28")


async def desk(db: Database, tmp_path: Path, **domains: int) -> Desk:
    """So many readers at each domain, in turn, released at noon."""
    left = Counter({name.replace("_", "."): count for name, count in domains.items()})
    while +left:
        for domain in sorted(+left):
            await add_reader(db, f"reader{left[domain]}@{domain}")
            left[domain] -= 1
    paper = Desk(db, await add_edition(db), settings(tmp_path))
    await release.send_now(db, paper.edition.id, paper.settings, NOON)
    return paper


def limited(db: Database, **rates: float) -> ProviderThrottle:
    return ProviderThrottle(db, "scripted", Limits(groups=rates), UTC_ZONE, service=False)


def domain(message: Message) -> str:
    return message.recipient.rpartition("@")[2]


async def at(paper: Desk) -> dict[str, set[Status]]:
    """The states of the readers of each group."""
    found: dict[str, set[Status]] = {}
    for row in await paper.rows():
        found.setdefault(row.domain_group, set()).add(row.status)
    return found


async def next_at(db: Database) -> list[str]:
    async with db.read() as session:
        rows = await session.scalars(text("SELECT next_at FROM shards WHERE next_at IS NOT NULL"))
        return [str(one) for one in rows]


async def reserved(db: Database, provider: str, asked: Mapping[str, Asked], clock: Hand) -> dict[str, Grant]:
    takes: dict[str, Take] = {group: one.take for group, one in asked.items()}
    return await reserve(db, provider, takes, UTC_ZONE, clock)


async def test_two_workers_keep_to_one_rate_of_a_group(db: Database) -> None:
    """Over ten seconds that are moved by hand, within a twentieth, though each gives back what it has no use for."""
    clock, given, kept = Hand(), 0, [0, 0]
    for step in range(200):
        for worker in (0, 1):
            asked = {"gmail": Asked(40, 9, kept[worker]), "yahoo": Asked(1000, 1, 0)}
            grants = await reserved(db, "p", asked, clock)
            kept[worker] = grants["gmail"].count // 2 if step % 3 else 0
            given += grants["gmail"].count - kept[worker]
        clock.now += SECOND // 20
    assert given == pytest.approx(400, rel=0.05)


async def test_a_limited_group_keeps_no_other_waiting(db: Database, tmp_path: Path) -> None:
    """While time stands still, all others arrive and a quarter of a second's worth of it; then all of it does."""
    paper = await desk(db, tmp_path, gmail_com=30, example_org=20)
    clock, provider, begun = Hand(), Scripted(), Counter[str]()

    def count(message: Message) -> None:
        begun[domain(message)] += 1
        if begun["example.org"] < 20:
            assert begun["gmail.com"] <= 11
        else:
            clock.now += SECOND // 10

    provider.before = count
    one = ProviderThrottle(db, "scripted", Limits(groups={"gmail": 40}), UTC_ZONE, service=False, instant=clock)
    assert await send(paper, provider, one) == 50
    assert set(await paper.states()) == {Status.ACCEPTED}
    async with db.read() as session:
        used = await session.scalar(text("SELECT used FROM buckets WHERE domain_group = 'gmail'"))
    assert used == 30


async def test_shards_that_wait_for_tokens_let_others_through(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many shards, in each somebody of a group with one token an hour: everybody else gets theirs."""
    monkeypatch.setattr("app.store.releases.SHARD", 4)
    paper = await desk(db, tmp_path, gmail_com=26, example_org=26)
    provider, begun = Scripted(), Counter[str]()

    def enough(message: Message) -> None:
        begun[domain(message)] += 1
        if begun["example.org"] == 26:
            paper.stop.set()

    provider.before = enough
    await send(paper, provider, limited(db, gmail=1 / 3600))
    assert (await at(paper))["other"] == {Status.ACCEPTED}
    assert begun["gmail.com"] <= 1


async def test_an_edition_that_waits_for_tokens_keeps_no_other_edition_waiting(db: Database, tmp_path: Path) -> None:
    """It is put aside as soon as something else is due."""
    paper = await desk(db, tmp_path, gmail_com=3)
    other = Desk(db, await add_edition(db, day=paper.edition.date + timedelta(days=1)), paper.settings)
    async with db.write() as session:
        await session.execute(text("UPDATE editions SET status = 'sending' WHERE id = :id"), {"id": other.edition.id})
        await session.execute(
            text(
                "INSERT INTO shards (edition_id, number, lease_until, epoch, next_at)"
                " SELECT :id, 1, 0, 0, next_at FROM shards LIMIT 1"
            ),
            {"id": other.edition.id},
        )
    assert await send(paper, Scripted(), limited(db, gmail=1 / 3600)) == 1


async def test_a_mailbox_provider_that_slows_us_down_is_left_alone(db: Database, tmp_path: Path) -> None:
    """By every worker, for a while that is written down; the others get theirs, and nobody is lost."""
    paper = await desk(db, tmp_path, gmail_com=12, example_org=12)
    told = Scripted(lambda message: SLOWER if domain(message) == "gmail.com" else Accepted(), connections=1)
    await paper.send(told)
    assert await at(paper) == {"gmail": {Status.QUEUED}, "other": {Status.ACCEPTED}}
    assert sum(domain(message) == "gmail.com" for message in told.sent) == 1
    async with db.read() as session:
        ((provider, group, seconds),) = await shares.all_barred(session, await buckets.instant(session))
    assert (provider, group) == ("scripted", "gmail")
    assert 0 < seconds <= BARRED_FOR[0].total_seconds()
    paper.clock.move(NOON + timedelta(seconds=20))
    assert await paper.send(told, owner="another") == -1, "its shard is not due before the group may go on"
    paper.clock.move(NOON + timedelta(minutes=2))
    assert await paper.send(told, owner="another") == 0, "the group is still barred by the database's clock"
    async with db.write() as session:
        await session.execute(text("UPDATE buckets SET barred_until = 0"))
        await session.execute(text("UPDATE shards SET next_at = '2026-03-04 12:00:00'"))
    paper.clock.move(NOON + timedelta(minutes=6))
    await paper.send(Scripted(), owner="another")
    assert set(await paper.states()) == {Status.ACCEPTED}


async def test_one_of_many_strangers_speaks_only_for_himself(db: Database, tmp_path: Path) -> None:
    """The group of all small domains is never barred."""
    paper = await desk(db, tmp_path, example_org=5)
    odd = (await paper.rows())[0].subscriber_id

    def script(message: Message) -> Receipt:
        return SLOWER if message.key == odd else Accepted()

    await paper.send(Scripted(script, connections=1))
    assert sorted(one.value for one in await paper.states()) == ["accepted"] * 4 + ["queued"]
    async with db.read() as session:
        assert await shares.all_barred(session, 0) == []


async def test_an_edition_ends_when_its_slow_group_is_through(db: Database, tmp_path: Path) -> None:
    """Nothing of it is left behind."""
    paper = await desk(db, tmp_path, gmail_com=9, yahoo_com=9, example_org=1)
    await send(paper, Scripted(), limited(db, gmail=60, yahoo=90))
    assert await release.try_end(db, paper.edition, paper.settings, NOON) is EditionStatus.SENT


@pytest.mark.parametrize("manner", ["lockstep", "pipelined", "chunked"])
async def test_what_a_mail_server_says_of_one_group_stops_that_group_alone(
    db: Database, tmp_path: Path, manner: str
) -> None:
    """Over a real conversation: the others arrive meanwhile, nobody is lost, and nobody gets it twice."""
    paper = await desk(db, tmp_path, gmail_com=40, example_org=40)
    paper.settings = settings(tmp_path, allowed_recipients=("gmail.com", "example.org"))
    server = FaultServer(manner)
    server.refuses["gmail.com"] = "450 4.7.28 an unusual rate of mail from your address"
    await server.start()
    try:
        provider = SmtpProvider("smtp", Server("127.0.0.1", server.port, NONE), 2, Terms(500))
        await paper.send(provider)
        assert await at(paper) == {"gmail": {Status.QUEUED}, "other": {Status.ACCEPTED}}
        assert Counter(one.partition("@")[2] for one in server.recipients()) == {"example.org": 40}
        async with db.read() as session:
            ((name, group, _),) = await shares.all_barred(session, await buckets.instant(session))
        assert (name, group) == ("smtp", "gmail")
        asked = server.verbs.count("RCPT") - 40
        assert asked < 40, "not everybody there was asked for"

        server.refuses.clear()
        async with db.write() as session:
            await session.execute(text("UPDATE buckets SET barred_until = 0"))
            await session.execute(text("UPDATE shards SET next_at = '2026-03-04 12:00:00'"))
        paper.clock.move(NOON + timedelta(minutes=30))
        await paper.send(provider, owner="another")
    finally:
        await server.stop()
    assert set(await paper.states()) == {Status.ACCEPTED}
    assert len(set(server.recipients())) == len(server.recipients()) == 80
