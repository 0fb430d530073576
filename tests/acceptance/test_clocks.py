"""One clock for a fleet: real processes on PostgreSQL, of which one goes by a machine whose clock is wrong.

Their machine's clock is libfaketime's; the database's and the receiving server's is this machine's.
"""

import email
import email.policy
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select

from app.core.db import Database
from app.core.publication import Publication
from app.core.settings import load_settings
from app.models import Delivery, Edition, LivingWorker, Subscriber, TransactionalEmail
from app.models.states import DeliveryStatus, EditionStatus, Frequency
from app.stages.render.freeze import freeze
from app.web import nonce
from tests.acceptance.house import House
from tests.conftest import Postgres, run
from tests.people import add_edition, add_reader, prefer
from tests.providers.servers import in_thread
from tests.providers.smtp_server import Received, SmtpServer
from tests.stages.collect.standin import closed_port

T = TypeVar("T")
TRUE: Mapping[str, str] = {}
"""The environment of a process whose clock is right."""
DUE = 40
"""Readers whose hour has come."""
LOOKS_ON = 8.0
"""Seconds that workers go on after all is done that is to be done: each of their ticks comes several times."""


def wrong(offset: str) -> dict[str, str]:
    """The environment of a process whose clock is off by so much: `+1d`, `-2h`. Its monotonic clock is right."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        why = "needs Debian's faketime"
        assert os.environ.get("CI", "").lower() in ("", "0", "false"), why
        pytest.skip(why)
    return {"LD_PRELOAD": str(found[0]), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class Post(SmtpServer):
    """Notes when each mail came."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[datetime] = []

    def keep(self, mail: Received) -> None:
        self.at.append(datetime.now(UTC))
        super().keep(mail)

    @property
    def mails(self) -> list[tuple[str, datetime, EmailMessage]]:
        """To whom, when, and what."""
        parsed = (email.message_from_bytes(one.content, policy=email.policy.default) for one in self.received)
        return list(zip((one.recipient for one in self.received), self.at, parsed, strict=False))

    def to(self, address: str, what: str) -> list[EmailMessage]:
        return [mail for to, _, mail in self.mails if to == address and re.search(what, str(mail["Subject"]))]


