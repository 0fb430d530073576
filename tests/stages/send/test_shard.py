"""A shard handed over: the ledger's discipline, on both engines, with a provider that answers as it is told."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from app.core.clock import FixedClock, steady
from app.core.db import Database, Session
from app.core.mail.message import Message
from app.core.mail.provider import Outgoing, Provider
from app.core.mail.receipt import Accepted, Deferred, Fault, Halt, NotSent, Receipt, Rejected, Scope, Unknown
from app.core.mail.return_path import Returned, ReturnPaths
from app.core.mail.template import MailTemplate, Pieces, Slot, slot
from app.core.settings import Settings, load_settings
from app.models import Delivery, DeliveryNote, Edition
from app.models.states import DeliveryStatus as Status
from app.models.states import EditionStatus, MailForm, SubscriberStatus
from app.stages.send import books, control, course, handover, release, shard
from app.stages.send.journal import Journal
from app.stages.send.ways import Way
from app.store import editions, handovers, leases, outcomes, progress, subscribers
from app.store.handovers import Wanted
from tests.people import NOON, SIGNER, add_edition, add_readers, minutes
from tests.recount import assert_counted
from tests.stages.send.scripted import Scripted

MARK = "5a175a175a17"


def settings(tmp_path: Path, **more: object) -> Settings:
    return load_settings(secret_keys=("x" * 40,), public_url="https://post.example.org", **more)


async def template_for(_: int, __: int, ___: MailForm) -> MailTemplate:
    body = f"Good morning {slot(MARK, Slot.ADDRESS)}, leave by {slot(MARK, Slot.UNSUBSCRIBE)}\n"
    return MailTemplate("A lead", ("Post", "post@example.org"), (), Pieces.cut(body, MARK))


class Desk:
    """An edition with readers, released at noon, and a way to hand it over."""

    def __init__(self, db: Database, edition: Edition, made: Settings) -> None:
        self.db, self.edition, self.settings = db, edition, made
        self.clock = FixedClock(NOON)
        self.stop = asyncio.Event()

    async def send(self, provider: Provider | Way, owner: str = "worker", **more: Any) -> int:
        """`more` is what `send_due` may be told besides."""
        way = provider if isinstance(provider, Way) else Way(provider)
        known = {"clock": self.clock, "template_for": template_for, "stop": self.stop}
        return await shard.send_due(
            self.db, way, settings=self.settings, signer=SIGNER, owner=owner, **{**known, **more}
        )

    async def rows(self) -> list[Delivery]:
        """Every look at the ledger is also a recount."""
        async with self.db.read() as session:
            await assert_counted(session, self.edition.id)
            found = await session.scalars(select(Delivery).order_by(Delivery.subscriber_id))
            return list(found.all())

    async def states(self) -> list[Status]:
        return [row.status for row in await self.rows()]

    async def notes(self) -> list[str]:
        async with self.db.read() as session:
            return list((await session.scalars(select(DeliveryNote.outcome).order_by(DeliveryNote.id))).all())


def small_groups(monkeypatch: pytest.MonkeyPatch, rows: int, largest: int | None = None) -> None:
    """Groups begin with so many rows, on either engine, and stay so unless `largest` says otherwise."""
    monkeypatch.setattr("app.stages.send.groups.SMALLEST", rows)
    monkeypatch.setattr(handover, "FIRST_FAR", rows)
    monkeypatch.setattr(handover, "LARGEST", largest or rows)


Open = Callable[..., "asyncio.Future[Desk]"]


async def desk(db: Database, tmp_path: Path, readers: int = 5, **more: object) -> Desk:
    await add_readers(db, readers)
    edition = await add_edition(db)
    made = Desk(db, edition, settings(tmp_path, **more))
    assert await release.send_now(db, edition.id, made.settings, NOON) == readers
    return made


async def test_every_reader_gets_it_once_and_the_edition_ends(db: Database, tmp_path: Path) -> None:
    """Accepted at the first try: no notes, the provider's id kept, the state `sent`."""
    paper = await desk(db, tmp_path)
    provider = Scripted()
    assert await paper.send(provider) == 5
    assert await paper.send(provider) == -1
    assert len({message.recipient for message in provider.sent}) == 5
    assert [(row.status, row.attempt, row.provider_id) for row in await paper.rows()] == [
        (Status.ACCEPTED, 1, f"id-{row.subscriber_id}") for row in await paper.rows()
    ]
    assert await paper.notes() == []
    assert await release.try_end(db, paper.edition, paper.settings, NOON) is EditionStatus.SENT


