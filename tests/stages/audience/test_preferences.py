"""What readers choose behind their link, and how they come back, on both engines."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.core.calendar import zone_named
from app.core.db import Database
from app.core.errors import Conflict, InvalidInput, InvalidToken
from app.core.signing import Purpose, Signer, Suppressor
from app.models import Consent, Subscriber
from app.models.content import CHOOSABLE, Section
from app.models.states import Frequency, MailForm, SubscriberStatus
from app.stages.audience import leaving, preferences
from app.stages.audience.visitor import Visitor
from app.stages.audience.wishes import Choices, Wishes, clock_words, read_day, read_name, read_time, read_zone
from app.store import subscribers, suppressions
from tests.people import LONG_AGO, NOON, SIGNER, add_reader

VISITOR = Visitor("192.0.2.7", "Test/1.0")
LONDON = ZoneInfo("Europe/London")
SUPPRESSOR = Suppressor("a suppression key of the tests, long enough")
WISHES = Wishes(("tools", "movers"), "weekdays", "07:30", "Asia/Tokyo", "text", " Ada ")
TODAY = date(2026, 11, 23)


async def reader(db: Database, number: int) -> Subscriber:
    async with db.read() as session:
        found = await subscribers.get(session, number)
    assert found is not None
    return found


async def token(db: Database, number: int, purpose: Purpose = Purpose.PREFERENCES) -> str:
    return SIGNER.sign(purpose, (await reader(db, number)).ref)


async def acts(db: Database) -> list[tuple[str, str]]:
    async with db.read() as session:
        rows = await session.execute(select(Consent.act, Consent.method).order_by(Consent.id))
        return [(act, method) for act, method in rows]


async def change(db: Database, link: str, wishes: Wishes = WISHES) -> preferences.Standing:
    async with db.write() as session:
        return await preferences.change(session, SIGNER, link, wishes, VISITOR, NOON)


async def pause(db: Database, link: str, until: date) -> preferences.Standing:
    async with db.write() as session:
        return await preferences.pause(session, SIGNER, link, until, LONDON, VISITOR, NOON)


async def resume(db: Database, link: str) -> preferences.Standing:
    async with db.write() as session:
        return await preferences.resume(session, SIGNER, link, VISITOR, NOON)


async def leave(db: Database, number: int) -> str:
    link = await token(db, number, Purpose.UNSUBSCRIBE)
    async with db.write() as session:
        await leaving.leave(session, SIGNER, link, "link", VISITOR, NOON)
    return link


async def undo(db: Database, link: str, signer: Signer = SIGNER, **how: object) -> None:
    async with db.write() as session:
        given = leaving.Return(**how)  # type: ignore[arg-type]
        await leaving.undo(session, signer, SUPPRESSOR, link, given, LONDON, VISITOR, NOON)


async def test_a_change_is_kept_and_written_down_once(db: Database) -> None:
    """Every field reads back; wishing the same again adds nothing to the record."""
    number = await add_reader(db, "ada@example.org")
    link = await token(db, number)
    for _ in range(2):
        done = await change(db, link)
        assert done.address == "a***@example.org"
    async with db.read() as session:
        found = await preferences.look_up(session, SIGNER, link, NOON)
    assert found.choices == Choices(
        frozenset({Section.TOOLS, Section.MOVERS}), Frequency.WEEKDAYS, 450, "Asia/Tokyo", MailForm.TEXT, "Ada"
    )
    assert found == done
    assert found.since == LONG_AGO
    assert await acts(db) == [("changed", "link")]


async def beside(db: Database, link: str, other: Coroutine[Any, Any, Any]) -> Any:
    """Pauses the reader of `link`, and has `other` begin while that is written but not yet kept; gives its outcome."""
    async with db.write() as session:
        await preferences.pause(session, SIGNER, link, TODAY + timedelta(days=7), LONDON, VISITOR, NOON)
        second = asyncio.create_task(other)
        await asyncio.wait({second}, timeout=0.3)  # on SQLite it waits for its turn, on PostgreSQL for the row
    return await second


async def test_who_leaves_while_another_press_is_carried_out_has_left(db: Database) -> None:
    """The press to leave holds whatever state the other one made of the reader."""
    number = await add_reader(db, "ada@example.org")
    await beside(db, await token(db, number), leave(db, number))
    assert (await reader(db, number)).status is SubscriberStatus.LEFT
    assert await acts(db) == [("paused", "link"), ("left", "link")]


async def test_a_button_that_is_pressed_twice_at_once_is_pressed_once(db: Database) -> None:
    """The second answer is that of the first, and not that the paper had stopped."""
    number = await add_reader(db, "ada@example.org")
    link = await token(db, number)
    again = await beside(db, link, pause(db, link, TODAY + timedelta(days=7)))
    assert again.status is SubscriberStatus.PAUSED
    assert await acts(db) == [("paused", "link")]


async def test_what_was_kept_before_can_be_wished_for_again(db: Database) -> None:
    """Undo is a change to the wishes of before."""
    number = await add_reader(db, "ada@example.org")
    link = await token(db, number)
    async with db.read() as session:
        before = (await preferences.look_up(session, SIGNER, link, NOON)).choices
    await change(db, link)
    assert (await change(db, link, before.wishes())).choices == before
    assert await acts(db) == [("changed", "link")] * 2


async def test_every_wrong_field_is_named_and_nothing_is_kept(db: Database) -> None:
    """One sentence a field."""
    number = await add_reader(db, "ada@example.org")
    wrong = Wishes((), "hourly", "07:15", "Mars/Olympus", "fax", "x" * 81)
    with pytest.raises(InvalidInput) as caught:
        await change(db, await token(db, number), wrong)
    assert [one.field for one in caught.value.errors] == [
        "sections",
        "frequency",
        "delivery_time",
        "zone",
        "form",
        "first_name",
    ]
    assert "Choose at least one section" in str(caught.value)
    assert (await reader(db, number)).sections == 63
    assert await acts(db) == []


@pytest.mark.parametrize("sections", [("lead",), ("tools", "crossword")])
def test_only_sections_that_can_be_chosen_are_taken(sections: tuple[str, ...]) -> None:
    """The lead is always in, and nobody can wish for a section the paper lacks."""
    with pytest.raises(InvalidInput, match="not in the paper"):
        replace(WISHES, sections=sections).read()


async def test_a_rest_begins_is_prolonged_and_ends(db: Database) -> None:
    """Each act is written down once; resuming twice is resuming once."""
    number = await add_reader(db, "ada@example.org")
    link = await token(db, number)
    week, month = TODAY + timedelta(days=7), TODAY + timedelta(days=30)
    for until in (week, week, month):
        assert (await pause(db, link, until)).status is SubscriberStatus.PAUSED
    resting = await reader(db, number)
    assert (resting.status, resting.paused_until) == (SubscriberStatus.PAUSED, month)
    for _ in range(2):
        await resume(db, link)
    back = await reader(db, number)
    assert (back.status, back.paused_until, back.confirmed_at) == (SubscriberStatus.ACTIVE, None, LONG_AGO)
    assert await acts(db) == [("paused", "link"), ("paused", "link"), ("resumed", "link")]


async def test_choices_can_be_changed_during_a_rest(db: Database) -> None:
    """The rest goes on."""
    number = await add_reader(db, "ada@example.org")
    link = await token(db, number)
    await pause(db, link, TODAY + timedelta(days=7))
    assert (await change(db, link)).status is SubscriberStatus.PAUSED
    assert (await reader(db, number)).status is SubscriberStatus.PAUSED


@pytest.mark.parametrize(
    ("zone", "days", "right"),
    [
        ("", 0, False),
        ("", 1, True),
        ("", 365, True),
        ("", 366, False),
        ("", -3, False),
        # noon in London is Tuesday already on Kiritimati
        ("Pacific/Kiritimati", 1, False),
        ("Pacific/Kiritimati", 2, True),
    ],
)
async def test_a_rest_ends_from_tomorrow_to_a_year_ahead(db: Database, zone: str, days: int, right: bool) -> None:
    """By the reader's own calendar."""
    number = await add_reader(db, "ada@example.org", zone=zone)
    link, until = await token(db, number), TODAY + timedelta(days=days)
    if right:
        await pause(db, link, until)
    else:
        with pytest.raises(InvalidInput) as caught:
            await pause(db, link, until)
        assert caught.value.errors[0].field == "until"
    assert ((await reader(db, number)).status is SubscriberStatus.PAUSED) is right


