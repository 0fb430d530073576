"""Moving out: every reader, one row each, in pages, so that memory does not grow with their number."""

import csv
import json
from collections.abc import AsyncIterator
from typing import TextIO

from app.core.db import Database
from app.stages.audience.own_columns import COLUMNS, FIELDS, guarded
from app.store import reader_import

PAGE = 2000


async def pages(db: Database, size: int = PAGE) -> AsyncIterator[list[dict[str, str | None]]]:
    """Every reader by the names of the columns, `size` at a time. None means the publication's own, or never."""
    after = 0
    while True:
        async with db.read() as session:
            found = await reader_import.page(session, after, size)
        if not found:
            return
        yield [{column.name: column.write(one) for column in COLUMNS} for one in found]
        after = found[-1].id


def write_csv_header(to: TextIO) -> None:
    csv.writer(to).writerow(FIELDS)


def write_csv(to: TextIO, page: list[dict[str, str | None]]) -> None:
    """Cells that a spreadsheet would take for a formula get an apostrophe in front."""
    csv.writer(to).writerows([guarded(one[field] or "") for field in FIELDS] for one in page)


def write_jsonl(to: TextIO, page: list[dict[str, str | None]]) -> None:
    """One JSON object a line, exactly as it is stored."""
    to.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in page)