async def test_a_message_is_the_readers_own(db: Database, tmp_path: Path) -> None:
    """One-click headers, an opaque Message-ID, the same on a retry."""
    paper = await desk(db, tmp_path, readers=1)
    provider = Scripted(lambda message: Deferred("451") if message.attempt == 1 else Accepted())
    await paper.send(provider)
    paper.clock.move(NOON + minutes(2))
    await paper.send(provider)
    first, second = provider.sent
    assert first.message_id == second.message_id
    assert first.recipient not in first.message_id
    headers = dict(first.headers)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"].startswith("<https://post.example.org/unsubscribe/")
    assert "reader0@example.org" in first.text()


async def test_each_paper_has_a_return_path_of_its_own(db: Database, tmp_path: Path) -> None:
    """Where RETURN_PATH_DOMAIN is set: it names the edition and the reader, the same on a retry."""
    paper = await desk(db, tmp_path, readers=2, return_path_domain="bounces.paper.example")
    provider = Scripted(lambda message: Deferred("451") if message.attempt == 1 else Accepted())
    await paper.send(provider)
    paper.clock.move(NOON + minutes(2))
    await paper.send(provider)
    paths = {message.key: message.return_path for message in provider.sent[2:]}
    assert paths == {message.key: message.return_path for message in provider.sent[:2]}
    own = ReturnPaths(SIGNER, "bounces.paper.example", "post@paper.example")
    async with db.read() as session:
        for key, path in paths.items():
            reader = await subscribers.get(session, key)
            assert reader is not None
            assert own.read(path) == Returned(paper.edition.id, reader.ref)


async def test_who_leaves_before_the_hand_over_gets_nothing(db: Database, tmp_path: Path) -> None:
    """Standing is judged in the statement that begins a delivery."""
    paper = await desk(db, tmp_path)
    gone = (await paper.rows())[2].subscriber_id
    async with db.write() as session:
        assert await subscribers.leave(session, gone, SubscriberStatus.ACTIVE, NOON)
    provider = Scripted()
    await paper.send(provider)
    assert gone not in {message.key for message in provider.sent}
    assert (await paper.rows())[2].status is Status.SKIPPED
    assert await release.try_end(db, paper.edition, paper.settings, NOON) is EditionStatus.SENT


@pytest.mark.parametrize(
    ("receipt", "status", "ended"),
    [
        (Rejected("no such user", Fault.ADDRESS, "5.1.1"), Status.REJECTED, EditionStatus.SENT),
        (Rejected("content", Fault.MESSAGE, "5.6.0"), Status.REJECTED, EditionStatus.PARTIALLY_SENT),
        (Rejected("a bug", Fault.OURS), Status.REJECTED, EditionStatus.PARTIALLY_SENT),
        (Deferred("451"), Status.QUEUED, None),
        (Unknown("no answer"), Status.UNKNOWN, None),
    ],
)
async def test_the_end_is_told_as_it_is(
    db: Database, tmp_path: Path, receipt: Receipt, status: Status, ended: EditionStatus | None
) -> None:
    """A bad address counts as done; a fault of ours does not; what is owed keeps the edition open."""
    paper = await desk(db, tmp_path, readers=3)
    odd = (await paper.rows())[1].subscriber_id
    await paper.send(Scripted(lambda message: receipt if message.key == odd else Accepted()))
    assert await paper.states() == [Status.ACCEPTED, status, Status.ACCEPTED]
    assert await paper.notes() == [status.value]
    assert await release.try_end(db, paper.edition, paper.settings, NOON) is ended


async def test_a_fault_of_ours_pauses_the_edition_and_costs_nobody_anything(db: Database, tmp_path: Path) -> None:
    """Everything is owed again once an operator resumes."""
    paper = await desk(db, tmp_path)
    await paper.send(Scripted(lambda _: Halt("535 authentication failed", "535"), connections=1))
    async with db.read() as session:
        edition = await editions.get(session, paper.edition.id)
        assert edition is not None
    assert (edition.status, edition.reason) == (EditionStatus.PAUSED, "535 authentication failed")
    assert await paper.states() == [Status.QUEUED] * 5
    assert await paper.send(Scripted()) == -1
    async with db.write() as session:
        await control.resume(session, paper.edition.id)
    paper.clock.move(NOON + minutes(1))
    await paper.send(Scripted())
    assert await paper.states() == [Status.ACCEPTED] * 5