async def test_whoever_does_not_read_the_paper_can_set_nothing(db: Database) -> None:
    """Neither before confirming nor after leaving; the link still tells how things stand."""
    waiting = await add_reader(db, "bob@example.org", confirmed_at=None)
    gone = await add_reader(db, "ada@example.org")
    await leave(db, gone)
    for number in (waiting, gone):
        link = await token(db, number)
        with pytest.raises(Conflict):
            await change(db, link)
        with pytest.raises(Conflict):
            await pause(db, link, TODAY + timedelta(days=7))
        with pytest.raises(Conflict):
            await resume(db, link)
    assert await acts(db) == [("left", "link")]


async def test_only_a_preferences_link_opens_preferences(db: Database) -> None:
    """A link of another purpose, of nobody, or cut short does not."""
    number = await add_reader(db, "ada@example.org")
    good = await token(db, number)
    for wrong in (await token(db, number, Purpose.UNSUBSCRIBE), SIGNER.sign(Purpose.PREFERENCES, "nobody"), good[:-1]):
        with pytest.raises(InvalidToken):
            await change(db, wrong)


async def test_leaving_is_undone_as_if_it_had_not_happened(db: Database) -> None:
    """The first confirmation and every choice stay; twice is once."""
    number = await add_reader(db, "ada@example.org")
    await change(db, await token(db, number))
    before = await reader(db, number)
    link = await leave(db, number)
    for _ in range(2):
        await undo(db, link)
    after = await reader(db, number)
    columns = Subscriber.__table__.columns.keys()
    assert {name: getattr(after, name) for name in columns} == {name: getattr(before, name) for name in columns}
    assert [act for act, _ in await acts(db)] == ["changed", "left", "undone"]


