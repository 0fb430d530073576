"""Two doors to one mailbox at the same moment: what the second decides, it decides by what the first has left."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.core.contention import retried
from app.core.db import Database
from app.core.errors import Conflict, InvalidToken, Refused
from app.core.signing import Purpose
from app.models import Consent, Subscriber, TransactionalEmail
from app.models.states import SubscriberStatus
from app.stages.audience import consent, erasure, leaving, pending
from app.stages.audience.consent import Confirmed
from app.stages.audience.domains import DomainRules
from app.stages.audience.import_readers.run import Fate
from app.store import erasure as erasing
from app.store import placements, subscribers, suppressions, transactional, unconfirmed
from tests.interleave import at_once, stop_at
from tests.people import NOON, SIGNER, SUPPRESSOR, add_reader
from tests.stages.audience.test_double_opt_in import letters, press, status
from tests.stages.audience.test_double_opt_in import link as confirmation
from tests.stages.audience.test_erasure import bring_in
from tests.stages.audience.test_letters import NEW, VISITOR, acts, ask, move, name, put_back, reader_at

ADA = "ada@example.org"
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


async def sign_up(db: Database, address: str = ADA, at: timedelta = timedelta(0)) -> None:
    async with db.write() as session:
        await consent.subscribe(
            session, address=address, method="form", suppressor=SUPPRESSOR, domains=DomainRules(), visitor=VISITOR,
            now=NOON + at,
        )  # fmt: skip


async def erase(db: Database, address: str = ADA) -> int:
    async with db.write() as session:
        return await erasure.erase_address(session, SUPPRESSOR, address, NOON + MINUTE)


async def leave(db: Database, ref: str, at: timedelta = MINUTE) -> None:
    async with db.write() as session:
        await leaving.leave(session, SIGNER, SIGNER.sign(Purpose.UNSUBSCRIBE, ref), "one-click", VISITOR, NOON + at)


async def undo(db: Database, ref: str) -> leaving.Leaving:
    token, zone = SIGNER.sign(Purpose.UNSUBSCRIBE, ref), ZoneInfo("UTC")
    async with db.write() as session:
        return await leaving.undo(session, SIGNER, SUPPRESSOR, token, leaving.Return(), zone, VISITOR, NOON + MINUTE)


async def not_mine(db: Database, token: str) -> bool:
    async with db.write() as session:
        return await pending.refuse(session, SIGNER, SUPPRESSOR, token, NOON + MINUTE)


async def pending_at(db: Database, address: str = ADA) -> tuple[str, str]:
    """Somebody who has asked: the token of their confirmation, and their reference in links."""
    await sign_up(db, address)
    reader = await reader_at(db, address)
    assert reader is not None
    return confirmation((await letters(db))[-1]), reader.ref


async def asked_to_move(db: Database, from_: str = ADA, to: str = NEW) -> int:
    """A reader with the letter to their new address."""
    reader = await add_reader(db, from_)
    await ask(db, "move", address=from_)
    await name(db, to)
    return reader


async def standing(db: Database) -> dict[str, SubscriberStatus]:
    """Everybody who is known by name."""
    async with db.read() as session:
        rows = await session.execute(
            select(Subscriber.address_key, Subscriber.status).where(Subscriber.status != SubscriberStatus.ERASED)
        )
        return {key: found for key, found in rows}  # noqa: C416  # rows are not typed as pairs


def none_failed(*results: Any) -> None:
    """A refusal is an answer; anything else that was raised is a fault."""
    assert [one for one in results if isinstance(one, Exception) and not isinstance(one, Refused)] == []


# --- An import beside somebody who goes -------------------------------------------------------------


async def test_an_import_waits_for_an_erasure(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """And then finds the address suppressed."""
    await add_reader(db, ADA)
    stop = stop_at(monkeypatch, suppressions, "add")
    _, arrival = await at_once(stop, erase(db), lambda: bring_in(db, ADA))
    assert await standing(db) == {}
    assert +arrival.fates == {Fate.SUPPRESSED: 1}


async def test_an_import_waits_for_somebody_who_did_not_ask(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    token, _ = await pending_at(db)
    stop = stop_at(monkeypatch, erasing, "owe_truncation")
    refused, arrival = await at_once(stop, not_mine(db, token), lambda: bring_in(db, ADA))
    assert refused is True
    assert await standing(db) == {}
    assert +arrival.fates == {Fate.SUPPRESSED: 1}


async def test_an_import_waits_for_somebody_who_moves(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are one reader afterwards, not two."""
    await asked_to_move(db)
    stop = stop_at(monkeypatch, suppressions, "add")
    moved, arrival = await at_once(stop, move(db), lambda: bring_in(db, ADA))
    none_failed(moved, arrival)
    assert await standing(db) == {NEW: SubscriberStatus.ACTIVE}


# --- No fault where two meet ------------------------------------------------------------------------


