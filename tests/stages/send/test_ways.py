"""Several providers: the first that works carries the paper, and what one may have passed on is never another's."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.core.db import Database
from app.core.errors import StorageError
from app.core.mail.message import Message
from app.core.mail.receipt import Accepted, Deferred, Halt, NotSent, Receipt, Rejected, Scope, Unknown
from app.models import OperatorMail, Shard
from app.models.breaker import Breaker
from app.models.states import DeliveryStatus as Status
from app.models.states import EditionStatus
from app.stages.send import control, handover, release
from app.stages.send.standing import standings
from app.stages.send.ways import Way, in_use, usable
from app.store import editions, provider_states
from tests.people import NOON, add_reader, minutes
from tests.stages.send.scripted import Script, Scripted
from tests.stages.send.test_shard import Desk, desk

DOWN = Deferred("connection refused", scope=Scope.PROVIDER, code="unreachable")
QUOTA = Halt("the day's quota is used up", "quota", account=True)
POLICY = Halt("550 5.7.26 unauthenticated", "5.7.26")


def provider(name: str, script: Script | None = None) -> Scripted:
    made = Scripted(script, connections=1)
    made.name = name
    return made


async def turn(at: Desk, providers: list[Scripted], owner: str = "worker") -> list[int]:
    """Hands over by every provider that is usable, in order, until none gives anything: how many each time.

    And again a second later, when what was begun and not given to a provider is owed again.
    """
    handed = await once(at, providers, owner)
    at.clock.move(at.clock.now() + timedelta(seconds=1))
    return handed + await once(at, providers, owner)


async def once(at: Desk, providers: list[Scripted], owner: str) -> list[int]:
    handed = []
    while True:
        async with at.db.read() as session:
            ways = await usable(session, providers, at.clock.now())
        for way in ways:
            count = await at.send(way, owner)
            handed.append(count)
            if count:
                break
        else:
            return handed
        if count < 0:
            return handed


async def next_at(at: Desk) -> int | None:
    """Minutes after noon."""
    async with at.db.read() as session:
        due = await session.scalar(select(Shard.next_at))
    return (due - NOON) // minutes(1) if due else None


def failing(after: int, how: Receipt) -> Script:
    """Takes so many messages, and then says `how` to every one."""
    taken = iter(range(10_000))

    def script(message: Message) -> Receipt:
        return Accepted(f"id-{message.key}") if next(taken) < after else how

    return script


async def test_the_first_carries_everything_while_it_works(db: Database, tmp_path: Path) -> None:
    """The second is never asked."""
    paper = await desk(db, tmp_path, readers=20)
    first, second = provider("first"), provider("second")
    await turn(paper, [first, second])
    assert (len(first.sent), len(second.sent)) == (20, 0)


async def test_what_one_cannot_take_the_next_does_at_once(db: Database, tmp_path: Path) -> None:
    """The message that met the fault too: it does not wait for its own back-off. Nobody gets it twice."""
    paper = await desk(db, tmp_path, readers=20)
    first, second = provider("first", failing(6, DOWN)), provider("second")
    await turn(paper, [first, second])
    assert set(await paper.states()) == {Status.ACCEPTED}
    rows = await paper.rows()
    assert sorted(row.provider or "" for row in rows) == ["first"] * 6 + ["second"] * 14
    assert not {one.key for one in first.sent[:6]} & {one.key for one in second.sent}
    async with db.read() as session:
        one, two = await standings(session, [first, second], {}, ZoneInfo("UTC"), NOON)
    assert (one.breaker, one.in_use, one.failures, one.last_fault) == (Breaker.OPEN, False, 1, "connection refused")
    assert (two.breaker, two.in_use, two.last_fault) == (Breaker.CLOSED, True, "")


async def test_an_unknown_hand_over_waits_for_its_own_provider(db: Database, tmp_path: Path) -> None:
    """However long that rests, and whatever it says meanwhile: another could only make it two."""
    paper = await desk(db, tmp_path, readers=3)
    answers: Iterator[Receipt] = iter([Unknown("no answer"), DOWN, DOWN, Accepted("at last")])
    first, second = provider("first", lambda _: next(answers)), provider("second")
    await turn(paper, [first, second])
    assert [row.status for row in await paper.rows()].count(Status.ACCEPTED) == 2
    (lost,) = [row for row in await paper.rows() if row.status is Status.UNKNOWN]

    paper.clock.move(NOON + minutes(25))  # its time has come; the first is tried, and is still down
    await turn(paper, [first, second])
    (row,) = [row for row in await paper.rows() if row.subscriber_id == lost.subscriber_id]
    assert (row.status, row.provider, row.pinned) == (Status.QUEUED, "first", True)
    assert await next_at(paper) == 27
    assert set(await turn(paper, [first, second])) == {-1}

    paper.clock.move(NOON + minutes(28))
    await turn(paper, [first, second])
    assert set(await paper.states()) == {Status.ACCEPTED}
    assert [one.key for one in first.sent].count(lost.subscriber_id) == 3
    assert lost.subscriber_id not in {one.key for one in second.sent}
    async with db.read() as session:
        assert (await in_use(session, [first, second], paper.clock.now())).name == "first"


async def test_what_a_second_provider_alone_may_carry_goes_by_it(db: Database, tmp_path: Path) -> None:
    """Also when the first works again: the second has its turn where the first finds nothing."""
    paper = await desk(db, tmp_path, readers=2)
    answers: Iterator[Receipt] = iter([Unknown("no answer"), Accepted(), Accepted()])
    first, second = provider("first", failing(0, DOWN)), provider("second", lambda _: next(answers))
    await turn(paper, [first, second])
    first = provider("first")
    paper.clock.move(NOON + minutes(25))
    await turn(paper, [first, second])
    assert set(await paper.states()) == {Status.ACCEPTED}
    assert (len(first.sent), len(second.sent)) == (0, 3)


async def test_a_provider_that_is_no_longer_configured_holds_nobody_back(db: Database, tmp_path: Path) -> None:
    """Nobody is lost for an operator who moved on."""
    paper = await desk(db, tmp_path, readers=1)
    await turn(paper, [provider("first", lambda _: Unknown("no answer")), provider("second")])
    paper.clock.move(NOON + minutes(25))
    third = provider("third")
    await turn(paper, [third, provider("second")])
    assert [row.provider for row in await paper.rows()] == ["third"]


async def test_where_all_fail_the_paper_waits_for_the_first_to_rest_enough(db: Database, tmp_path: Path) -> None:
    """A wait that a provider asks for is kept; until then nobody is asked, and no shard is due."""
    paper = await desk(db, tmp_path, readers=2)
    busy = Deferred("429", timedelta(minutes=9), Scope.PROVIDER)
    first, second = provider("first", lambda _: busy), provider("second", failing(0, DOWN))
    await turn(paper, [first, second])
    assert await next_at(paper) == 1
    assert (len(first.sent), len(second.sent)) == (1, 1)
    assert await turn(paper, [first, second]) == []
    async with db.read() as session:
        assert (await in_use(session, [first, second], NOON)).name == "first"


async def test_a_provider_is_left_alone_for_longer_each_time(db: Database) -> None:
    """A minute, two, four, and then five: a morning is short."""
    now, found = NOON, []
    for _ in range(5):
        async with db.write() as session:
            await provider_states.failed(session, "first", after=None, ours=False, code="x", why="down", now=now)
            state = (await provider_states.every(session))["first"]
        assert state.open_until is not None
        found.append((state.open_until - now) // minutes(1))
        now = state.open_until
    assert found == [1, 2, 4, 5, 5]


async def test_a_fault_of_an_account_moves_on_and_is_told(db: Database, tmp_path: Path) -> None:
    """The paper goes on; the operators read which provider refuses us, and which one carries on."""
    paper = await desk(db, tmp_path, readers=5, operator_emails="ada@example.org")
    first, second = provider("first", lambda _: QUOTA), provider("second")
    await turn(paper, [first, second])
    assert set(await paper.states()) == {Status.ACCEPTED}
    async with db.read() as session:
        letter = (await session.scalars(select(OperatorMail))).one()
    assert (letter.parameters["provider"], letter.parameters["instead"]) == ("first", "second")
    assert letter.parameters["edition"] is None


async def test_the_last_that_refuses_us_pauses_the_paper(db: Database, tmp_path: Path) -> None:
    """Resuming says that it is mended: both are tried at once."""
    paper = await desk(db, tmp_path, readers=5, operator_emails="ada@example.org")
    mended = False

    def script(_: object) -> Receipt:
        return Accepted() if mended else QUOTA

    both = [provider("first", script), provider("second", script)]
    await turn(paper, both)
    assert [len(one.sent) for one in both] == [1, 1]
    async with db.write() as session:
        found = await editions.get(session, paper.edition.id)
        assert found is not None
        assert found.status is EditionStatus.PAUSED
        mended = True
        await control.resume(session, paper.edition.id)
    await turn(paper, both)
    assert set(await paper.states()) == {Status.ACCEPTED}
    assert [len(one.sent) for one in both] == [6, 1]


async def test_a_fault_of_our_domain_pauses_whoever_else_there_is(db: Database, tmp_path: Path) -> None:
    """Another provider would only spread it."""
    paper = await desk(db, tmp_path, readers=5, operator_emails="ada@example.org")
    second = provider("second")
    await turn(paper, [provider("first", lambda _: POLICY), second])
    assert second.sent == []
    async with db.read() as session:
        found = await editions.get(session, paper.edition.id)
        assert found is not None
        assert found.status is EditionStatus.PAUSED


@pytest.mark.parametrize("works", [True, False])
async def test_a_provider_on_trial_gets_few_until_it_takes_one(db: Database, tmp_path: Path, *, works: bool) -> None:
    """And from one worker at a time: the others go by the next in order."""
    paper = await desk(db, tmp_path, readers=60)
    async with db.write() as session:
        await provider_states.failed(session, "first", after=None, ours=False, code="x", why="down", now=NOON)
    paper.clock.move(NOON + minutes(2))
    first, second = provider("first", None if works else lambda _: DOWN), provider("second")
    async with db.read() as session:
        mine, others = [await usable(session, [first, second], paper.clock.now()) for _ in range(2)]
    async with db.write() as session:
        assert await mine[0].enter(session, paper.clock.now())
        assert not await others[0].enter(session, paper.clock.now())
    paper.clock.move(NOON + minutes(4))
    await turn(paper, [first, second])
    assert set(await paper.states()) == {Status.ACCEPTED}
    assert (len(first.sent), len(second.sent)) == ((60, 0) if works else (1, 60))
    async with db.read() as session:
        state = (await provider_states.every(session))["first"]
    assert (state.failures, state.open_until is None) == ((0, True) if works else (2, False))


async def test_no_more_than_a_few_are_begun_before_the_first_answer(db: Database, tmp_path: Path) -> None:
    """What a provider on trial swallows without an answer is a handful."""
    paper = await desk(db, tmp_path, readers=60)
    async with db.write() as session:
        await provider_states.failed(session, "first", after=None, ours=False, code="x", why="down", now=NOON)
    paper.clock.move(NOON + minutes(2))
    first = provider("first", lambda _: Unknown("no answer"))
    async with db.read() as session:
        (way,) = await usable(session, [first], paper.clock.now())
    stop = asyncio.Event()

    def before(_: object) -> None:
        if len(first.sent) >= 20:
            stop.set()

    first.before = before
    await paper.send(way, stop=stop)
    assert way.on_trial
    assert handover.TRIAL <= len(first.sent) < 60


async def test_who_comes_late_with_the_same_news_lengthens_no_rest(db: Database) -> None:
    """All that were handing over when it failed meet it, in every worker and for service mail: that is one failure.

    A rest that it asked for itself, and that it refuses us, are not forgotten over it.
    """

    async def fails(minute: float, after: timedelta | None = None, *, ours: bool = False, trial: bool = False) -> None:
        now = NOON + minutes(minute)
        async with db.write() as session:
            await provider_states.failed(
                session, "first", after=after, ours=ours, code="x", why="down", now=now, on_trial=trial
            )

    async def state() -> tuple[int, int, bool]:
        async with db.read() as session:
            found = (await provider_states.every(session))["first"]
        assert found.open_until is not None
        return found.failures, (found.open_until - NOON) // minutes(1), found.ours

    for minute in (0, 0.1, 0.5):
        await fails(minute)
    assert await state() == (1, 1, False)
    await fails(0.6, timedelta(minutes=9), ours=True)
    await fails(0.7)
    assert await state() == (1, 9, True)
    async with db.write() as session:
        assert await provider_states.probe(session, "first", NOON + minutes(10))
    await fails(10.5, trial=True)
    assert await state() == (2, 12, False)


async def test_shards_of_another_alone_do_not_give_it_the_rest(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many of the oldest they are: the first looks past them; the second then carries its own and no more."""
    monkeypatch.setattr("app.store.releases.SHARD", 2)
    paper = await desk(db, tmp_path, readers=6)
    answers: Iterator[Receipt] = iter([*[Unknown("no answer")] * 6, *[Accepted()] * 6])
    first, second = provider("first", failing(0, DOWN)), provider("second", lambda _: next(answers))
    await turn(paper, [first, second])
    assert set(await paper.states()) == {Status.UNKNOWN}

    paper.clock.move(NOON + minutes(25))
    for name in range(6):
        await add_reader(db, f"late{name}@example.org")
    await release.send_now(db, paper.edition.id, paper.settings, paper.clock.now())
    first = provider("first")
    await turn(paper, [first, second])
    assert set(await paper.states()) == {Status.ACCEPTED}
    assert (len(first.sent), len(second.sent)) == (6, 12)


