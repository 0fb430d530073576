"""What an operator does to an edition that goes out: cancel, retry, late, correct; on both engines."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core.db import Database
from app.core.errors import Conflict
from app.core.mail.receipt import Accepted, Deferred, Fault, Receipt, Rejected, Unknown
from app.models import Edition
from app.models.states import DeliveryStatus as Status
from app.models.states import EditionStatus, SubscriberStatus
from app.stages.compose import correct
from app.stages.send import again, control, release
from app.store import deliveries, drafts, editions, handovers, leases, progress, subscribers
from app.store.handovers import Wanted
from app.store.retries import Rest
from tests.people import NOON, add_edition, add_reader, content, freeze, minutes
from tests.recount import assert_counted
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import Desk, desk, settings


async def fresh(db: Database, edition_id: int) -> Edition:
    async with db.read() as session:
        found = await editions.get(session, edition_id)
        await assert_counted(session, edition_id)
    assert found is not None
    return found


async def cancel(db: Database, edition_id: int, reason: str = "the lead is wrong") -> None:
    async with db.write() as session:
        await control.cancel(session, edition_id, reason, NOON)


async def test_who_has_not_got_a_cancelled_edition_does_not_get_it(db: Database, tmp_path: Path) -> None:
    """What waits is skipped, what a dead worker held is unknown, what was handed over stays what it is."""
    paper = await desk(db, tmp_path, readers=5)
    first = (await paper.rows())[0].subscriber_id
    await paper.send(Scripted(lambda message: Accepted() if message.key == first else Deferred("451")))
    paper.clock.move(NOON + minutes(3))
    async with db.write() as session:
        lease = await leases.take_shard(session, "dead", paper.clock.now())
        assert lease is not None
        await handovers.begin(session, Wanted(lease, "scripted", 1), paper.clock.now())
        await session.execute(text("UPDATE shards SET lease_until = 0"))
    await cancel(db, paper.edition.id)
    assert await paper.send(Scripted()) == -1
    assert await control.settle(db, paper.clock.now()) == 1
    assert await control.settle(db, paper.clock.now()) == 0
    assert sorted(await paper.states()) == sorted([Status.ACCEPTED, Status.UNKNOWN] + [Status.SKIPPED] * 3)
    ended = await fresh(db, paper.edition.id)
    assert (ended.status, ended.reason, ended.ended_at) == (EditionStatus.CANCELLED, "the lead is wrong", NOON)
    assert await release.release_due(db, ended, paper.settings, NOON + timedelta(hours=30)) == 0


async def test_cancelling_twice_is_once_and_what_has_ended_is_not_cancelled(db: Database, tmp_path: Path) -> None:
    paper = await desk(db, tmp_path, readers=1)
    await cancel(db, paper.edition.id)
    await cancel(db, paper.edition.id, "another reason")
    assert (await fresh(db, paper.edition.id)).reason == "the lead is wrong"
    for deed in (control.pause, control.resume):
        with pytest.raises(Conflict, match="cancelled"):
            async with db.write() as session:
                await deed(session, paper.edition.id)


async def test_a_shard_that_is_worked_on_is_settled_when_its_owner_is_through(db: Database, tmp_path: Path) -> None:
    """A living worker's answers are its own to write down."""
    paper = await desk(db, tmp_path, readers=2)
    async with db.write() as session:
        assert await leases.take_shard(session, "alive", NOON) is not None
    await cancel(db, paper.edition.id)
    assert await control.settle(db, NOON) == 0
    assert await paper.states() == [Status.QUEUED] * 2


async def failed(db: Database, tmp_path: Path) -> Desk:
    """Six readers: one has it, one has a bad address, of one nobody knows, three went without through us."""
    paper = await desk(db, tmp_path, readers=6, on_unknown="hold")
    ids = [row.subscriber_id for row in await paper.rows()]
    answers: dict[int, Receipt] = dict(
        zip(
            ids,
            (
                Accepted(),
                Rejected("no such user", Fault.ADDRESS),
                Unknown("no answer"),
                Rejected("too big", Fault.MESSAGE),
                Rejected("a bug", Fault.OURS),
                Deferred("451"),
            ),
            strict=True,
        )
    )
    await paper.send(Scripted(lambda message: answers[message.key]))
    paper.clock.move(NOON + timedelta(hours=13))
    await paper.send(Scripted())
    assert await release.try_end(db, paper.edition, paper.settings, NOON) is EditionStatus.PARTIALLY_SENT
    return paper


