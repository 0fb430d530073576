"""A random walk over an edition's life: two operators, the timetable and a dispatcher, up to three things at once."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from app.jobs import tasks
from app.models import Delivery, Edition
from app.models.states import EDITION_EDGES, DeliveryStatus, EditionStatus
from app.store import editions, leases
from tests.people import add_reader
from tests.races.world import BEGINS, World, jitter, world
from tests.recount import assert_counted

STORY = {"headline": "A story of the walk", "standfirst": "It stands first.", "body": "Words."}
TODAY = BEGINS.date()
Action = Callable[[], Awaitable[object]]
TOGETHER = 0.4
"""How often a step is one of `PAIRS`."""
PAIRS = (
    ("send", "pause"), ("send", "cancel"), ("job release", "pause"), ("job release", "cancel"), ("resume", "cancel"),
    ("job release", "late"), ("job release", "retry"), ("job papers", "pause"), ("send", "send"), ("late", "late"),
    ("job freeze", "edit"), ("job freeze", "approve", "edit"), ("freeze", "edit"), ("edit", "approve"),
    ("edit", "edit"), ("hold", "job freeze"), ("compose", "compose tomorrow"), ("job compose", "compose tomorrow"),
    ("compose", "edit"), ("correct", "correct"), ("correct", "send"), ("pause", "resume"), ("job overdue", "approve"),
)  # fmt: skip
ENDED = (EditionStatus.SENT, EditionStatus.PARTIALLY_SENT, EditionStatus.CANCELLED)
STEPS = 14
REACHABLE: dict[EditionStatus, set[EditionStatus]] = {}
"""The states that an edition may come to from each, over any number of edges."""


def _reach(start: EditionStatus) -> set[EditionStatus]:
    found, open_ = {start}, [start]
    while open_:
        here = open_.pop()
        for from_, to in EDITION_EDGES:
            if from_ is here and to not in found:
                found.add(to)
                open_.append(to)
    return found


REACHABLE.update({status: _reach(status) for status in EditionStatus})


class EditionWalk:
    """What is done, what was answered, and what must be so."""

    def __init__(self, at: World, *, manual: bool) -> None:
        self.world = at
        self.manual = manual
        self.seen: dict[int, EditionStatus] = {}
        self.etags: dict[int, list[int]] = defaultdict(list)
        self.approved: set[tuple[int, int]] = set()
        """Editions and the versions that an approval was answered with."""
        self.forced: set[int] = set()
        """Editions that an operator froze by hand."""
        self.cancelled: set[int] = set()
        self.readers = 0
        self.held: dict[int, str] = {}

    # -- what is done ------------------------------------------------------------------------------------

    @classmethod
    def names(cls) -> list[str]:
        """What may be done, by name."""
        return list(cls.choices(cls.__new__(cls)))

    def choices(self) -> dict[str, tuple[int, Action]]:
        """Each with its weight."""
        return {
            "compose": (3, lambda: self.compose(TODAY)),
            "compose tomorrow": (2, lambda: self.compose(TODAY + timedelta(days=self.world.random.choice((1, 2))))),
            "edit": (6, self.edit),
            "hold": (2, lambda: self.on_any("hold", {"reason": "not checked"}, tagged=True)),
            "unhold": (2, lambda: self.on_any("unhold", tagged=True)),
            "approve": (6, self.approve),
            "freeze": (2, self.freeze),
            "send": (6, lambda: self.on_any("send")),
            "pause": (5, lambda: self.stopped("pause", EditionStatus.PAUSED)),
            "resume": (6, lambda: self.on_any("resume")),
            "cancel": (1, lambda: self.stopped("cancel", EditionStatus.CANCELLED)),
            "retry": (2, lambda: self.on_any("retry?include_unknown=true")),
            "late": (3, lambda: self.on_any("late")),
            "correct": (1, lambda: self.on_any("correct")),
            "a reader": (2, self.one_more_reader),
            "job compose": (4, lambda: tasks.compose(self.world.container, self.owner())),
            "job freeze": (6, lambda: tasks.freeze(self.world.container, self.owner())),
            "job release": (9, lambda: tasks.let_go(self.world.container, {})),
            "job sweep": (2, lambda: tasks.sweep(self.world.container, self.owner())),
            "job lapse": (2, lambda: tasks.lapse(self.world.container, self.owner())),
            "job overdue": (2, lambda: tasks.hold_overdue(self.world.container, self.owner())),
            "job papers": (6, self.hand_over),
        }

    def chosen(self) -> list[Action]:
        """One to three things, often two that decide about the same."""
        random, choices = self.world.random, self.choices()
        names = list(choices)
        if random.random() < TOGETHER:
            picked = list(random.choice(PAIRS))
        else:
            picked = random.choices(names, [weight for weight, _ in choices.values()], k=random.choice((1, 2, 2, 3)))
        return [choices[name][1] for name in picked]

    def owner(self) -> str:
        return f"worker {self.world.random.randrange(2)}"

    def any(self) -> int:
        return self.world.random.choice(list(self.seen)) if self.seen else 1

    async def compose(self, day: date) -> None:
        answer = await self.world.api("POST", "/editions/compose", {"date": day.isoformat()})
        if answer.status_code == 200:
            self.etags[answer.json()["id"]].append(answer.json()["version"])

    def tag(self, edition: int) -> str:
        """Mostly the newest that anybody was told, sometimes one before."""
        known = self.etags[edition] or [1]
        return f'"{known[-1] if self.world.random.random() < 0.8 else self.world.random.choice(known)}"'

    async def edit(self) -> None:
        edition, random = self.any(), self.world.random
        change: dict[str, Any] = random.choice(
            ({"subject": f"Subject {random.randrange(1000)}"}, {"subject": "TODO: a subject"}, {"remove": [2]},
             {"restore": [2]})
        )  # fmt: skip
        answer = await self.world.api("PATCH", f"/editions/{edition}", change, **{"If-Match": self.tag(edition)})
        self.told(edition, answer)

    async def approve(self) -> None:
        edition = self.any()
        headers = {"If-Match": self.tag(edition)} if self.world.random.random() < 0.7 else {}
        answer = await self.world.api("POST", f"/editions/{edition}/approve", **headers)
        self.told(edition, answer)
        if answer.status_code == 200:
            body = answer.json()
            self.approved.add((edition, body["version"]))
            seen = int(headers["If-Match"].strip('"')) if headers else None
            fits = seen is None or body["version"] in (seen, seen + 1)
            self.world.demand(fits, f"approved version {body['version']} by the tag of {seen}")

    async def freeze(self) -> None:
        edition = self.any()
        self.forced.add(edition)
        force = self.world.random.choice(("", "?force=true"))
        await self.world.api("POST", f"/editions/{edition}/freeze{force}")

    async def on_any(self, deed: str, body: Any = None, *, tagged: bool = False) -> None:
        edition = self.any()
        headers = {"If-Match": self.tag(edition)} if tagged and self.world.random.random() < 0.5 else {}
        answer = await self.world.api("POST", f"/editions/{edition}/{deed}", body, **headers)
        self.told(edition, answer)

    async def stopped(self, deed: str, status: EditionStatus) -> None:
        edition = self.any()
        answer = await self.world.api("POST", f"/editions/{edition}/{deed}")
        if answer.status_code == 200:
            said = answer.json()["status"]
            self.world.demand(said == status.value, f"{deed} was answered 200 with status {said}")
            if status is EditionStatus.CANCELLED:
                self.cancelled.add(edition)

    def told(self, edition: int, answer: Any) -> None:
        if answer.status_code == 200 and "version" in answer.json() and answer.json().get("id") == edition:
            self.etags[edition].append(answer.json()["version"])

    async def hand_over(self) -> None:
        await self.world.papers()

    async def one_more_reader(self) -> None:
        self.readers += 1
        zone = self.world.random.choice(("", "", "Asia/Tokyo", "America/New_York"))
        at = self.world.clock.now() - timedelta(seconds=1)
        await add_reader(self.world.container.db, f"late{self.readers}@example.org", zone=zone, confirmed_at=at)

    # -- what must be so ---------------------------------------------------------------------------------

    async def look(self) -> None:
        at = self.world
        async with at.container.db.read() as session:
            rows = (await session.scalars(select(Edition).order_by(Edition.id))).all()
            for row in rows:
                before = self.seen.get(row.id, EditionStatus.DRAFT)
                at.demand(row.status in REACHABLE[before], f"edition {row.id} went from {before} to {row.status}")
                self.seen[row.id] = row.status
                if row.id in self.cancelled:
                    at.demand(row.status is EditionStatus.CANCELLED, f"edition {row.id} was cancelled: {row.status}")
                if self.manual and row.frozen_at and row.id not in self.forced:
                    approved = (row.id, row.version - 1) in self.approved
                    at.demand(approved, f"edition {row.id} is frozen at a version that nobody approved")
                await assert_counted(session, row.id)
                if row.status in (EditionStatus.SENT, EditionStatus.PARTIALLY_SENT):
                    waiting = Delivery.status.in_((DeliveryStatus.QUEUED, DeliveryStatus.SENDING))
                    left = await session.scalars(
                        select(Delivery.subscriber_id).where(Delivery.edition_id == row.id, waiting)
                    )
                    at.demand(not left.all(), f"edition {row.id} has ended, and readers are queued in it")
            if await leases.is_finished(session, "compose", TODAY.isoformat()):
                found = await editions.of_day(session, TODAY)
                at.demand(found is not None, "the slot of composing is done, and there is no edition")
        numbers = [(row.number, row.revision) for row in rows if row.number is not None]
        at.demand(len(set(numbers)) == len(numbers), f"a number was given twice: {numbers}")
        at.mailed_once()

    async def end(self) -> None:
        """Two days after the last one it could compose every edition has ended, or is held and the operators know."""
        at = self.world
        for _ in range(16):
            at.clock.move(at.clock.now() + timedelta(hours=8))
            for job in (tasks.lapse, tasks.hold_overdue):
                await job(at.container, "last")
            await tasks.let_go(at.container, {})
            await at.papers()
            await tasks.let_go(at.container, {})
        at.say("sixteen times eight hours went by")
        await self.look()
        open_ = {one: status.value for one, status in self.seen.items() if status not in (*ENDED, EditionStatus.HELD)}
        at.demand(not open_, f"never ended: {open_}")


async def begun(at: World, *, manual: bool) -> EditionWalk:
    """A walk at whose beginning an edition of today is composed, for three readers in three zones."""
    for section in ("lead", "tools", "tools"):
        await at.api("POST", "/stories", {**STORY, "section": section, "headline": f"A {section} of the walk"})
    for number, zone in enumerate(("", "Asia/Tokyo", "America/New_York")):
        await add_reader(at.container.db, f"reader{number}@example.org", zone=zone)
    made = EditionWalk(at, manual=manual)
    await made.compose(TODAY)
    await made.look()
    return made


async def walk(database_url: str, seed: int, steps: int = STEPS) -> int:
    """One walk; gives how many things were done at once with another. Raises Finding."""
    manual = seed % 2 == 1
    async with world(database_url, seed, approval="manual" if manual else "auto") as at:
        made, pairs = await begun(at, manual=manual), 0
        with jitter(at.random):
            for _ in range(steps):
                chosen = made.chosen()
                pairs += len(chosen) - 1
                await at.together(*(one() for one in chosen))
                await made.look()
                at.clock.move(at.clock.now() + timedelta(minutes=at.random.choice((0, 1, 10, 31, 120))))
        await made.end()
        return pairs