async def test_weekly_and_a_rest_bring_a_reader_back_with_that_choice(db: Database) -> None:
    """Two acts each: the leaving is undone, the choice is made."""
    ada, bob = [await add_reader(db, address) for address in ("ada@example.org", "bob@example.org")]
    await undo(db, await leave(db, ada), weekly=True)
    await undo(db, await leave(db, bob), rest_until=TODAY + timedelta(days=14))
    assert (await reader(db, ada)).frequency is Frequency.WEEKLY
    resting = await reader(db, bob)
    assert (resting.status, resting.paused_until) == (SubscriberStatus.PAUSED, TODAY + timedelta(days=14))
    assert [act for act, _ in await acts(db)] == ["left", "undone", "changed", "left", "undone", "paused"]


async def test_a_rest_of_no_days_leaves_the_reader_gone(db: Database) -> None:
    """A wrong date changes nothing."""
    number = await add_reader(db, "ada@example.org")
    link = await leave(db, number)
    with pytest.raises(InvalidInput):
        await undo(db, link, rest_until=TODAY)
    assert (await reader(db, number)).status is SubscriberStatus.LEFT


async def test_nobody_comes_back_who_never_confirmed_or_is_barred(db: Database) -> None:
    """A forwarded link must not sign anybody up."""
    waiting = await add_reader(db, "bob@example.org", confirmed_at=None)
    barred = await add_reader(db, "eve@example.org")
    async with db.write() as session:
        await suppressions.add(session, SUPPRESSOR.hash("eve@example.org"), "not-asked", NOON)
    for number in (waiting, barred):
        link = await leave(db, number)
        with pytest.raises(Conflict):
            await undo(db, link)
        assert (await reader(db, number)).status is SubscriberStatus.LEFT


async def test_a_link_of_a_retired_key_lets_a_reader_leave_and_no_more(db: Database) -> None:
    """Whoever holds an old key must not be able to bring people back, or to reach their preferences."""
    number = await add_reader(db, "ada@example.org")
    link = await leave(db, number)
    later = Signer(["the key that took the place of the first", "retired:" + SECRET])
    async with db.read() as session:
        found = await leaving.look_up(session, later, SUPPRESSOR, link, NOON)
    assert (found.status, found.ref, found.can_undo) == (SubscriberStatus.LEFT, "", False)
    with pytest.raises(Conflict):
        await undo(db, link, later)


SECRET = "a key of the tests that is long enough to sign with"


@given(st.integers(0, 47))
def test_each_half_hour_reads_back(half: int) -> None:
    """Written as HH:MM and read again."""
    assert read_time(clock_words(half * 30)) == half * 30


@given(st.one_of(st.text(max_size=8), st.from_regex(r"[0-9]{1,2}:[0-9]{2}", fullmatch=True)))
def test_any_text_is_a_half_hour_or_refused(text: str) -> None:
    """Never a minute outside the day, never one off the half hour, and only in the form we write."""
    try:
        minute = read_time(text)
    except InvalidInput:
        return
    assert text == clock_words(minute)
    assert minute is None or minute in range(0, 24 * 60, 30)


@given(st.one_of(st.text(max_size=80), st.sampled_from(sorted(available_timezones()))))
def test_any_text_is_a_zone_we_know_or_refused(text: str) -> None:
    """Also paths, odd characters and names of the machine's own files."""
    try:
        zone = read_zone(text)
    except InvalidInput:
        assert text not in ("", "Europe/London")
        return
    assert zone == text
    assert not zone or (zone_named(zone) is not None and len(zone) <= 64)


@given(st.one_of(st.text(max_size=12), st.dates().map(str)))
def test_any_text_is_a_day_or_refused(text: str) -> None:
    """Only as a browser sends it."""
    try:
        day = read_day(text)
    except InvalidInput:
        return
    assert str(day) == text


@given(
    st.sets(st.sampled_from(CHOOSABLE), min_size=1),
    st.sampled_from(Frequency),
    st.one_of(st.none(), st.integers(0, 47).map(lambda half: half * 30)),
    st.sampled_from(["", "UTC", "Asia/Tokyo"]),
    st.sampled_from(MailForm),
)
def test_choices_read_back_from_their_form(
    sections: set[Section], frequency: Frequency, minute: int | None, zone: str, form: MailForm
) -> None:
    """What Undo carries is what was kept."""
    chosen = Choices(frozenset(sections), frequency, minute, zone, form, "Ada")
    assert chosen.wishes().read() == chosen


@pytest.mark.parametrize("name", ["two\nlines", "x" * 81, "half a pair \ud800", "tab\there"])
def test_a_name_is_one_short_line(name: str) -> None:
    """Spaces around it are taken off."""
    assert read_name(" Zoë ") == "Zoë"
    with pytest.raises(InvalidInput):
        read_name(name)