async def test_retry_goes_to_exactly_the_rest(db: Database, tmp_path: Path) -> None:
    """Shown before and after; bad addresses, those who have it and those who left are never among them."""
    paper = await failed(db, tmp_path)
    rest = Rest(expired=1, rejected_message=1, rejected_ours=1)
    async with db.read() as session:
        assert await again.rest(session, paper.edition.id, include_unknown=False) == rest
        assert (await again.rest(session, paper.edition.id, include_unknown=True)).unknown == 1
    expired = (await paper.rows())[5].subscriber_id
    async with db.write() as session:
        assert await subscribers.leave(session, expired, SubscriberStatus.ACTIVE, NOON)
    now = paper.clock.now()
    assert await again.retry(db, paper.edition.id, paper.settings, now) == Rest(rejected_message=1, rejected_ours=1)
    assert await again.retry(db, paper.edition.id, paper.settings, now) == Rest()
    assert (await fresh(db, paper.edition.id)).status is EditionStatus.SENDING
    provider = Scripted()
    await paper.send(provider)
    assert len(provider.sent) == 2
    assert await paper.states() == [
        Status.ACCEPTED, Status.REJECTED, Status.UNKNOWN, Status.ACCEPTED, Status.ACCEPTED, Status.EXPIRED,
    ]  # fmt: skip


async def test_unknown_ones_are_tried_again_where_the_operator_says_so(db: Database, tmp_path: Path) -> None:
    """Under the Message-ID they may have it by already."""
    paper = await failed(db, tmp_path)
    done = await again.retry(db, paper.edition.id, paper.settings, paper.clock.now(), include_unknown=True)
    assert done == Rest(expired=1, rejected_message=1, rejected_ours=1, unknown=1)
    await paper.send(Scripted())
    assert (await paper.states()).count(Status.ACCEPTED) == 5
    assert await release.try_end(db, await fresh(db, paper.edition.id), paper.settings, NOON) is EditionStatus.SENT


@pytest.mark.parametrize("last", [Deferred("451"), Rejected("5.6.0", Fault.MESSAGE)])
async def test_who_may_have_it_from_an_unanswered_try_counts_as_unknown(
    db: Database, tmp_path: Path, last: Receipt
) -> None:
    """Whatever became of the tries after it: only an operator who says so sends it again."""
    paper = await desk(db, tmp_path, readers=2)
    first, second = [row.subscriber_id for row in await paper.rows()]
    await paper.send(Scripted(lambda message: Unknown("?") if message.key == first else last))
    paper.clock.move(NOON + minutes(25))
    await paper.send(Scripted(lambda _: last))
    paper.clock.move(NOON + timedelta(hours=13))
    await paper.send(Scripted())
    ended = Status.REJECTED if isinstance(last, Rejected) else Status.EXPIRED
    assert set(await paper.states()) == {ended}
    now = paper.clock.now()
    sure = Rest(rejected_message=1) if isinstance(last, Rejected) else Rest(expired=1)
    async with db.read() as session:
        assert await again.rest(session, paper.edition.id, include_unknown=True) == sure + Rest(unknown=1)
    assert await again.retry(db, paper.edition.id, paper.settings, now) == sure
    provider = Scripted()
    await paper.send(provider)
    assert [message.key for message in provider.sent] == [second]
    assert await again.retry(db, paper.edition.id, paper.settings, now, include_unknown=True) == Rest(unknown=1)
    await paper.send(provider)
    assert await paper.states() == [Status.ACCEPTED, Status.ACCEPTED]