async def test_a_provider_that_asks_for_rest_gets_it(db: Database, tmp_path: Path) -> None:
    """The shard is not tried again before the rest is over."""
    paper = await desk(db, tmp_path)
    tired = Scripted(lambda _: Deferred("refused", timedelta(minutes=5), Scope.PROVIDER), connections=1)
    assert await paper.send(tired) == 1
    paper.clock.move(NOON + minutes(4.9))
    assert await paper.send(Scripted()) == -1
    paper.clock.move(NOON + minutes(7))
    await paper.send(Scripted())
    assert await paper.states() == [Status.ACCEPTED] * 5


async def test_pausing_takes_hold_with_the_next_group(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in hand may be finished; of what was not begun at the pause, at most the group that was being begun."""
    small_groups(monkeypatch, 2)
    paper = await desk(db, tmp_path, readers=20)
    provider = Scripted(connections=1)
    taken, begun = 0, 0

    async def drain(outgoing: Outgoing) -> None:
        nonlocal taken, begun
        while messages := await outgoing.take(1):
            taken += 1
            if taken == 2:
                async with db.write() as session:
                    await control.pause(session, paper.edition.id)
                    begun = await session.scalar(text("SELECT count(*) FROM deliveries WHERE status <> 'queued'"))
            outgoing.settle(messages[0], Accepted())

    provider.drain = drain  # type: ignore[method-assign]
    await paper.send(provider)
    states = await paper.states()
    assert 2 <= states.count(Status.ACCEPTED) <= begun + 2 < 10
    assert states.count(Status.ACCEPTED) + states.count(Status.QUEUED) == 20


async def cancel(session: Session, edition_id: int) -> Edition:
    return await control.cancel(session, edition_id, "wrong", NOON)


@pytest.mark.parametrize("deed", [control.pause, cancel])
async def test_what_was_begun_and_not_written_is_not_sent_after_a_pause(
    db: Database, tmp_path: Path, deed: Callable[..., Awaitable[Edition]]
) -> None:
    """A provider that takes one at a time gets nothing more of a group that was begun before somebody stopped it."""
    paper = await desk(db, tmp_path, readers=8)
    provider = Scripted()
    handed = 0

    async def drain(outgoing: Outgoing) -> None:
        nonlocal handed
        while messages := await outgoing.take(1):
            handed += 1
            outgoing.settle(messages[0], Accepted())
            async with db.write() as session:
                assert await session.scalar(text("SELECT count(*) FROM deliveries WHERE status = 'sending'"))
                await deed(session, paper.edition.id)
            await asyncio.sleep(handover.LOOK_EVERY + 2)  # and a transaction on a machine with other work

    provider.drain = drain  # type: ignore[method-assign]
    await paper.send(provider)
    assert handed == 1
    assert sorted(await paper.states()) == sorted([Status.ACCEPTED] + [Status.QUEUED] * 7)
    assert {row.attempt for row in await paper.rows()} == {1}


async def test_what_a_dead_worker_held_is_unknown_and_sent_again_later(db: Database, tmp_path: Path) -> None:
    """Nobody lost: after ten to twenty minutes, the same Message-ID, and a note of it."""
    paper = await desk(db, tmp_path)
    async with db.write() as session:
        lease = await leases.take_shard(session, "dead", NOON)
        assert lease is not None
        begun = await handovers.begin(session, Wanted(lease, "scripted", 2), NOON)
        await session.execute(text("UPDATE shards SET lease_until = 0"))
    assert len(begun) == 2
    provider = Scripted()
    await paper.send(provider)
    assert sorted(await paper.states()) == sorted([Status.ACCEPTED] * 3 + [Status.UNKNOWN] * 2)
    assert await release.try_end(db, paper.edition, paper.settings, NOON) is None
    paper.clock.move(NOON + minutes(9.9))
    assert await paper.send(provider) == -1
    paper.clock.move(NOON + minutes(20))
    await paper.send(provider)
    assert await paper.states() == [Status.ACCEPTED] * 5
    assert [row.attempt for row in await paper.rows()].count(2) == 2
    assert await paper.notes() == ["unknown", "unknown", "accepted", "accepted"]


class Known(Journal):
    """Says of one dead worker what it may have handed over."""

    def __init__(self, owner: str, lease: str, *mails: tuple[int, int]) -> None:
        super().__init__()
        self.asked: list[tuple[str, str]] = []
        self._known = {(owner, lease): frozenset(mails)}

    def left(self, owner: str, lease: str) -> frozenset[tuple[int, int]] | None:
        self.asked.append((owner, lease))
        return self._known.get((owner, lease))


async def begun_by_the_dead(paper: Desk, count: int) -> list[int]:
    """Readers whose mails a worker began that died."""
    async with paper.db.write() as session:
        lease = await leases.take_shard(session, "dead", NOON)
        assert lease is not None
        begun = await handovers.begin(session, Wanted(lease, "scripted", count), NOON)
        await session.execute(text("UPDATE shards SET lease_until = 0"))
    return [one.subscriber_id for one in begun]


@pytest.mark.parametrize("policy", ["resend", "hold"])
async def test_what_a_dead_worker_never_wrote_is_owed_at_once(db: Database, tmp_path: Path, policy: str) -> None:
    """Of what it began only the mail that it had written is unknown; an earlier attempt's writing says nothing."""
    paper = await desk(db, tmp_path, on_unknown=policy)
    first, second, third = await begun_by_the_dead(paper, 3)
    provider, known = Scripted(), Known("dead", f"{paper.edition.id}-1-1", (first, 1), (second, 0))
    await paper.send(provider, journal=known)
    assert known.asked == [("dead", f"{paper.edition.id}-1-1")]
    readers = {row.subscriber_id for row in await paper.rows()}
    assert sorted(message.key for message in provider.sent) == sorted(readers - {first})
    states = {row.subscriber_id: row.status for row in await paper.rows()}
    assert states.pop(first) is Status.UNKNOWN
    assert set(states.values()) == {Status.ACCEPTED}
    assert {row.subscriber_id: row.attempt for row in await paper.rows()}[third] == 2
    assert (await paper.notes()).count("unknown") == 1


@pytest.mark.parametrize(("owner", "lease"), [("somebody", "1-1"), ("dead", "1-2"), ("dead", "2-1")])
async def test_notes_of_another_owner_or_lease_prove_nothing(
    db: Database, tmp_path: Path, owner: str, lease: str
) -> None:
    """As where a database was restored, and numbers come again."""
    paper = await desk(db, tmp_path)
    await begun_by_the_dead(paper, 3)
    await paper.send(Scripted(), journal=Known(owner, f"{paper.edition.id}-{lease}"))
    assert (await paper.states()).count(Status.UNKNOWN) == 3


async def test_a_worker_notes_what_it_writes_until_the_shard_is_given_back(db: Database, tmp_path: Path) -> None:
    """Under the lease's name, before the provider has it; afterwards nothing is left."""
    paper, made = await desk(db, tmp_path), Journal(tmp_path / "notes", "worker")
    provider, seen = Scripted(), list[dict[str, int]]()
    provider.before = lambda _: seen.append(
        {one.name: one.stat().st_size for one in (tmp_path / "notes" / "worker").iterdir() if one.name != "lock"}
    )
    await paper.send(provider, journal=made)
    assert seen[0] == {f"{paper.edition.id}-1-1": 12}
    assert seen[-1] == {f"{paper.edition.id}-1-1": 12 * 5}
    assert [one.name for one in (tmp_path / "notes" / "worker").iterdir()] == ["lock"]


async def test_held_unknowns_are_never_sent_again(db: Database, tmp_path: Path) -> None:
    """ON_UNKNOWN=hold: nobody twice; the edition ends partially sent and the gap is marked."""
    paper = await desk(db, tmp_path, readers=2, on_unknown="hold")
    await paper.send(Scripted(lambda _: Unknown("no answer")))
    paper.clock.move(NOON + timedelta(hours=11))
    assert await paper.send(Scripted()) == -1
    assert await paper.states() == [Status.UNKNOWN] * 2
    assert await release.try_end(db, paper.edition, paper.settings, NOON) is EditionStatus.PARTIALLY_SENT


async def test_a_late_answer_is_recorded_for_its_own_attempt_and_cancels_the_resend(
    db: Database, tmp_path: Path
) -> None:
    """`accepted` wins over `unknown` and over a resend that waits."""
    paper = await desk(db, tmp_path, readers=2)
    first, second = [row.subscriber_id for row in await paper.rows()]
    await paper.send(Scripted(lambda _: Unknown("no answer")))
    late = outcomes.Outcome(first, 1, Status.ACCEPTED, provider_id="late")
    async with db.write() as session:
        await outcomes.record(session, paper.edition.id, {1: [late]}, NOON)
    paper.clock.move(NOON + minutes(21))
    provider = Scripted()
    await paper.send(provider)
    assert [message.key for message in provider.sent] == [second]


async def test_an_answer_that_comes_after_the_resend_counts_a_repeat(db: Database, tmp_path: Path) -> None:
    """Two mails went out, and the ledger says so."""
    paper = await desk(db, tmp_path, readers=1)
    reader = (await paper.rows())[0].subscriber_id
    await paper.send(Scripted(lambda _: Unknown("no answer")))
    paper.clock.move(NOON + minutes(21))
    await paper.send(Scripted())
    async with db.write() as session:
        late = outcomes.Outcome(reader, 1, Status.ACCEPTED)
        await outcomes.record(session, paper.edition.id, {1: [late]}, NOON)
        assert (await progress.total(session, paper.edition.id)).repeated == 1
        same = outcomes.Outcome(reader, 2, Status.ACCEPTED)
        await outcomes.record(session, paper.edition.id, {1: [same]}, NOON)
        assert (await progress.total(session, paper.edition.id)).repeated == 1


@pytest.mark.parametrize(
    ("answer", "notes"),
    [
        (Accepted(), ["repeated"]),
        (Unknown("no answer"), ["repeated"]),
        (Rejected("no such user", Fault.ADDRESS, "5.1.1"), []),
        (Deferred("451"), []),
        (NotSent("the worker stopped"), []),
    ],
)
async def test_an_acceptance_wins_over_a_later_attempt_that_is_in_the_air(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Receipt, notes: list[str]
) -> None:
    """The mail is there: what becomes of the copy is counted, and changes nothing any more."""
    during: list[str] = []
    paper = await desk(db, tmp_path, readers=1)
    reader = (await paper.rows())[0].subscriber_id
    await paper.send(Scripted(lambda _: Unknown("no answer")))
    paper.clock.move(NOON + minutes(21))
    provider = Scripted(connections=1)

    async def drain(outgoing: object) -> None:
        (again,) = await outgoing.take(1)  # type: ignore[attr-defined]
        async with db.write() as session:
            late = outcomes.Outcome(reader, 1, Status.ACCEPTED, provider_id="first")
            await outcomes.record(session, paper.edition.id, {1: [late]}, NOON)
        during.extend(await paper.notes())
        outgoing.settle(again, answer)  # type: ignore[attr-defined]

    monkeypatch.setattr(provider, "drain", drain)
    await paper.send(provider)
    (row,) = await paper.rows()
    assert (row.status, row.attempt, row.provider_id) == (Status.ACCEPTED, 2, "first")
    assert during == ["unknown", "repeated"]
    assert await paper.notes() == ["unknown", *notes]
    async with db.read() as session:
        assert (await progress.total(session, paper.edition.id)).repeated == len(notes)


async def test_shards_follow_one_another_in_one_stream(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last answers of a shard keep nobody waiting: the next one is begun, and each is given back when done."""
    monkeypatch.setattr("app.store.releases.SHARD", 2)
    small_groups(monkeypatch, 2, 256)
    paper = await desk(db, tmp_path, readers=7)
    kept: list[Message] = []
    provider = Scripted()

    async def drain(outgoing: object) -> None:
        while taken := await outgoing.take(1):  # type: ignore[attr-defined]
            if not kept:
                kept.append(taken[0])  # its answer takes its time
            else:
                outgoing.settle(taken[0], Accepted())  # type: ignore[attr-defined]
        outgoing.settle(kept[0], Accepted())  # type: ignore[attr-defined]

    monkeypatch.setattr(provider, "drain", drain)
    assert await paper.send(provider) == 7
    assert await paper.states() == [Status.ACCEPTED] * 7
    async with db.read() as session:
        shards = (await session.execute(text("SELECT number, epoch, lease_until, next_at FROM shards"))).all()
    assert sorted(tuple(one) for one in shards) == [(number, 1, 0, None) for number in (1, 2, 3, 4)]


async def test_losing_one_shard_of_several_costs_only_that_one(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun of it and not written is left to its new owner; the other shards go on."""
    monkeypatch.setattr("app.store.releases.SHARD", 3)
    paper = await desk(db, tmp_path, readers=6)
    provider = Scripted()
    stolen: list[leases.ShardLease] = []

    async def drain(outgoing: object) -> None:
        first = (await outgoing.take(1))[0]  # type: ignore[attr-defined]
        async with db.write() as session:
            await session.execute(text("UPDATE shards SET lease_until = 0 WHERE number = 1"))
            lease = await leases.take_shard(session, "thief", NOON, edition_id=paper.edition.id, shard=1)
            assert lease is not None
            stolen.append(lease)
        outgoing.settle(first, Accepted())  # type: ignore[attr-defined]
        while any(row.shard == 1 for _, row in outgoing._hand._ready):  # type: ignore[attr-defined]  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # a group or two later the fence has said so
        while taken := await outgoing.take(1):  # type: ignore[attr-defined]
            provider.sent += taken
            outgoing.settle(taken[0], Accepted())  # type: ignore[attr-defined]

    monkeypatch.setattr(provider, "drain", drain)
    await paper.send(provider)
    by_shard = {1: set[str](), 2: set[str]()}
    for row in await paper.rows():
        by_shard[row.shard].add(f"{row.status.value} {row.attempt}")
    assert by_shard == {1: {"accepted 1", "queued 1"}, 2: {"accepted 1"}}
    assert len(provider.sent) == 3


async def test_a_shard_whose_worker_died_is_taken_before_there_is_room_for_it(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slow the way out and however many shards stand before it: what it lost is known soon."""
    monkeypatch.setattr("app.store.releases.SHARD", 2)
    small_groups(monkeypatch, 1)
    paper = await desk(db, tmp_path, readers=8)
    async with db.write() as session:
        lease = await leases.take_shard(session, "dead", NOON, shard=4)
        assert lease is not None
        await handovers.begin(session, Wanted(lease, "scripted", 1), NOON)
        await session.execute(text("UPDATE shards SET lease_until = 1 WHERE number = 4"))
    provider = Scripted()

    async def drain(outgoing: object) -> None:
        first = (await outgoing.take(1))[0]  # type: ignore[attr-defined]
        assert {row.shard: row.status for row in await paper.rows() if row.attempt}[4] is Status.UNKNOWN
        provider.sent.append(first)
        outgoing.settle(first, Accepted())  # type: ignore[attr-defined]

    monkeypatch.setattr(provider, "drain", drain)
    await paper.send(provider)
    assert len(provider.sent) == 1


async def test_nothing_is_written_six_seconds_after_the_lease_was_last_renewed(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asleep for 7 s, or without its database: first the lease is proved again."""
    paper, provider, slept = await desk(db, tmp_path), Scripted(), [0.0]
    for module in (books, course, handover):
        monkeypatch.setattr(module, "steady", lambda: steady() + slept[0])

    async def drain(outgoing: Outgoing) -> None:
        first = (await outgoing.take(1))[0]
        assert outgoing.may_write()
        slept[0] = 7.0
        assert not outgoing.may_write()
        outgoing.settle(first, Accepted())
        while taken := await outgoing.take(1):
            assert outgoing.may_write()
            outgoing.settle(taken[0], Accepted())

    monkeypatch.setattr(provider, "drain", drain)
    await paper.send(provider)
    assert await paper.states() == [Status.ACCEPTED] * 5


async def lose_all_but_one(
    paper: Desk, other: Scripted, monkeypatch: pytest.MonkeyPatch, then: Callable[[], Awaitable[object]]
) -> None:
    """A worker begins four, gives one to its provider, and loses the shard; its new owner knows nothing of the four."""
    small_groups(monkeypatch, 4)
    monkeypatch.setattr(handover, "LOOK_EVERY", 60)
    monkeypatch.setattr(course, "RENEW_EVERY", 60)
    provider = Scripted()

    async def drain(outgoing: object) -> None:
        first = (await outgoing.take(1))[0]  # type: ignore[attr-defined]
        async with paper.db.write() as session:
            await session.execute(text("UPDATE shards SET lease_until = 1"))
        await paper.send(other, "thief")
        assert await paper.states() == [Status.UNKNOWN] * 4
        await then()
        outgoing.settle(first, Accepted())  # type: ignore[attr-defined]

    monkeypatch.setattr(provider, "drain", drain)
    await paper.send(provider)


async def test_what_a_lost_worker_never_wrote_is_owed_again_also_where_unknowns_are_held(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shard's new owner held the rows for unknown, found nothing more to do, and gave the shard back for good."""
    paper, other = await desk(db, tmp_path, readers=4, on_unknown="hold"), Scripted()
    await lose_all_but_one(paper, other, monkeypatch, lambda: asyncio.sleep(0))
    assert sorted(await paper.states()) == sorted([Status.ACCEPTED] + [Status.QUEUED] * 3)
    paper.clock.move(NOON + timedelta(seconds=2))
    await paper.send(other, "thief")
    assert await paper.states() == [Status.ACCEPTED] * 4
    assert len(other.sent) == 3


async def test_what_a_lost_worker_never_wrote_can_be_tried_again_where_the_edition_has_ended(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing begins of it any more by itself: so it counts as expired, which `retry` takes up, and not as waiting."""
    paper, other = await desk(db, tmp_path, readers=4, on_unknown="hold"), Scripted()

    async def end() -> None:
        ended = await release.try_end(db, paper.edition, paper.settings, NOON)
        assert ended is EditionStatus.PARTIALLY_SENT

    await lose_all_but_one(paper, other, monkeypatch, end)
    assert sorted(await paper.states()) == sorted([Status.ACCEPTED] + [Status.EXPIRED] * 3)


async def test_a_worker_that_lost_its_lease_begins_nothing_more_but_its_answers_count(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fence rolls back the group; receipts outlive the lease."""
    small_groups(monkeypatch, 2)
    paper = await desk(db, tmp_path, readers=6)
    provider = Scripted()

    async def drain(outgoing: object) -> None:
        messages = await outgoing.take(2)  # type: ignore[attr-defined]
        async with db.write() as session:
            await session.execute(text("UPDATE shards SET lease_until = 0"))
            taken_over = await leases.take_shard(session, "thief", NOON)
            assert taken_over is not None
        for message in messages:
            outgoing.settle(message, Accepted("kept"))  # type: ignore[attr-defined]
        assert await outgoing.take(2) == ()  # type: ignore[attr-defined]

    monkeypatch.setattr(provider, "drain", drain)
    await paper.send(provider)
    assert (await paper.states()).count(Status.ACCEPTED) == 2
    assert (await paper.states()).count(Status.QUEUED) == 4


async def test_a_stopping_worker_gives_back_what_it_never_handed_over(db: Database, tmp_path: Path) -> None:
    """SIGTERM: rows of the open group that no provider got are owed again, not unknown."""
    paper = await desk(db, tmp_path, readers=5)
    provider = Scripted(connections=1)
    provider.before = lambda _: paper.stop.set()
    await paper.send(provider)
    assert len(provider.sent) == 1
    assert sorted(await paper.states()) == sorted([Status.ACCEPTED] + [Status.QUEUED] * 4)
    paper.stop.clear()
    paper.clock.move(NOON + minutes(1))
    await paper.send(Scripted())
    assert await paper.states() == [Status.ACCEPTED] * 5


async def test_a_paper_too_late_is_not_handed_over(db: Database, tmp_path: Path) -> None:
    """After MAX_LATE what is queued is expired, and the edition says that some went without."""
    paper = await desk(db, tmp_path, readers=2)
    paper.clock.move(NOON + timedelta(hours=12, minutes=1))
    provider = Scripted()
    await paper.send(provider)
    assert provider.sent == []
    assert await paper.states() == [Status.EXPIRED] * 2
    assert await release.try_end(db, paper.edition, paper.settings, NOON) is EditionStatus.PARTIALLY_SENT


async def test_outside_production_a_real_provider_reaches_only_the_allowed(db: Database, tmp_path: Path) -> None:
    """Everybody else is rejected by us, and nothing of them is handed over."""
    paper = await desk(db, tmp_path, readers=3, allowed_recipients=("reader1@example.org",))
    provider = Scripted(real=True)
    await paper.send(provider)
    assert [message.recipient for message in provider.sent] == ["reader1@example.org"]
    assert sorted(await paper.states()) == sorted([Status.ACCEPTED, Status.REJECTED, Status.REJECTED])


async def test_a_provider_that_forgets_a_receipt_leaves_an_unknown(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that was taken is forgotten."""
    paper = await desk(db, tmp_path, readers=1)
    provider = Scripted()

    async def drain(outgoing: object) -> None:
        await outgoing.take(1)  # type: ignore[attr-defined]

    monkeypatch.setattr(provider, "drain", drain)
    await paper.send(provider)
    assert await paper.states() == [Status.UNKNOWN]
