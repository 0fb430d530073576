"""Moving in and out, on both engines: nobody comes back who left, and repeating changes nothing."""

import io
import json
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core.clock import FixedClock
from app.core.db import Database
from app.core.errors import InvalidInput
from app.core.signing import Suppressor
from app.models import Consent, TransactionalEmail
from app.models.states import SubscriberStatus
from app.stages.audience import export_readers
from app.stages.audience.consent import CONFIRMATION
from app.stages.audience.import_readers.columns import recognise
from app.stages.audience.import_readers.run import Arrival, Fate, Terms, import_rows
from app.stages.audience.import_readers.table import Row
from app.store import mail_domains, subscribers, suppressions
from tests.conftest import NOON

SUPPRESSOR = Suppressor("k" * 32)
ASK = Terms(confirm=True)
DECLARE = Terms(confirm=False, basis="They signed up on the old site.")
ROWS = ["ann,active", "bea,unsubscribed", "cat,bounced", "dan,unconfirmed", "ANN,active", "eve,active", "@,active"]


async def bring(db: Database, terms: Terms, rows: list[str] = ROWS, *, dry: bool = False, window: int = 2) -> Arrival:
    """Imports names at one domain, and gives what became of them."""
    columns = recognise(["email", "status", "first_name", "created"], None)
    arrival = Arrival(columns, terms, lambda row, reason: None, dry=dry)
    cells = [line.split(",") for line in rows]
    file = [Row(n, [f"{name}@post.example.org", status, "Zoë", "2024-01-02"]) for n, (name, status) in enumerate(cells)]
    async for _ in import_rows(db, SUPPRESSOR, FixedClock(NOON), iter(file), arrival, window):
        pass
    return arrival


async def everybody(db: Database) -> list[dict[str, str | None]]:
    return [one async for page in export_readers.pages(db, 1) for one in page]


async def test_readers_are_asked_to_confirm(db: Database) -> None:
    """Pending from today, with a consent that says where they come from, and one mail owed."""
    arrival = await bring(db, ASK)
    assert arrival.fates == Counter({Fate.ADDED: 3, Fate.LEFT: 1, Fate.BOUNCED: 1, Fate.REPEATED: 1, Fate.REJECTED: 1})
    async with db.read() as session:
        ann = await subscribers.find_key(session, "ann@post.example.org")
        assert ann is not None
        assert (ann.status, ann.created_at, ann.first_name) == (SubscriberStatus.PENDING, NOON, "Zoë")
        mails = (await session.scalars(select(TransactionalEmail))).all()
        consents = (await session.scalars(select(Consent))).all()
    assert {(mail.kind, mail.due_at, mail.expires_at) for mail in mails} == {
        (CONFIRMATION, NOON, NOON + timedelta(days=7))
    }
    assert len({mail.ref for mail in mails}) == 3
    assert {(one.act, one.method, one.source, one.wording, one.at) for one in consents} == {
        ("imported", "import", "csv", "", NOON)
    }
    assert consents[0].utm == {}


async def test_who_comes_from_a_firm_that_is_known_counts_with_whoever_keeps_its_mail(db: Database) -> None:
    async with db.write() as session:
        await mail_domains.keep(session, {"post.example.org": "gmail"}, NOON)
    await bring(db, ASK)
    async with db.read() as session:
        ann = await subscribers.find_key(session, "ann@post.example.org")
    assert ann is not None
    assert ann.domain_group == "gmail"


async def test_a_declared_basis_makes_readers_active_and_is_in_the_record(db: Database) -> None:
    """With their own dates and without a mail; whoever never confirmed there stays out."""
    arrival = await bring(db, DECLARE)
    assert arrival.fates[Fate.ADDED] == 2
    assert arrival.fates[Fate.UNCONFIRMED] == 1
    found = await everybody(db)
    assert {(one["status"], one["created_at"], one["confirmed_at"]) for one in found} == {
        ("active", "2024-01-02T00:00:00+00:00", "2024-01-02T00:00:00+00:00")
    }
    async with db.read() as session:
        consents = (await session.scalars(select(Consent))).all()
        assert not (await session.scalars(select(TransactionalEmail))).all()
    assert {one.wording for one in consents} == {DECLARE.wording}
    assert len(DECLARE.wording) <= 64


def test_without_a_mail_a_basis_is_demanded() -> None:
    """Consent is shown, not assumed."""
    with pytest.raises(InvalidInput, match="--basis"):
        Terms(confirm=False, basis=" ")


async def test_importing_twice_is_importing_once(db: Database) -> None:
    """So a run that was cut off is begun again."""
    await bring(db, ASK, ROWS[:1])
    await bring(db, ASK)
    before = await everybody(db)
    again = await bring(db, ASK)
    assert again.fates[Fate.ADDED] == 0
    assert again.fates[Fate.KNOWN] == 3
    assert await everybody(db) == before
    async with db.read() as session:
        assert len((await session.scalars(select(Consent))).all()) == 3
        assert len((await session.scalars(select(TransactionalEmail))).all()) == 3


@pytest.mark.parametrize("terms", [ASK, DECLARE], ids=["asked", "declared"])
@pytest.mark.parametrize("status", list(SubscriberStatus))
async def test_nobody_who_is_known_here_changes(db: Database, status: SubscriberStatus, terms: Terms) -> None:
    """Least of all whoever left."""
    async with db.write() as session:
        await subscribers.add_pending(
            session, address="ann@post.example.org", key="ann@post.example.org", ref="r", zone="", now=NOON
        )
        ann = await subscribers.find_key(session, "ann@post.example.org")
        assert ann is not None
        ann.status = status
    before = await everybody(db)
    assert (await bring(db, terms, ["ann,active"])).fates == Counter({Fate.KNOWN: 1})
    assert await everybody(db) == before


@pytest.mark.parametrize("dry", [True, False])
async def test_a_suppressed_address_stays_away(db: Database, dry: bool) -> None:
    """The list knows it by its hash alone."""
    async with db.write() as session:
        await suppressions.add(session, SUPPRESSOR.hash("ann@post.example.org"), "erased", NOON)
    arrival = await bring(db, DECLARE, ["Ann,active"], dry=dry)
    assert arrival.fates[Fate.SUPPRESSED] == 1
    assert await everybody(db) == []


async def test_a_dry_run_reports_the_same_and_writes_nothing(db: Database) -> None:
    """Down to each number."""
    dry = await bring(db, ASK, dry=True)
    assert await everybody(db) == []
    assert dry.fates == (await bring(db, ASK)).fates


async def test_the_export_guards_formulas_in_csv_and_not_in_json(db: Database) -> None:
    """An address may begin with a plus; a spreadsheet must not compute it."""
    await bring(db, ASK, ["+ann,active"])
    table, lines = io.StringIO(newline=""), io.StringIO()
    async for page in export_readers.pages(db):
        export_readers.write_csv(table, page)
        export_readers.write_jsonl(lines, page)
    assert table.getvalue().startswith("'+ann@post.example.org,pending,Zoë,")
    assert json.loads(lines.getvalue())["address"] == "+ann@post.example.org"
    assert json.loads(lines.getvalue())["source"] == "csv"