async def test_a_paused_edition_is_not_tried_again(db: Database, tmp_path: Path) -> None:
    paper = await desk(db, tmp_path, readers=1)
    async with db.write() as session:
        await control.pause(session, paper.edition.id)
    with pytest.raises(Conflict, match="paused"):
        await again.retry(db, paper.edition.id, paper.settings, NOON)


async def test_late_goes_to_those_who_confirmed_after_their_morning_alone(db: Database) -> None:
    """Whose morning is still to come gets it then, as planned."""
    made = settings(Path())
    await add_reader(db, "early@example.org")
    edition = await add_edition(db)
    await release.plan(db, edition, made)
    assert await release.release_due(db, edition, made, NOON) == 1
    late = await add_reader(db, "late@example.org", confirmed_at=NOON)
    await add_reader(db, "hawaii@example.org", zone="Pacific/Honolulu")
    assert await release.late(db, edition.id, made, NOON + minutes(5)) == 1
    assert await release.late(db, edition.id, made, NOON + minutes(5)) == 0
    async with db.read() as session:
        assert await deliveries.is_released(session, edition.date, late)
        assert await release.try_end(db, await fresh(db, edition.id), made, NOON) is None


async def test_nobody_is_late_for_what_is_not_out(db: Database) -> None:
    edition = await add_edition(db)
    with pytest.raises(Conflict, match="frozen"):
        await release.late(db, edition.id, settings(Path()), NOON)


async def test_a_correction_spares_whom_an_unanswered_try_may_have_reached(db: Database, tmp_path: Path) -> None:
    """Also where a later try was put off, so that the cancelled edition waited in the queue again."""
    paper = await desk(db, tmp_path, readers=2)
    await paper.send(Scripted(lambda _: Unknown("?")))
    paper.clock.move(NOON + minutes(25))
    await paper.send(Scripted(lambda _: Deferred("451")))
    assert set(await paper.states()) == {Status.QUEUED}
    await cancel(db, paper.edition.id)
    await control.settle(db, paper.clock.now())
    assert set(await paper.states()) == {Status.SKIPPED}
    made = await corrected(db, paper.edition.id)
    await add_reader(db, "new@example.org")
    assert await release.send_now(db, made, paper.settings, NOON) == 1


async def corrected(db: Database, edition_id: int) -> int:
    """The successor of a cancelled edition, frozen."""
    async with db.write() as session:
        made = (await correct.successor(session, edition_id, NOON)).id
    async with db.write() as session:
        await drafts.fill(session, made, content(), "corrected", NOON)
        await editions.move(session, made, EditionStatus.DRAFT, EditionStatus.READY, "")
        await freeze(session, made)
    return made


async def test_a_correction_goes_to_whoever_has_not_got_the_edition(db: Database, tmp_path: Path) -> None:
    """Not to those it was accepted for, nor where it may have arrived; to all others, and to newcomers."""
    paper = await desk(db, tmp_path, readers=4)
    ids = [row.subscriber_id for row in await paper.rows()]
    answers: dict[int, Receipt] = dict(
        zip(ids, (Accepted(), Unknown("?"), Rejected("5.1.1", Fault.ADDRESS), Deferred("451")), strict=True)
    )
    await paper.send(Scripted(lambda message: answers[message.key]))
    with pytest.raises(Conflict, match="cancel it before"):
        async with db.write() as session:
            await correct.successor(session, paper.edition.id, NOON)
    await cancel(db, paper.edition.id)
    async with db.write() as session:
        made = await correct.successor(session, paper.edition.id, NOON)
        assert await correct.successor(session, paper.edition.id, NOON) == made
    assert (made.number, made.revision, made.status) == (paper.edition.number, 2, EditionStatus.DRAFT)
    assert made.salt != paper.edition.salt
    assert await corrected(db, paper.edition.id) == made.id
    new = await add_reader(db, "new@example.org")
    assert await release.send_now(db, made.id, paper.settings, NOON) == 3
    async with db.read() as session:
        found = await session.scalars(
            text("SELECT subscriber_id FROM deliveries WHERE edition_id = :id"), {"id": made.id}
        )
        assert set(found) == {ids[2], ids[3], new}
        assert (await progress.total(session, made.id)).queued == 3
