"""Moving in, whatever the file holds: every row has one fate, nothing breaks, and what went out comes in again."""

import asyncio
import csv
import io
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.clock import FixedClock
from app.core.db import Database
from app.core.errors import InvalidInput
from app.stages.audience import export_readers
from app.stages.audience.import_readers.columns import recognise
from app.stages.audience.import_readers.run import Arrival, Fate, Terms, import_rows
from app.stages.audience.import_readers.table import open_table
from tests.conftest import NOON
from tests.people import SUPPRESSOR

DECLARE = Terms(confirm=False, basis="They signed up on the old site.")

cells = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30)
names = st.from_regex(r"[a-z0-9+=_.'-]{1,12}", fullmatch=True)
addresses = st.one_of(cells, st.builds("{}@post.example.org".format, names))
tables = st.lists(st.tuples(addresses, st.sampled_from(["active", "unsubscribed", "", "odd"]), cells), max_size=12)


@contextmanager
def written(content: bytes) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "members.csv"
        path.write_bytes(content)
        yield path


def as_csv(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode()


async def bring_in(db: Database, path: Path, rejected: list[str]) -> tuple[Counter[Fate], int]:
    """Brings a file in; gives the fates and how many rows it had."""
    table = open_table(path)
    arrival = Arrival(recognise(table.header, None), DECLARE, lambda row, reason: rejected.append(reason))
    async for _ in import_rows(db, SUPPRESSOR, FixedClock(NOON), table.rows(), arrival, 5):
        pass
    return arrival.fates, len(list(table.rows()))


@given(st.one_of(st.binary(max_size=400), st.binary(max_size=300).map(lambda tail: b"email,status\n" + tail)))
def test_any_bytes_are_a_file_of_rows_or_refused_in_a_sentence(content: bytes) -> None:
    """Each row is a person or has a reason."""
    with written(content) as path:
        try:
            table = open_table(path)
            reasons: list[str] = []
            arrival = Arrival(recognise(table.header, None), DECLARE, lambda row, reason: reasons.append(reason))
            rows = list(table.rows())
            people = [arrival.look_at(row) for row in rows]
        except InvalidInput:
            return
    assert sum(person is not None for person in people) + sum(arrival.fates.values()) == len(people)
    assert len(reasons) == arrival.fates[Fate.REJECTED] + arrival.fates[Fate.REPEATED]
    assert all(reasons)
    assert table.head_lines + table.blank + sum(row.lines for row in rows) == table.lines


def test_every_row_has_one_fate_and_the_second_time_nobody_is_added(database_url: str) -> None:
    """Whatever the cells hold: the counts add up, on the first run and on every repetition of it."""
    db = Database(database_url)

    async def twice(path: Path) -> tuple[Counter[Fate], Counter[Fate], int]:
        first, count = await bring_in(db, path, [])
        again, _ = await bring_in(db, path, [])
        return first, again, count

    with asyncio.Runner() as runner:

        @given(tables)
        @settings(max_examples=25)
        def check(rows: list[tuple[str, ...]]) -> None:
            with written(as_csv(("email", "status", "first_name"), rows)) as path:
                first, again, count = runner.run(twice(path))
            assert sum(first.values()) == sum(again.values()) == count
            assert again[Fate.ADDED] == 0
            assert again[Fate.REJECTED] == first[Fate.REJECTED]

        check()
        runner.run(db.close())


async def test_what_goes_out_comes_in_again(db: Database, sqlite_template: Path, tmp_path: Path) -> None:
    """Addresses and names survive a file that is safe in a spreadsheet, also those that look like a formula."""
    people = {"ann": "Zoë", "+bea": "=1+1", "-cat": "@home", "=dan": "", "o'eve": 'Eve, "the" first', "fay": "'tis"}
    rows: list[tuple[str, ...]] = [(f"{name}@post.example.org", given) for name, given in people.items()]
    with written(as_csv(("email", "first_name"), rows)) as path:
        fates, _ = await bring_in(db, path, [])
    assert fates == Counter({Fate.ADDED: len(people)})
    out = io.StringIO()
    export_readers.write_csv_header(out)
    async for page in export_readers.pages(db, 2):
        export_readers.write_csv(out, page)
    shutil.copy(sqlite_template, tmp_path / "other.db")
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    with written(out.getvalue().encode()) as path:
        fates, _ = await bring_in(other, path, [])
    assert fates == Counter({Fate.ADDED: len(people)})
    assert await everybody(other) == await everybody(db)
    await other.close()


async def everybody(db: Database) -> dict[str | None, str | None]:
    return {one["address"]: one["first_name"] async for page in export_readers.pages(db) for one in page}
