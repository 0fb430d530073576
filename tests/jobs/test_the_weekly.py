"""A week by the clock, with readers of every frequency in several zones, on both engines.

Whatever becomes of the weekly, nobody is mailed two papers of one date, and nobody goes without.
"""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.db import Session
from app.core.settings import load_settings
from app.jobs import tasks
from app.jobs.mailroom import Mailroom
from app.models import Delivery, Edition, Subscriber
from app.models.content import EditionContent, EditionKind, Section
from app.models.states import DeliveryStatus, EditionStatus, Frequency
from app.stages.compose import edit
from app.stages.compose.edit import Hand
from app.stages.send import control
from app.store import editions
from tests.people import DAY, add_reader, prefer
from tests.stages.collect.standin import closed_port
from tests.stages.compose.test_candidates import write

MONDAY = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
SATURDAY = date(2026, 11, 28)
DAILY, WEEKLY = "2026-11-28", "2026-11-28-weekly"
ZONES = ("Europe/London", "Asia/Tokyo", "America/New_York", "Pacific/Honolulu")
HOUR = timedelta(hours=1)
HOURS = (5, 6, 8, 11, 16, 21)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@pytest.fixture
async def container(database_url: str, clock: FixedClock) -> AsyncIterator[Container]:
    nobody = closed_port()
    made = build(
        load_settings(
            database_url=database_url,
            secret_keys="k" * 40,
            huggingface_url=nobody,
            github_url=nobody,
            operator_emails="ada@example.org",
            check_links="off",
        ),
        clock,
    )
    clock.move(MONDAY)
    for index, name in enumerate(_DAYS):
        day = (DAY + timedelta(days=index)).isoformat()
        await write(made.db, Section.LEAD, f"What {name} brought to the press room", publish_on=day)
        await write(made.db, Section.TOOLS, f"A tool of {name}", publish_on=day)
    yield made
    await made.close()


async def readers(container: Container, *frequencies: Frequency) -> None:
    """One of each frequency in each zone, called weekly-tokyo and so on."""
    for frequency in frequencies:
        for zone in ZONES:
            name = f"{frequency.value}-{zone.rpartition('/')[2].lower()}"
            reader = await add_reader(container.db, f"{name}@example.org", zone=zone)
            await prefer(container.db, reader, frequency, zone=zone)


class Desk:
    """Lets the hours pass, doing what the timetable does."""

    def __init__(self, container: Container, clock: FixedClock) -> None:
        self.container, self.clock = container, clock
        self.planned: dict[int, datetime] = {}

    async def until(self, then: datetime) -> None:
        """Hour by hour, at half past; the timetable is looked at when a morning comes, and around the freeze."""
        while self.clock.now() < then:
            self.clock.move(self.clock.now() + HOUR)
            if self.clock.now().hour in HOURS:
                await self.tick()

    async def tick(self) -> None:
        """In the early morning everything is asked for twice, as by two workers."""
        for owner in ("a", "b") if self.clock.now().hour == HOURS[0] else ("a",):
            await tasks.compose(self.container, owner)
            await tasks.freeze(self.container, owner)
            await tasks.let_go(self.container, self.planned)
            await tasks.sweep(self.container, owner)
        await Mailroom(self.container, "a", asyncio.Event()).papers()
        await tasks.let_go(self.container, self.planned)

    async def of(self, kind: EditionKind) -> Edition:
        async with self.container.db.read() as session:
            edition = await editions.of_day(session, SATURDAY, kind)
        assert edition is not None
        return edition

    async def papers(self) -> dict[str, list[str]]:
        """The editions that were handed over to each reader, by the reader's name."""
        async with self.container.db.read() as session:
            rows = await session.execute(
                select(Subscriber.address, Edition.kind, Edition.date)
                .join(Delivery, Delivery.subscriber_id == Subscriber.id)
                .join(Edition, Edition.id == Delivery.edition_id)
                .where(Delivery.status == DeliveryStatus.ACCEPTED)
                .order_by(Edition.date, Edition.id)
            )
            found: dict[str, list[str]] = {}
            for address, kind, day in rows:
                found.setdefault(address.partition("@")[0], []).append(editions.slug_of(kind, day))
        return found


@pytest.fixture
def desk(container: Container, clock: FixedClock) -> Desk:
    return Desk(container, clock)


async def nothing(_: Session, __: Edition) -> None:
    """No audit line."""


def at(hour: int, day: date = SATURDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)


def each(frequency: Frequency, *papers: str) -> dict[str, list[str]]:
    """What its readers get, by their names."""
    return {f"{frequency.value}-{zone.rpartition('/')[2].lower()}": list(papers) for zone in ZONES}


async def test_a_week_of_three_kinds_of_readers(container: Container, desk: Desk) -> None:
    """Daily readers get six papers, weekday readers five, weekly readers the weekly; each once, in every zone."""
    await readers(container, *Frequency)
    await desk.until(at(4, SATURDAY + timedelta(days=1)))
    days = [(DAY + timedelta(days=index)).isoformat() for index in range(6)]
    got = await desk.papers()
    assert got == each(Frequency.DAILY, *days) | each(Frequency.WEEKDAYS, *days[:5]) | each(Frequency.WEEKLY, WEEKLY)
    assert len(list(Path("var/outbox/new").glob("*.eml"))) == sum(len(several) for several in got.values())
    for kind in EditionKind:
        assert (await desk.of(kind)).status is EditionStatus.SENT

    made = EditionContent.model_validate((await desk.of(EditionKind.WEEKLY)).content)
    assert made.lead.headline == "What Friday brought to the press room"
    assert [one.headline.split()[1] for one in made.also] == ["Monday", "Tuesday", "Wednesday", "Thursday"]
    assert [one.headline for one in made.tools] == [f"A tool of {one}" for one in reversed(_DAYS[1:5])]
    assert made.lead.reason == "printed on 27 November"


