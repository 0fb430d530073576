"""What one instance exports another takes over, whole: on both engines, as a table and as JSON Lines."""

import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from app.core.clock import FixedClock
from app.core.db import Database
from app.models import Consent, Subscriber, TransactionalEmail
from app.models.content import Section, section_bits
from app.models.states import Frequency, MailForm, SubscriberStatus
from app.stages.audience import export_readers
from app.stages.audience.import_readers.columns import recognise
from app.stages.audience.import_readers.run import Arrival, Fate, Terms, begin, import_rows
from app.stages.audience.import_readers.survey import survey
from app.stages.audience.import_readers.table import open_table
from app.stages.audience.own_columns import COLUMNS, FIELDS, guarded, unguarded
from app.store import consents, placements, subscribers
from app.store.consents import Act
from app.store.reader_import import Choices
from tests.conftest import NOON
from tests.people import SUPPRESSOR

MOVE = Terms(confirm=False, basis="Moved from our own other machine.")
ASK = Terms(confirm=True)
LONG_AGO = NOON - timedelta(days=400, hours=3, microseconds=17)
YESTERDAY = NOON - timedelta(days=1)
PEOPLE: dict[str, dict[str, Any]] = {
    "ada": {
        "status": SubscriberStatus.ACTIVE, "minute": 435, "sections": section_bits(frozenset({Section.TOOLS})),
        "frequency": Frequency.WEEKLY, "form": MailForm.TEXT, "language": "de", "zone": "Europe/Berlin",
        "first_name": 'Ada "the" Ö, first', "confirmed_at": LONG_AGO + timedelta(hours=1),
    },
    "ben": {
        "status": SubscriberStatus.PAUSED, "paused_until": date(2031, 1, 10), "confirmed_at": LONG_AGO,
        "first_name": "'=1+1",
    },
    "cy": {"status": SubscriberStatus.LEFT, "confirmed_at": LONG_AGO, "left_at": YESTERDAY, "frequency": "weekdays"},
    "dee": {"status": SubscriberStatus.PENDING, "created_at": YESTERDAY},
    "eve": {"status": SubscriberStatus.PENDING, "created_at": LONG_AGO},
    "+fay": {"status": SubscriberStatus.ACTIVE, "confirmed_at": LONG_AGO, "first_name": "=Fay"},
}  # fmt: skip
ASKED = Act(
    "asked", "form", "v1:abc", "poster, left", "192.0.2.7", 'A "browser", 1.0', "", "poster-7", {"utm_source": "x"}
)
CONFIRMED = Act("confirmed", "link", "v1:abc", "", "192.0.2.7", "", "<m@post.example.org>")


async def settle(db: Database) -> None:
    """Everybody above, each with a consent record of two acts."""
    async with db.write() as session:
        for name, values in PEOPLE.items():
            key = f"{name}@post.example.org"
            await subscribers.add_pending(
                session, address=key, key=key, ref=f"ref-of-{name.strip('+')}-0", zone="", now=LONG_AGO
            )
            reader = await subscribers.find_key(session, key)
            assert reader is not None
            for field, value in values.items():
                setattr(reader, field, value)
            await consents.record(session, reader.id, ASKED, LONG_AGO)
            await consents.record(session, reader.id, CONFIRMED, LONG_AGO + timedelta(hours=1))


async def export(db: Database, path: Path) -> Path:
    """As the command does, in the form that the file's name says."""
    out = io.StringIO(newline="")
    if path.suffix == ".csv":
        export_readers.write_csv_header(out)
    write = export_readers.write_csv if path.suffix == ".csv" else export_readers.write_jsonl
    async for page in export_readers.pages(db, 2):
        write(out, page)
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    return path


async def move_in(db: Database, path: Path, terms: Terms, *, dry: bool = False) -> Arrival:
    table = open_table(path)
    plan = survey(table, recognise(table.header, None), order=None, answers={}, dates_count=not terms.confirm)
    arrival = begin(table, plan, terms, lambda row, reason: None, dry=dry)
    async for _ in import_rows(db, SUPPRESSOR, FixedClock(NOON), table.rows(), arrival, 4):
        pass
    assert not arrival.reader.unread
    return arrival


async def empty(db: Database) -> None:
    """As a new machine is."""
    async with db.write() as session:
        for table in (TransactionalEmail, Consent, Subscriber):
            await session.execute(delete(table))


