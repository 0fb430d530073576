"""A random walk over all that people do with their address: sign up, confirm, leave, return, move, be erased."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import select

from app.core.signing import Purpose
from app.jobs import tasks
from app.models import Consent, Subscriber, Suppression, TransactionalEmail
from app.models.states import SubscriberStatus
from app.stages.audience import erasure, fresh
from app.stages.audience.import_readers.columns import recognise
from app.stages.audience.import_readers.run import Arrival, Terms, import_rows
from app.stages.audience.import_readers.table import Row
from tests.races.world import World, jitter, world

ADDRESSES = ("ada@example.org", "bob@example.org", "cyd@example.org")
Action = Callable[[], Awaitable[object]]
READING = (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)
STEPS = 18
AFTER = {
    "confirmed": READING,
    "undone": READING,
    "resumed": READING,
    "paused": READING,
    "left": (SubscriberStatus.LEFT, SubscriberStatus.ERASED),  # somebody else moved to their address
    "erased": (SubscriberStatus.ERASED,),
}
"""The states that a reader may be in whose last act of consent was this one. A rest ends by itself."""
_DONE = (200, 202)


class ReaderWalk:
    """What is done, what was answered, and what must be so."""

    def __init__(self, at: World) -> None:
        self.world = at
        self.barred_for_good: set[str] = set()
        self.gone: dict[str, int] = {}
        """Addresses whose owner left or was erased, and in which step they were told so."""
        self.doing: dict[str, set[str]] = {}
        """What is done in this step, by address."""

    @classmethod
    def names(cls) -> list[str]:
        """What may be done, by name."""
        return list(cls.choices(cls.__new__(cls)))

    def choices(self) -> dict[str, tuple[int, Action]]:
        """Each with its weight."""
        return {
            "sign up": (8, self.sign_up),
            "confirm": (12, self.confirm),
            "not mine": (2, self.not_mine),
            "renew": (2, self.renew),
            "leave": (7, self.leave),
            "undo": (4, self.undo),
            "change": (3, self.change),
            "ask to be erased": (3, lambda: self.ask_letter("erase")),
            "ask to move": (4, lambda: self.ask_letter("move")),
            "name the new address": (4, self.ask_move),
            "move": (5, self.move),
            "put back": (3, self.put_back),
            "erase": (3, self.erase),
            "erase by hand": (4, self.erase_by_hand),
            "import": (6, lambda: self.import_all(confirm=False)),
            "import to confirm": (3, lambda: self.import_all(confirm=True)),
            "job forget": (1, lambda: tasks.forget(self.world.container, "walk")),
            "job mail": (2, self.hand_over),
        }

    def chosen(self) -> list[Action]:
        """Two to six things."""
        choices, random = self.choices(), self.world.random
        weights = [weight for weight, _ in choices.values()]
        names = random.choices(list(choices), weights, k=random.choice((2, 2, 3, 4, 6)))
        return [choices[name][1] for name in names]

    def address(self) -> str:
        """Mostly one and the same, so that what is done meets there."""
        return ADDRESSES[0] if self.world.random.random() < 0.7 else self.world.random.choice(ADDRESSES)

    # -- links: of whatever was ever mailed --------------------------------------------------------------

    async def letters(self, *kinds: str) -> list[TransactionalEmail]:
        async with self.world.container.db.read() as session:
            return list(
                (
                    await session.scalars(
                        select(TransactionalEmail)
                        .where(TransactionalEmail.kind.in_(kinds))
                        .order_by(TransactionalEmail.id)
                    )
                ).all()
            )

    async def link(self, purpose: Purpose, *kinds: str) -> str | None:
        found = await self.letters(*(kinds or (purpose.value,)))
        if not found:
            return None
        # Mostly the newest: the others have run out, or lead to who is gone.
        letter = found[-1] if self.world.random.random() < 0.6 else self.world.random.choice(found)
        lasts = timedelta(days=7) if purpose is Purpose.CONFIRM else fresh.WORKS_FOR[purpose]
        return self.world.container.signer.sign(purpose, letter.ref, letter.created_at + lasts)

    async def reader(self) -> Subscriber | None:
        async with self.world.container.db.read() as session:
            found = (await session.scalars(select(Subscriber).order_by(Subscriber.id))).all()
        mostly = [one for one in found if one.address == ADDRESSES[0]]
        return self.world.random.choice(mostly if mostly and self.world.random.random() < 0.7 else found or [None])

    async def standing(self, purpose: Purpose) -> tuple[str, str] | None:
        found = await self.reader()
        if found is None or found.status is SubscriberStatus.ERASED:
            return None
        return self.world.container.signer.sign(purpose, found.ref), found.address

    # -- what is done ------------------------------------------------------------------------------------

    async def sign_up(self) -> None:
        await self.world.press("/subscribe", email=self.address(), timezone="Europe/Berlin")

    async def confirm(self) -> None:
        if token := await self.link(Purpose.CONFIRM, "confirmation", "reminder"):
            await self.world.press(f"/confirm/{token}")

    async def not_mine(self) -> None:
        if token := await self.link(Purpose.CONFIRM, "confirmation", "reminder"):
            await self.world.press(f"/confirm/{token}/not-mine")

    async def renew(self) -> None:
        if token := await self.link(Purpose.CONFIRM, "confirmation", "reminder"):
            await self.world.press(f"/confirm/{token}/again")

    async def leave(self) -> None:
        if found := await self.standing(Purpose.UNSUBSCRIBE):
            form = self.world.random.choice(({}, {"List-Unsubscribe": "One-Click"}))
            await self.world.press(f"/unsubscribe/{found[0]}", **form)

    async def undo(self) -> None:
        if found := await self.standing(Purpose.UNSUBSCRIBE):
            await self.world.press(f"/unsubscribe/{found[0]}", back=self.world.random.choice(("undo", "weekly")))

    async def change(self) -> None:
        if found := await self.standing(Purpose.PREFERENCES):
            until = (self.world.clock.now() + timedelta(days=5)).date().isoformat()
            form = self.world.random.choice(
                ({"action": "pause", "until": until}, {"action": "resume"},
                 {"action": "save", "frequency": "weekly", "sections": "tools", "form": "text"})
            )  # fmt: skip
            await self.world.press(f"/preferences/{found[0]}", **form)

    async def ask_letter(self, what: str) -> None:
        if found := await self.standing(Purpose.PREFERENCES):
            await self.world.press(f"/preferences/{found[0]}/letter", what=what)

    async def ask_move(self) -> None:
        if token := await self.link(Purpose.MOVE):
            await self.world.press(f"/move/{token}", email=self.address())

    async def move(self) -> None:
        if token := await self.link(Purpose.NEW_ADDRESS):
            await self.world.press(f"/new-address/{token}")

    async def put_back(self) -> None:
        if token := await self.link(Purpose.OLD_ADDRESS):
            await self.world.press(f"/old-address/{token}")

    async def erase(self) -> None:
        if token := await self.link(Purpose.ERASE):
            await self.world.press(f"/erase/{token}")

    async def erase_by_hand(self) -> None:
        address = self.address()
        container = self.world.container
        try:
            async with container.db.write() as session:
                await erasure.erase_address(session, container.suppressor, address, self.world.clock.now())
        except Exception as refused:
            self.world.say(f"erase {address} by hand: {refused}")
            if type(refused).__name__ != "NotFound":
                raise

    async def hand_over(self) -> None:
        await self.world.post()

    async def import_all(self, *, confirm: bool) -> None:
        rows = [Row(number, [address]) for number, address in enumerate(ADDRESSES, 2)]
        columns = recognise(("email",), None)
        arrival = Arrival(
            columns, Terms(confirm=confirm, basis="" if confirm else "they asked in writing"), _say_nothing
        )
        container = self.world.container
        async for _ in import_rows(container.db, container.suppressor, container.clock, iter(rows), arrival):
            pass
        self.world.say(f"import {'with' if confirm else 'without'} confirmation: {dict(arrival.fates)}")

    # -- what must be so ---------------------------------------------------------------------------------

    async def look(self) -> None:
        at = self.world
        async with at.container.db.read() as session:
            readers = (await session.scalars(select(Subscriber).order_by(Subscriber.id))).all()
            consents = (await session.scalars(select(Consent).order_by(Consent.id))).all()
            suppressed = {row.hash: row.reason for row in (await session.scalars(select(Suppression))).all()}
        for reader in readers:
            mine = [one for one in consents if one.subscriber_id == reader.id]
            acts = [one.act for one in mine if one.act in AFTER]
            if acts:
                fits = reader.status in AFTER[acts[-1]]
                at.demand(fits, f"reader {reader.id} is {reader.status}, and last they {[one.act for one in mine]}")
            if reader.status not in READING:
                continue
            reason = suppressed.get(at.container.suppressor.hash(reader.address_key))
            at.demand(
                reason is None,
                f"reader {reader.id} reads and is suppressed ({reason}): {[one.act for one in mine]}",
            )
        at.mailed_once()

    async def end(self) -> None:
        """Of who was erased and did not come back nothing is left."""
        async with self.world.container.db.read() as session:
            here = {one.address for one in (await session.scalars(select(Subscriber))).all()}
        async with self.world.container.db.read() as session:
            letters = {one.recipient for one in (await session.scalars(select(TransactionalEmail))).all()}
        for address in {*ADDRESSES} - here - letters:
            found = [name for name in await self.world.everywhere(address) if name != "transactional_emails"]
            self.world.demand(not found, f"{address} is nobody's, and stands in {found}")


def _say_nothing(_: Row, __: str) -> None:
    """Rows that are refused are counted."""


async def begun(at: World) -> ReaderWalk:
    """A walk at whose beginning three people have asked."""
    made = ReaderWalk(at)
    for _ in ADDRESSES:
        await made.sign_up()
    return made


async def walk(database_url: str, seed: int, steps: int = STEPS) -> int:
    """One walk; gives how many things were done at once with another. Raises Finding."""
    async with world(database_url, seed) as at:
        made, pairs = await begun(at), 0
        with jitter(at.random):
            for _ in range(steps):
                chosen = made.chosen()
                pairs += len(chosen) - 1
                await at.together(*(one() for one in chosen))
                await made.look()
                at.clock.move(at.clock.now() + timedelta(minutes=at.random.choice((0, 0, 1, 11, 60))))
        await made.end()
        return pairs
