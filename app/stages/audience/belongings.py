"""What is kept about one person, as JSON or CSV. docs/privacy.md describes the shape."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from app.core.db import Session
from app.core.errors import NotFound
from app.core.signing import Suppressor
from app.models import Subscriber
from app.models.content import CHOOSABLE, sections_of
from app.stages.audience import address as addresses
from app.stages.audience.own_columns import guarded
from app.store import persons, subscribers, suppressions

VERSION = 1
Belongings = dict[str, Any]
_PROFILE = ("address", "status", "first_name", "zone", "frequency", "form", "language", "paused_until", "created_at",
            "confirmed_at", "left_at")  # fmt: skip
_CONSENT = ("at", "act", "method", "wording", "source", "placement", "utm", "ip", "user_agent", "message_id")
_SENT = ("slug", "day", "status", "attempt", "provider", "provider_id", "code", "due_at")
_NOTE = ("at", "attempt", "outcome", "code", "why")
_LETTER = ("kind", "recipient", "status", "attempt", "created_at", "provider", "provider_id", "code", "why")


async def of(session: Session, suppressor: Suppressor, reader: Subscriber) -> Belongings:
    """Everything, by part: `profile`, `suppression`, `consents`, `deliveries`, `delivery_notes`, `letters`."""
    barred = await suppressions.reason(session, suppressor.hash(reader.address_key))
    return {
        "version": VERSION,
        "profile": _profile(reader),
        "suppression": {"reason": barred},
        "consents": [_fields(one, _CONSENT) for one in await persons.consents(session, reader.id)],
        "deliveries": [_fields(one, _SENT) for one in await persons.deliveries(session, reader.id)],
        "delivery_notes": [
            {"slug": slug, **_fields(note, _NOTE)} for slug, note in await persons.notes(session, reader.id)
        ],
        "letters": [_fields(one, _LETTER) for one in await persons.letters(session, reader.id)],
    }


async def of_address(session: Session, suppressor: Suppressor, address: str) -> tuple[int, Belongings]:
    """The id of the reader of `address`, and everything. Raises InvalidInput, NotFound."""
    reader = await subscribers.find_key(session, addresses.parse(address).key)
    if reader is None:
        raise NotFound("No reader has that address.")
    return reader.id, await of(session, suppressor, reader)


def as_json(belongings: Belongings) -> str:
    return json.dumps(belongings, ensure_ascii=False, indent=2) + "\n"


def as_csv(belongings: Belongings) -> str:
    """One line a value: part, number of the row in it from 1, field, value. Formulas are made harmless."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("part", "row", "field", "value"))
    for part, number, field, value in _flat(belongings):
        writer.writerow((part, number, field, guarded(value)))
    return out.getvalue()


def _flat(belongings: Belongings) -> Iterator[tuple[str, int, str, str]]:
    for part, rows in belongings.items():
        if part == "version":
            continue
        for number, row in enumerate(rows if isinstance(rows, list) else [rows], 1):
            for field, value in row.items():
                yield part, number, field, _cell(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _profile(reader: Subscriber) -> dict[str, Any]:
    chosen = sections_of(reader.sections)
    minute = reader.minute
    return {
        **_fields(reader, _PROFILE),
        "deliver_at": None if minute is None else f"{minute // 60:02}:{minute % 60:02}",
        "sections": [section.value for section in CHOOSABLE if section in chosen],
    }


def _fields(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