async def test_a_new_address_is_confirmed_beside_a_sign_up_of_it(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever signs up there meets the reader who has just come."""
    reader = await asked_to_move(db)
    stop = stop_at(monkeypatch, subscribers, "readdress")
    none_failed(*await at_once(stop, move(db), lambda: sign_up(db, NEW)))
    found = await reader_at(db, NEW)
    assert found is not None
    assert (found.id, found.status) == (reader, SubscriberStatus.ACTIVE)
    assert [one.kind for one in await letters(db)][-1] == "already"


async def test_a_confirmation_beside_an_erasure(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail was there when the link was read; afterwards nobody is."""
    token, _ = await pending_at(db)
    stop = stop_at(monkeypatch, transactional, "find_ref", after=True)
    confirmed, erased = await at_once(stop, press(db, token), lambda: erase(db))
    none_failed(confirmed, erased)
    last_word = (await acts(db, erased))[-1]
    assert (await standing(db), last_word) == ({}, "erased")
    assert isinstance(confirmed, InvalidToken) or "confirmed" in await acts(db, erased)


async def test_two_readers_who_take_each_others_address(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told that the address has a paper of its own; neither waits for the other in a ring."""
    await asked_to_move(db, ADA, NEW)
    await asked_to_move(db, NEW, ADA)
    stop = stop_at(monkeypatch, transactional, "newest")
    results = await at_once(stop, move(db, 0), lambda: move(db, 1))
    assert [type(one) for one in results] == [Conflict, Conflict]
    assert set(await standing(db)) == {ADA, NEW}


# --- In, or out? ------------------------------------------------------------------------------------


async def test_a_confirmation_that_was_overtaken_brings_nobody_back(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left, asked again, confirmed twice at once and left between the two: out is out."""
    first, ref = await pending_at(db)
    await press(db, first)
    await leave(db, ref)
    async with db.write() as session:
        await transactional.owe(
            session, kind="confirmation", subscriber_id=1, ref="asked-again", parameters={}, now=NOON + DAY,
            until=NOON + 8 * DAY,
        )  # fmt: skip
    token = confirmation((await letters(db))[-1])

    async def confirm_and_leave() -> None:
        assert (await press(db, token, DAY + MINUTE)).ref == ref
        await leave(db, ref, DAY + 2 * MINUTE)

    stop = stop_at(monkeypatch, subscribers, "activate")
    none_failed(*await at_once(stop, press(db, token, DAY + MINUTE), confirm_and_leave))
    assert await status(db) is SubscriberStatus.LEFT
    assert (await acts(db, 1))[-1] == "left"


@pytest.mark.parametrize("door", ["leave", "not mine"])
async def test_nobody_is_told_that_they_are_in_who_is_not(
    db: Database, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    """The confirmation that began first is carried out first, and the record says so."""
    token, ref = await pending_at(db)
    stop = stop_at(monkeypatch, subscribers, "activate")
    second = {"leave": lambda: leave(db, ref), "not mine": lambda: not_mine(db, token)}[door]
    confirmed, other = await at_once(stop, press(db, token), second)
    assert isinstance(confirmed, Confirmed)
    assert not confirmed.already
    if door == "leave":
        assert await acts(db, 1) == ["asked", "confirmed", "left"]
        assert await status(db) is SubscriberStatus.LEFT
    else:
        assert other is False, "whoever has confirmed leaves by another link"
        assert await status(db) is SubscriberStatus.ACTIVE


@pytest.mark.parametrize("door", ["leave", "not mine", "erase"])
async def test_who_went_first_is_told_so_by_the_confirmation(
    db: Database, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    token, ref = await pending_at(db)
    at = {"leave": (subscribers, "leave"), "not mine": (suppressions, "add"), "erase": (erasing, "erase")}[door]
    first: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
        "leave": lambda: leave(db, ref),
        "not mine": lambda: not_mine(db, token),
        "erase": lambda: erase(db),
    }
    gone, confirmed = await at_once(stop_at(monkeypatch, *at), first[door](), lambda: press(db, token, MINUTE))
    none_failed(gone)
    assert isinstance(confirmed, InvalidToken)
    assert confirmed.expired == (door == "leave")
    assert SubscriberStatus.ACTIVE not in (await standing(db)).values()


async def test_who_leaves_and_asks_again_in_one_moment_may_confirm(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of the two is that of the database, whatever the clocks of two requests say."""
    token, ref = await pending_at(db)
    await press(db, token)
    stop = stop_at(monkeypatch, subscribers, "leave")
    none_failed(*await at_once(stop, leave(db, ref, MINUTE), lambda: sign_up(db)))  # the sign-up's clock is behind
    mails = [one for one in await letters(db) if one.kind == "confirmation" and one.created_at > NOON]
    assert [(await press(db, confirmation(one), DAY)).already for one in mails] == [False]


async def test_who_leaves_after_asking_has_changed_their_mind(db: Database) -> None:
    """Also where the clock of the sign-up was ahead of that of the leaving."""
    token, ref = await pending_at(db)
    await leave(db, ref, -MINUTE)
    with pytest.raises(InvalidToken):
        await press(db, token, MINUTE)


async def test_an_undone_leaving_beside_an_erasure(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is erased comes back by no link, and is told so."""
    token, ref = await pending_at(db)
    await press(db, token)
    await leave(db, ref)
    erased, back = await at_once(stop_at(monkeypatch, suppressions, "add"), erase(db), lambda: undo(db, ref))
    none_failed(erased)
    assert isinstance(back, Conflict)
    assert await standing(db) == {}


async def test_a_link_that_meets_a_change_of_address_is_to_be_tried_again(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To leave is to leave the new address; where it waited for the move, the whole request begins anew."""
    reader = await asked_to_move(db)
    row = await reader_at(db, ADA)
    assert row is not None
    stop = stop_at(monkeypatch, suppressions, "add")
    none_failed(*await at_once(stop, move(db), lambda: retried(lambda: leave(db, row.ref))))
    assert await standing(db) == {NEW: SubscriberStatus.LEFT}
    assert await acts(db, reader) == ["moved", "left"]


async def test_putting_back_beside_a_sign_up_at_the_old_address(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever had only asked gives way."""
    reader = await asked_to_move(db)
    await move(db)
    stop = stop_at(monkeypatch, subscribers, "readdress")
    none_failed(*await at_once(stop, put_back(db), lambda: sign_up(db, ADA)))
    found = await reader_at(db, ADA)
    assert found is not None
    assert (found.id, found.status) == (reader, SubscriberStatus.ACTIVE)
    assert await reader_at(db, NEW) is None


async def test_a_rest_is_kept_also_where_the_reader_was_back_and_rests(db: Database) -> None:
    """The page says until when the paper rests; so it does."""
    token, ref = await pending_at(db)
    await press(db, token)
    await leave(db, ref)
    for days in (7, 14, 14):
        until = NOON.date() + days * DAY
        async with db.write() as session:
            how, link_ = leaving.Return(rest_until=until), SIGNER.sign(Purpose.UNSUBSCRIBE, ref)
            await leaving.undo(session, SIGNER, SUPPRESSOR, link_, how, ZoneInfo("UTC"), VISITOR, NOON + MINUTE)
        found = await reader_at(db, ADA)
        assert found is not None
        assert (found.status, found.paused_until) == (SubscriberStatus.PAUSED, until)
    assert await acts(db, 1) == ["asked", "confirmed", "left", "undone", "paused", "paused"]


# --- What stands in a suppression -------------------------------------------------------------------


async def test_who_did_not_ask_is_barred_although_they_were_erased_before(db: Database) -> None:
    """The graver reason replaces one that a confirmation would lift."""
    await add_reader(db, ADA)
    await erase(db)
    token, _ = await pending_at(db)
    assert await not_mine(db, token)
    async with db.read() as session:
        assert await suppressions.reason(session, SUPPRESSOR.hash(ADA)) == pending.NOT_ASKED


async def test_a_paper_is_not_put_back_to_an_address_that_is_barred(db: Database) -> None:
    """Somebody there said since that they do not want to be written to."""
    await asked_to_move(db)
    await move(db)
    await sign_up(db, ADA)
    token = confirmation(next(one for one in await letters(db) if one.kind == "confirmation"))
    assert await not_mine(db, token)
    with pytest.raises(InvalidToken):
        await put_back(db)
    assert await standing(db) == {NEW: SubscriberStatus.ACTIVE}


async def test_whoever_gives_way_to_a_move_is_erased_in_the_record(db: Database) -> None:
    """As after any other erasure; the address itself is free for the reader who moves there."""
    await asked_to_move(db)
    await sign_up(db, NEW)
    other = await reader_at(db, NEW)
    assert other is not None
    await move(db)
    assert await acts(db, other.id) == ["asked", "erased"]
    async with db.read() as session:
        assert await suppressions.reason(session, SUPPRESSOR.hash(NEW)) is None


# --- The jobs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["confirm", "not mine"])
async def test_a_reminder_beside_an_answer(db: Database, monkeypatch: pytest.MonkeyPatch, door: str) -> None:
    """The job does not fail, and nothing it wrote goes to somebody who has answered."""
    token, _ = await pending_at(db)
    stop = stop_at(monkeypatch, unconfirmed, "silent_since", after=True)
    second = {"confirm": lambda: press(db, token, 3 * DAY), "not mine": lambda: not_mine(db, token)}[door]
    reminded, answered = await at_once(stop, pending.remind(db, NOON + 3 * DAY), second)
    none_failed(reminded, answered)
    assert [one.kind for one in await letters(db) if one.status == "queued"] == (
        ["welcome"] if door == "confirm" else []
    )


async def test_a_sign_up_beside_its_being_forgotten_is_written_down(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A month after the first one: the job takes the old row, the sign-up gets a new one."""
    await pending_at(db)
    stop = stop_at(monkeypatch, placements, "keep_numbers")
    forgotten, asked = await at_once(stop, pending.forget(db, NOON + 31 * DAY), lambda: sign_up(db, at=31 * DAY))
    assert forgotten == "1 unconfirmed sign-ups forgotten"
    none_failed(asked)
    assert await standing(db) == {ADA: SubscriberStatus.PENDING}
    async with db.read() as session:
        owed = (await session.scalars(select(TransactionalEmail.kind))).all()
        said = (await session.scalars(select(Consent.act))).all()
    assert (list(owed), list(said)) == (["confirmation"], ["asked"])