async def test_while_the_weekly_is_held_its_readers_get_the_daily(container: Container, desk: Desk) -> None:
    """Nothing was printed this week before Saturday's daily: too little for a weekly, and the operators are told."""
    await readers(container, Frequency.WEEKLY, Frequency.WEEKDAYS)
    desk.clock.move(at(4))
    await desk.until(at(4, SATURDAY + timedelta(days=1)))
    held = await desk.of(EditionKind.WEEKLY)
    assert held.status is EditionStatus.HELD
    assert held.reason == "Nothing was printed from Monday to Friday."
    assert await desk.papers() == each(Frequency.WEEKLY, DAILY)


async def test_operators_are_told_of_a_held_weekly_and_of_what_becomes_of_its_readers(
    container: Container, desk: Desk
) -> None:
    """With the flag that its commands want."""
    await readers(container, Frequency.WEEKLY)
    desk.clock.move(at(4))
    await desk.until(at(5))
    await Mailroom(container, "a", asyncio.Event()).post()
    mails = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in Path("var/outbox/new").glob("*.eml")
    ]
    assert [one["Subject"] for one in mails] == ["Held: the weekly of Saturday, 28 November 2026"]
    body = mails[0].get_body()
    assert body is not None
    words = " ".join(body.get_content().split())
    assert "morningpost editions unhold 2026-11-28 --weekly" in words
    assert "weekly readers get that Saturday's daily" in words


async def test_a_weekly_that_is_let_go_late_is_nobodys_second_paper(container: Container, desk: Desk) -> None:
    """London had the daily by then; the others get the weekly, at their own morning, and nobody both."""
    await readers(container, Frequency.WEEKLY, Frequency.DAILY)
    await desk.until(at(4))
    desk.clock.move(datetime(2026, 11, 28, 5, 0, tzinfo=UTC))
    for _ in range(2):
        await tasks.compose(container, "a")
    weekly = await desk.of(EditionKind.WEEKLY)
    assert weekly.status is EditionStatus.READY
    await edit.hold(container.db, weekly.id, "The lead is not checked", Hand(desk.clock.now(), nothing))
    desk.clock.move(at(5))
    await desk.tick()
    await desk.until(at(7))
    await edit.unhold(container.db, weekly.id, Hand(desk.clock.now(), nothing))
    await desk.until(at(20, SATURDAY + timedelta(days=1)))
    of_saturday = {
        name: [one for one in several if one.startswith(DAILY)] for name, several in (await desk.papers()).items()
    }
    assert of_saturday == {
        **each(Frequency.DAILY, DAILY),
        "weekly-london": [DAILY],
        "weekly-tokyo": [WEEKLY],
        "weekly-new_york": [WEEKLY],
        "weekly-honolulu": [WEEKLY],
    }


async def test_a_weekly_that_comes_to_be_held_costs_its_readers_nothing(container: Container, desk: Desk) -> None:
    """The daily had left London's readers to it; the hourly sweep gives them the daily."""
    await readers(container, Frequency.WEEKLY)
    await desk.until(at(4))
    desk.clock.move(at(7))
    for _ in range(2):
        await tasks.compose(container, "a")
    async with container.db.read() as session:
        daily = await editions.of_day(session, SATURDAY)
    assert daily is not None
    weekly = await desk.of(EditionKind.WEEKLY)
    await tasks._freeze(container, daily.id)
    await tasks.let_go(container, {})
    assert await desk.papers() == {}
    await edit.hold(container.db, weekly.id, "The lead is not checked", Hand(desk.clock.now(), nothing))
    await desk.until(at(8))
    assert await desk.papers() == {"weekly-london": [DAILY]}


async def test_a_weekly_that_is_cancelled_half_way_is_followed_by_the_daily(container: Container, desk: Desk) -> None:
    """Whoever has it keeps it; the others get the daily, at their own morning, and nobody both."""
    await readers(container, Frequency.WEEKLY)
    await desk.until(at(8))
    assert await desk.papers() == {"weekly-london": [WEEKLY]}
    weekly = await desk.of(EditionKind.WEEKLY)
    async with container.db.write() as session:
        await control.cancel(session, weekly.id, "The lead was wrong", desk.clock.now())
    await desk.until(at(20, SATURDAY + timedelta(days=1)))
    assert await desk.papers() == each(Frequency.WEEKLY, DAILY) | {"weekly-london": [WEEKLY]}


async def test_without_weekly_readers_there_is_no_weekly(container: Container, desk: Desk) -> None:
    """Nobody is owed one, so none is composed, and no operator is told that it is too thin."""
    await readers(container, Frequency.DAILY)
    desk.clock.move(at(4))
    await desk.until(at(6))
    async with container.db.read() as session:
        assert await editions.of_day(session, SATURDAY, EditionKind.WEEKLY) is None