async def everybody(db: Database) -> dict[str, tuple[dict[str, Any], list[tuple[Any, ...]]]]:
    """All columns of each reader, and of their consents, but for numbers that only count."""
    found = {}
    async with db.read() as session:
        for reader in (await session.scalars(select(Subscriber))).all():
            mine = select(Consent).where(Consent.subscriber_id == reader.id).order_by(Consent.id)
            acts = [
                tuple(
                    getattr(act, column.name)
                    for column in Consent.__table__.columns
                    if column.name not in ("id", "subscriber_id")
                )
                for act in (await session.scalars(mine)).all()
            ]
            values = {column.name: getattr(reader, column.name) for column in Subscriber.__table__.columns}
            del values["id"]
            found[reader.address.partition("@")[0]] = (values, acts)
    return found


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
async def test_another_machine_takes_over_everything(db: Database, tmp_path: Path, kind: str) -> None:
    """Choices, pauses, dates, names in links, and the record of consents, to which the import adds one line.

    Who left is still somebody who left. Who is waiting to confirm is asked again, with one mail; a sign-up that has
    expired stays behind.
    """
    await settle(db)
    before = await everybody(db)
    path = await export(db, tmp_path / f"readers.{kind}")
    await empty(db)
    tried = await move_in(db, path, MOVE, dry=True)
    assert await everybody(db) == {}
    arrival = await move_in(db, path, MOVE)
    assert arrival.fates == tried.fates == {Fate.ADDED: 4, Fate.LEFT: 1, Fate.UNCONFIRMED: 1}
    after = await everybody(db)
    assert after.keys() == before.keys() - {"eve"}
    for name, (values, acts) in after.items():
        if name == "dee":
            values["created_at"] = YESTERDAY
        assert values == before[name][0]
        assert acts[:-1] == before[name][1]
        assert acts[-1][:5] == ("imported", NOON, "import", MOVE.wording, "morningpost")
    async with db.read() as session:
        mails = (await session.scalars(select(TransactionalEmail))).all()
        owed = [await session.get(Subscriber, mail.subscriber_id) for mail in mails]
    assert [reader.address for reader in owed if reader] == ["dee@post.example.org"]
    again = await move_in(db, path, MOVE)
    assert again.fates == {Fate.KNOWN: 5, Fate.UNCONFIRMED: 1}


async def test_who_is_asked_again_keeps_their_choices(db: Database, tmp_path: Path) -> None:
    """Nobody is active without a confirmation, and whoever left is not asked."""
    await settle(db)
    path = await export(db, tmp_path / "readers.csv")
    await empty(db)
    arrival = await move_in(db, path, ASK)
    assert arrival.fates == {Fate.ADDED: 5, Fate.LEFT: 1}
    after = await everybody(db)
    assert {name: values["status"] for name, (values, _) in after.items()} == dict.fromkeys(
        PEOPLE, SubscriberStatus.PENDING
    ) | {"cy": SubscriberStatus.LEFT}
    assert (after["ada"][0]["minute"], after["ada"][0]["frequency"]) == (435, Frequency.WEEKLY)
    async with db.read() as session:
        assert len((await session.scalars(select(TransactionalEmail))).all()) == 5


async def test_placements_count_those_who_moved(db: Database, tmp_path: Path) -> None:
    """A placement of the same code has its people again."""
    await settle(db)
    path = await export(db, tmp_path / "readers.csv")
    await empty(db)
    await move_in(db, path, MOVE)
    async with db.write() as session:
        await placements.add(session, "poster-7", "A poster", NOON)
    async with db.read() as session:
        (count,) = await placements.counts(session, 10)
    assert (count.asked, count.confirmed) == (5, 0)


def test_every_column_of_a_reader_is_in_the_table() -> None:
    """A new column of the database is one of the export too. Left out is what the import makes anew."""
    made = {"id", "address_key", "domain_group"}
    renamed = {"minute": "deliver_at"}
    columns = {column.name for column in Subscriber.__table__.columns} - made
    assert {renamed.get(name, name) for name in columns} == set(FIELDS) - {"source", "consents"}
    kept = {"at", *Act.__dataclass_fields__}
    assert kept == {column.name for column in Consent.__table__.columns} - {"id", "subscriber_id"}
    assert {column.field for column in COLUMNS if column.field} == set(Choices._fields)


@pytest.mark.parametrize(
    ("cells", "choices"),
    [
        ({"deliver_at": "7:15:00"}, Choices(minute=435)),
        ({"deliver_at": "later", "form": "smoke", "language": "tlh", "frequency": "hourly"}, Choices()),
        ({"sections": "tools sports"}, Choices(sections=section_bits(frozenset({Section.TOOLS})))),
        ({"sections": "sports"}, Choices()),
        ({"status": "paused", "paused_until": "10.1.2031"}, Choices(paused_until=date(2031, 1, 10))),
        ({"status": "active", "paused_until": "2031-01-10"}, Choices()),
        ({"consents": "[{"}, Choices()),
        ({"consents": '[{"at": "soon", "act": "asked"}]'}, Choices()),
        ({"ref": "no name"}, Choices()),
    ],
)
async def test_what_a_spreadsheet_did_to_it_loses_nobody(
    db: Database, tmp_path: Path, cells: dict[str, str], choices: Choices
) -> None:
    """What cannot be read is left out, as the publication has it."""
    row = dict.fromkeys(FIELDS, "") | {"address": "ada@post.example.org", "status": "active"} | cells
    path = tmp_path / "readers.csv"
    path.write_text(f"{';'.join(FIELDS)}\n{';'.join(row.values())}\n", encoding="utf-8")
    table = open_table(path)
    arrival = Arrival(recognise(table.header, None), MOVE, lambda row, reason: None)
    async for _ in import_rows(db, SUPPRESSOR, FixedClock(NOON), table.rows(), arrival):
        pass
    assert arrival.fates == {Fate.ADDED: 1}
    values, _ = (await everybody(db))["ada"]
    assert {field: values[field] for field in Choices._fields} == choices._asdict()


@pytest.mark.parametrize("text", ["=1", "'=1", "''=1", "'tis", "-", "plain", "", "'", "+4", "@x", "'a=1"])
def test_a_cell_that_is_no_formula_comes_back_as_it_was(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@"))
