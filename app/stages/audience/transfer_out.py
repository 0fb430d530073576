"""Moving out: every reader, one row each, in pages, so that memory does not grow with their number."""

import csv
import json
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import TextIO

from app.core.db import Database
from app.models.content import CHOOSABLE, sections_of
from app.store import transfer as rows
from app.store.transfer import Standing

PAGE = 2000
FIELDS = (
    "address", "status", "first_name", "zone", "deliver_at", "sections", "frequency", "form", "language",
    "paused_until", "created_at", "confirmed_at", "left_at", "source",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # OWASP, CSV Injection


async def pages(db: Database, size: int = PAGE) -> AsyncIterator[list[dict[str, str | None]]]:
    """Every reader by FIELDS, `size` at a time. None means the paper's own, or never."""
    after = 0
    while True:
        async with db.read() as session:
            found = await rows.page(session, after, size)
        if not found:
            return
        yield [_fields(one) for one in found]
        after = found[-1].id


def write_csv_header(to: TextIO) -> None:
    csv.writer(to).writerow(FIELDS)


def write_csv(to: TextIO, page: list[dict[str, str | None]]) -> None:
    """Cells that a spreadsheet would take for a formula get an apostrophe in front."""
    csv.writer(to).writerows([guarded(one[field] or "") for field in FIELDS] for one in page)


def write_jsonl(to: TextIO, page: list[dict[str, str | None]]) -> None:
    """One JSON object a line, exactly as it is stored."""
    to.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in page)


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _fields(one: Standing) -> dict[str, str | None]:
    chosen = sections_of(one.sections)
    return {
        "address": one.address,
        "status": one.status.value,
        "first_name": one.first_name,
        "zone": one.zone or None,
        "deliver_at": None if one.minute is None else f"{one.minute // 60:02}:{one.minute % 60:02}",
        "sections": " ".join(section.value for section in CHOOSABLE if section in chosen),
        "frequency": one.frequency.value,
        "form": one.form.value,
        "language": one.language or None,
        "paused_until": _iso(one.paused_until),
        "created_at": _iso(one.created_at),
        "confirmed_at": _iso(one.confirmed_at),
        "left_at": _iso(one.left_at),
        "source": one.source,
    }


def _iso(at: date | datetime | None) -> str | None:
    return None if at is None else at.isoformat()