async def broken(db: Database) -> None:
    """The first failed, and its rest is over a quarter of an hour later."""
    async with db.write() as session:
        await provider_states.failed(session, "first", after=None, ours=False, code="x", why="down", now=NOON)


@pytest.mark.parametrize(
    ("said", "free"), [((), True), ((NotSent("stopped"),), True), ((Rejected("no such user"),), False)], ids=str
)
async def test_a_trial_that_asks_nothing_of_it_is_the_next_workers(
    db: Database, said: tuple[Receipt, ...], *, free: bool
) -> None:
    """Once the provider was asked, nobody else tries before it is known what came of it."""
    await broken(db)
    later = NOON + minutes(15)
    one, next_one = (Way(provider("first"), on_trial=True) for _ in range(2))
    async with db.write() as session:
        assert await one.enter(session, later)
        assert not await next_one.enter(session, later + timedelta(seconds=1))
        await one.heard(session, said)
        await one.leave(session, later + timedelta(seconds=2))
        assert await next_one.enter(session, later + timedelta(seconds=3)) is free


async def test_what_a_lost_commit_forgot_is_heard_again(db: Database) -> None:
    """That it took a message closes the breaker with the commit that says so, be it the second."""
    await broken(db)
    way = Way(provider("first"), on_trial=True)
    async with db.write() as session:
        assert await way.enter(session, NOON + minutes(15))

    async def lost() -> None:
        async with db.write() as session:
            await way.heard(session, [Accepted()])
            raise StorageError("the disk is full")

    with pytest.raises(StorageError):
        await lost()
    async with db.write() as session:
        await way.heard(session, [Accepted()])
    async with db.read() as session:
        known = await provider_states.every(session)
    assert provider_states.breaker(known["first"], NOON + minutes(15)) is Breaker.CLOSED
    async with db.write() as session:
        assert await way.enter(session, NOON + minutes(15)), "another hand-over by it waits for nobody's trial"