@dataclass
class Fleet:
    """A fleet at its noon: the edition of its day is frozen, and went out at nine to whoever reads at nine."""

    url: str
    folder: Path
    smtp: Post
    houses: ExitStack
    due: dict[str, datetime] = field(default_factory=dict)
    """When each reader is due."""

    def __post_init__(self) -> None:
        began = datetime.now(UTC)
        ahead = 12 - began.hour
        self.zone = ZoneInfo(f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT")
        self.began = began.astimezone(self.zone)
        self.settings = {
            "PROVIDERS": f"smtp://127.0.0.1:{self.smtp.port}?tls=none&connections=2",
            "HUGGINGFACE_URL": closed_port(),
            "GITHUB_URL": closed_port(),
            "TIMEZONE": str(self.zone),
            "COMPOSE_AT": "08:00",
            "FREEZE_AT": "08:30",
            "DELIVER_AT": "09:00",
            "OPERATOR_EMAILS": "operator@example.org",
        }

    @property
    def day(self) -> date:
        return self.began.date()

    def house(self, name: str) -> House:
        """A machine of the fleet: a port of its own, and a log."""
        folder = self.folder / name
        folder.mkdir()
        return self.houses.enter_context(House(folder, self.url, **self.settings))

    def prepare(self) -> None:
        self.ask_db(self._prepare)

    async def _prepare(self, db: Database) -> None:
        for number in range(DUE):
            address = f"reader{number}@example.net"
            await add_reader(db, address)
            self.due[address] = self.began.replace(hour=9, minute=0, second=0, microsecond=0)
        for minutes in (8, 90, 8 * 60):
            address, at = f"later{minutes}@example.net", self.began + timedelta(minutes=minutes)
            reader = await add_reader(db, address)
            await prefer(db, reader, Frequency.DAILY, minute=at.hour * 60 + at.minute, zone=str(self.zone))
            self.due[address] = at.replace(second=0, microsecond=0)
        edition = await add_edition(db, self.day, status=EditionStatus.READY)
        await freeze(db, edition.id, self._publication(), self.began, force=True)

    def _publication(self) -> Publication:
        return load_settings(secret_keys="k" * 40, postal_address="1 Press Lane, Testford").publication

    def ask_db(self, work: Callable[[Database], Awaitable[T]]) -> T:
        async def inside() -> T:
            db = Database(self.url)
            try:
                return await work(db)
            finally:
                await db.close()

        found: T = run(inside())
        return found

    def ask(self, question: Any) -> list[Any]:
        """The rows of a question for one column."""

        async def inside(db: Database) -> list[Any]:
            async with db.read() as session:
                return list((await session.scalars(question)).all())

        return self.ask_db(inside)

    def papers(self) -> dict[str, datetime]:
        """When each reader got the paper."""
        return {to: at for to, at, mail in self.smtp.mails if mail["List-Unsubscribe-Post"]}


@pytest.fixture
def fleet(postgres: Postgres, tmp_path: Path) -> Iterator[Fleet]:
    with in_thread(Post()) as smtp, postgres.database() as url, ExitStack() as houses:
        yield Fleet(url, tmp_path, smtp, houses)


@pytest.mark.parametrize("offset", ["+1d", "+2h", "+10m", "-1d"])
def test_a_worker_whose_clock_is_wrong_hands_over_what_is_due_and_nothing_else(fleet: Fleet, offset: str) -> None:
    """First alone, then beside a true one: nobody early, nothing expired, nobody lost, and only today's edition."""
    fleet.prepare()
    house, true = fleet.house("wrong"), fleet.house("true")
    house.start("worker", environment=wrong(offset))
    due = {address for address, at in fleet.due.items() if at <= datetime.now(UTC)}
    assert len(due) == DUE
    house.wait("what is due", lambda: fleet.papers().keys() >= due)
    time.sleep(LOOKS_ON)
    true.start("worker", environment=TRUE)
    true.wait("both", lambda: len(fleet.ask(select(LivingWorker.owner))) == 2)
    time.sleep(LOOKS_ON)

    papers = fleet.papers()
    early = {address: at for address, at in papers.items() if at < fleet.due[address]}
    assert early == {}
    assert set(fleet.ask(select(Delivery.status).distinct())) == {DeliveryStatus.ACCEPTED}
    assert papers.keys() >= due
    assert fleet.ask(select(Edition.date)) == [fleet.day]
    assert fleet.ask(select(Edition.status)) == [EditionStatus.SENDING]
    for _, at, mail in fleet.smtp.mails:
        assert abs(parsedate_to_datetime(str(mail["Date"])) - at) < timedelta(minutes=1)
    house.wait("the letter", lambda: fleet.smtp.to("operator@example.org", "The clock of .* is wrong by"))
    assert len(fleet.smtp.to("operator@example.org", "clock")) == 1
    assert "this machine's clock is wrong" in house.logs()
    assert "this machine's clock is wrong" not in true.logs()


def test_a_web_process_a_day_ahead_signs_up_as_the_others_do(fleet: Fleet) -> None:
    """Its forms are good elsewhere, and theirs at it; the mail leaves at once; it is ready, and says what is wrong."""
    ahead, true = fleet.house("ahead"), fleet.house("true")
    ahead.start("serve", "--no-worker", environment=wrong("+1d"))
    true.start("serve", "--no-worker", environment=TRUE)
    true.start("worker", environment=TRUE)
    for house in (ahead, true):
        house.wait("the site", house.is_up)
    assert ahead.web.get("/readyz").json()["parts"]["clock"] == "off"
    for printed, pressed, name in ((ahead, true, "ada"), (true, ahead, "ben")):
        address = f"{name}@example.net"
        form = re.search(r'name="form" value="([^"]+)"', printed.web.get("/").text)
        assert form is not None
        time.sleep(nonce.FILLED_AFTER.total_seconds() + 1)
        fields = {"email": address, "website": "", nonce.FIELD: form[1]}
        assert pressed.web.post("/subscribe", data=fields).status_code == 200
        true.wait("the link", lambda address=address: fleet.smtp.to(address, "Confirm"))  # type: ignore[misc]
        part = fleet.smtp.to(address, "Confirm")[0].get_body(("plain",))
        assert part is not None
        link = re.search(r"https://\S+/confirm/\S+", part.get_content())
        assert link is not None
        page = ahead.web.get(httpx.URL(link[0]).path)
        assert ahead.web.post(ahead.form(page)).status_code == 200
        true.wait("the welcome", lambda address=address: len(fleet.smtp.to(address, "")) == 2)  # type: ignore[misc]
    # The mail is there a moment before its outcome is written down.
    true.wait("the outcomes", lambda: set(fleet.ask(select(TransactionalEmail.status))) == {DeliveryStatus.ACCEPTED})
    consented = fleet.ask(select(Subscriber.confirmed_at))
    assert all(isinstance(at, datetime) and abs(at - datetime.now(UTC)) < timedelta(minutes=10) for at in consented)
