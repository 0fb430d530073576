"""Every pair of doors to one mailbox, the first stopped inside its transaction and before it writes.

What comes of the two must be what comes of one after the other, in either order: the same answers, the same readers,
consents, suppressions and mails. So no answer is a fault, and none says what is not so.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from app.bootstrap import Container
from app.core.settings import Settings
from app.core.signing import Purpose
from app.models import Consent, Subscriber, Suppression, TransactionalEmail
from app.models.states import SubscriberStatus
from app.stages.audience import consent
from app.stages.audience.fresh import WORKS_FOR
from app.stages.audience.import_readers.columns import recognise
from app.stages.audience.import_readers.run import Arrival, Terms, import_rows
from app.stages.audience.import_readers.table import Row
from app.store import consents, erasure, mail_domains, subscribers, suppressions, transactional
from app.store.consents import Act
from tests import interleave
from tests.interleave import at_once, stop_at
from tests.web.conftest import form

DAY = timedelta(days=1)
_TAGS = count()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As everywhere, but many may sign up."""
    return settings.model_copy(update={"signups_per_client": 10_000, "signups_per_minute": 10_000})


@dataclass
class Scene:
    """One mailbox with every link to it, and three more: where its reader may move, and two whence others come.

    `start` is how the reader stands: none, pending, active, left, or again (left, and asked again since).
    """

    client: AsyncClient
    container: Container
    start: str
    tag: int = field(default_factory=lambda: next(_TAGS))
    roles: dict[int, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def at(self, role: str) -> str:
        """The address of the mailbox (x), of where its reader may move (y), of those who come there (z, w)."""
        return f"{role}{self.tag}@example.org"

    async def set_up(self) -> "Scene":
        reader = await self._reader("x", self.start)
        mails: list[tuple[str, int, Purpose, str, dict[str, str]]] = []
        if reader:
            mails = [
                ("confirm", reader, Purpose.CONFIRM, "x", {}),
                ("erase", reader, Purpose.ERASE, "x", {}),
                ("move away", reader, Purpose.NEW_ADDRESS, "y", {"from": self.at("x")}),
            ]
        z, w = await self._reader("z", "active"), await self._reader("w", "active")
        mails += [
            ("move here", z, Purpose.NEW_ADDRESS, "x", {"from": self.at("z")}),
            ("put back", w, Purpose.OLD_ADDRESS, "x", {}),
        ]
        self.links = {name: self._sign(Purpose.CONFIRM, "nobody") for name in ("confirm", "erase", "move away")}
        for name, whose, purpose, to, parameters in mails:
            self.links[name] = await self._mail(name, whose, purpose, self.at(to), parameters)
        self.links["leave"] = self._sign(Purpose.UNSUBSCRIBE, f"ref-x{self.tag}")
        self.links["pause"] = self._sign(Purpose.PREFERENCES, f"ref-x{self.tag}")
        return self

    def _sign(self, purpose: Purpose, ref: str) -> str:
        return self.container.signer.sign(purpose, ref)

    async def _reader(self, role: str, start: str) -> int:
        """Their id; 0 for none."""
        if start == "none":
            return 0
        address, now = self.at(role), self.container.clock.now()
        async with self.container.db.write() as session:
            reader = await subscribers.sign_up(
                session, address=address, key=address, ref=f"ref-{role}{self.tag}", zone="", now=now - 3 * DAY
            )
            acts = {"pending": ["asked"], "active": ["asked", "confirmed"], "left": ["asked", "confirmed", "left"]}
            for act in acts.get(start, [*acts["left"], "asked"]):
                await consents.record(session, reader.id, Act(act, "link"), now - 3 * DAY)
            if start != "pending":
                assert await subscribers.activate(session, reader, now - 3 * DAY)
            if start in ("left", "again"):
                assert await subscribers.leave(session, reader.id, SubscriberStatus.ACTIVE, now - 2 * DAY)
        self.roles[reader.id] = role
        return reader.id

    async def _mail(self, name: str, whose: int, purpose: Purpose, to: str, parameters: dict[str, str]) -> str:
        """Writes a mail down and gives the token of its link."""
        now, confirmation = self.container.clock.now(), purpose is Purpose.CONFIRM
        at = now - (3 * DAY if confirmation and self.start == "left" else timedelta(minutes=1))
        async with self.container.db.write() as session:
            await transactional.owe(
                session,
                kind=consent.CONFIRMATION if confirmation else purpose.value,
                subscriber_id=whose,
                recipient=None if confirmation else to,
                ref=f"{name.replace(' ', '-')}-{self.tag}",
                parameters=parameters,
                now=at,
                until=now + DAY,
            )
        until = at + (consent.CONFIRM_WITHIN if confirmation else WORKS_FOR[purpose])
        return self.container.signer.sign(purpose, f"{name.replace(' ', '-')}-{self.tag}", until)

    # --- The doors ---

    async def go(self, door: str) -> tuple[object, str]:
        """Presses the button; gives the answer's status and its heading."""
        if door == "import":
            return await self._import(), ""
        path, data = self._form(door)
        answer = await self.client.post(path, data=data)
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
        return answer.status_code, heading[1].strip() if heading else answer.text

    def _form(self, door: str) -> tuple[str, dict[str, str]]:
        links, leaving = self.links, f"/unsubscribe/{self.links['leave']}"
        rest = (self.container.clock.now().date() + 7 * DAY).isoformat()
        doors: dict[str, tuple[str, dict[str, str]]] = {
            "sign up": ("/subscribe", form(self.container, email=self.at("x"), timezone="")),
            "confirm": (f"/confirm/{links['confirm']}", {}),
            "not mine": (f"/confirm/{links['confirm']}/not-mine", {}),
            "leave": (leaving, {"List-Unsubscribe": "One-Click"}),
            "undo": (leaving, {"back": "undo"}),
            "pause": (f"/preferences/{links['pause']}", {"action": "pause", "until": rest}),
            "erase": (f"/erase/{links['erase']}", {}),
            "move away": (f"/new-address/{links['move away']}", {}),
            "move here": (f"/new-address/{links['move here']}", {}),
            "put back": (f"/old-address/{links['put back']}", {}),
        }
        return doors[door]

    async def _import(self) -> dict[str, int]:
        columns = recognise(["Email"], None, [("address", "Email")])
        arrival = Arrival(columns, Terms(confirm=False, basis="They asked on paper."), lambda _, __: None)
        container, file = self.container, iter([Row(2, [self.at("x")], "")])
        async for _ in import_rows(container.db, container.suppressor, container.clock, file, arrival):
            pass
        return {fate.value: number for fate, number in arrival.fates.items() if number}

    # --- What came of it ---

    async def outcome(self) -> dict[str, Any]:
        """Readers, consents and mails by whose they are, suppressions by mailbox. Checks what is always so."""
        async with self.container.db.read() as session:
            readers = list((await session.scalars(select(Subscriber).order_by(Subscriber.id))).all())
            mine = [one for one in readers if one.id in self.roles or one.address_key == self.at("x")]
            roles = {one.id: self.roles.get(one.id, "new") for one in mine}
            mailbox = {self.at(role): role for role in "xyzw"}
            hashes = {self.container.suppressor.hash(address): role for address, role in mailbox.items()}
            said = await session.execute(
                select(Consent.subscriber_id, Consent.act).where(Consent.subscriber_id.in_(roles)).order_by(Consent.id)
            )
            acts: dict[int, list[str]] = {one.id: [] for one in mine}
            for reader, act in said:
                acts[reader].append(act)
            mails = await session.scalars(select(TransactionalEmail).where(TransactionalEmail.subscriber_id.in_(roles)))
            left = {one.id: one.left_at for one in mine}
            owed = sorted(
                (roles[one.subscriber_id], one.kind, one.status.value, _works(one, left[one.subscriber_id]))
                for one in mails
            )
            barred = await session.execute(select(Suppression.hash, Suppression.reason))
            reasons = {hashes[hashed]: reason for hashed, reason in barred if hashed in hashes}
        for one in mine:
            assert _as_said(acts[one.id]) in (None, one.status), (roles[one.id], one.status, acts[one.id])
            reading = one.status in (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)
            assert not reading or mailbox[one.address_key] not in reasons, "who reads here must not be suppressed"
        return {
            "readers": sorted((roles[one.id], mailbox.get(one.address_key, ""), one.status.value) for one in mine),
            "acts": sorted((roles[one], *said) for one, said in acts.items()),
            "mails": owed,
            "suppressed": reasons,
        }


def _works(mail: TransactionalEmail, left_at: Any) -> bool:
    return left_at is None or mail.created_at > left_at


def _as_said(acts: list[str]) -> SubscriberStatus | None:
    """The state that the last act of the record leads to; asking and moving leave it as it was."""
    leads = {
        "confirmed": SubscriberStatus.ACTIVE,
        "imported": SubscriberStatus.ACTIVE,
        "undone": SubscriberStatus.ACTIVE,
        "paused": SubscriberStatus.PAUSED,
        "left": SubscriberStatus.LEFT,
        "erased": SubscriberStatus.ERASED,
    }
    return next((leads[act] for act in reversed(acts) if act in leads), SubscriberStatus.PENDING)


FIRST = {
    ("sign up", "none"): (subscribers, "add_pending"),
    ("sign up", "left"): (subscribers, "add_pending"),
    ("confirm", "pending"): (subscribers, "activate"),
    ("confirm", "again"): (subscribers, "activate"),
    ("not mine", "pending"): (suppressions, "add"),
    ("leave", "active"): (subscribers, "leave"),
    ("undo", "left"): (subscribers, "undo_leaving"),
    ("pause", "active"): (subscribers, "pause"),
    ("erase", "active"): (erasure, "erase"),
    ("erase", "pending"): (erasure, "erase"),
    ("import", "none"): (mail_domains, "groups"),
    ("move away", "active"): (transactional, "newest"),
    ("move here", "pending"): (transactional, "newest"),
    ("move here", "none"): (transactional, "newest"),
    ("put back", "left"): (suppressions, "reason"),
    ("put back", "none"): (suppressions, "reason"),
}
"""The first door and how the reader stands; at which call it is stopped."""
SECOND = (
    "sign up", "confirm", "not mine", "leave", "undo", "pause", "erase", "import", "move away", "move here", "put back",
)  # fmt: skip


@pytest.mark.parametrize(("first", "start"), FIRST)
async def test_two_doors_at_once_are_one_after_the_other(
    client: AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch, first: str, start: str
) -> None:
    # On SQLite the second can only wait. On PostgreSQL it gets the time to come to a lock of the first, or to its end.
    monkeypatch.setattr(interleave, "A_TURN", 0.02 if container.db.is_sqlite else 0.2)

    async def scene() -> Scene:
        return await Scene(client, container, start).set_up()

    def said(doors: tuple[str, ...], answers: Iterable[object]) -> list[tuple[str, str]]:
        return sorted(zip(doors, map(str, answers), strict=True))

    async def one_after_the_other(*doors: str) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        one = await scene()
        return said(doors, [await one.go(door) for door in doors]), await one.outcome()

    for second in SECOND:
        orders = [await one_after_the_other(first, second), await one_after_the_other(second, first)]
        one = await scene()
        with monkeypatch.context() as patched:
            stop = stop_at(patched, *FIRST[first, start])
            answers = await at_once(stop, one.go(first), partial(one.go, second))
        came = said((first, second), answers), await one.outcome()
        assert came in orders, f"{first} ({start}) and {second}"
