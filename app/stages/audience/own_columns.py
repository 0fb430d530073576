"""The columns of our own export, in their order: how each is written on the way out and read on the way in. Pure.

What is written here is what another instance takes over; a test holds the table to the columns of the database.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.core.languages import find
from app.core.text import cleaned
from app.models.content import CHOOSABLE, section_bits, sections_of
from app.models.states import Frequency, MailForm
from app.stages.audience import dates
from app.store.consents import Act
from app.store.reader_import import Exported, PastAct

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # OWASP, CSV Injection
_LIMITS = {"act": 24, "method": 24, "wording": 64, "source": 120, "placement": 40, "ip": 45, "user_agent": 400,
           "message_id": 200}  # fmt: skip
"""Characters, as the table of consents has them."""
_REF = re.compile(r"[A-Za-z0-9_-]{8,24}")
_LONGEST_UTM = 4_000


class Unreadable(ValueError):
    """A cell that cannot be read as what its column is. Nobody is refused for it."""


@dataclass(frozen=True, slots=True)
class OwnColumn:
    """One column. `meaning` is what an import calls it; `read` is only for what no other product's export has."""

    name: str
    meaning: str
    write: Callable[[Exported], str | None]
    read: Callable[[str], Any] | None = None
    field: str = ""
    """Of Choices, where it is read into one."""


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, and that `unguarded` gives back as it was."""
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA) else cell


def unguarded(cell: str) -> str:
    """A cell without the apostrophe that an export puts before what a spreadsheet would take for a formula."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell


def _iso(at: date | datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _minute(one: Exported) -> str | None:
    return None if one.minute is None else f"{one.minute // 60:02}:{one.minute % 60:02}"


def _section_names(one: Exported) -> str:
    chosen = sections_of(one.sections)
    return " ".join(section.value for section in CHOOSABLE if section in chosen)


def _read_sections(text: str) -> int:
    """A section that this version does not have is left out; where none is left, all of them come."""
    names = set(text.replace(",", " ").split())
    known = frozenset(section for section in CHOOSABLE if section.value in names)
    if not known:
        raise Unreadable(text)
    return section_bits(known)


def _read_minute(text: str) -> int:
    try:
        return dates.read_minute(text)
    except ValueError:
        raise Unreadable(text) from None


def _read_frequency(text: str) -> Frequency:
    try:
        return Frequency(text.lower())
    except ValueError:
        raise Unreadable(text) from None


def _read_form(text: str) -> MailForm:
    try:
        return MailForm(text.lower())
    except ValueError:
        raise Unreadable(text) from None


def _read_language(text: str) -> str:
    found = find(text)
    if found is None:
        raise Unreadable(text)
    return found.tag


def _read_day(text: str) -> date:
    try:
        return dates.read(text).date()
    except ValueError:
        raise Unreadable(text) from None


def _write_consents(one: Exported) -> str:
    return json.dumps([_act(past) for past in one.consents], ensure_ascii=False)


def _act(past: PastAct) -> dict[str, Any]:
    """Without what is empty."""
    values = {name: getattr(past.act, name) for name in _LIMITS} | {"utm": dict(past.act.utm)}
    return {"at": past.at.isoformat(), **{name: value for name, value in values.items() if value}}


def read_ref(text: str) -> str:
    """The name of a reader in links. Kept with SECRET_KEY, it keeps links in mail that was sent working."""
    if not _REF.fullmatch(text):
        raise Unreadable(text)
    return text


def read_consents(text: str) -> tuple[PastAct, ...]:
    """The consent record, the oldest first. Raises Unreadable unless all of it can be read."""
    try:
        found = json.loads(text)
        return tuple(_past_act(one) for one in found)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Unreadable(text) from None


def _past_act(one: Mapping[str, Any]) -> PastAct:
    texts = {name: cleaned(str(one.get(name) or ""))[:most] for name, most in _LIMITS.items()}
    utm = {cleaned(str(key)): cleaned(str(value)) for key, value in (one.get("utm") or {}).items()}
    if not texts["act"] or len(json.dumps(utm)) > _LONGEST_UTM:
        raise Unreadable(str(one))
    placement = texts.pop("placement") or None
    return PastAct(dates.read(one["at"]), Act(**texts, placement=placement, utm=utm))


COLUMNS: tuple[OwnColumn, ...] = (
    OwnColumn("address", "address", lambda one: one.address),
    OwnColumn("status", "status", lambda one: one.status.value),
    OwnColumn("first_name", "first_name", lambda one: one.first_name),
    OwnColumn("zone", "zone", lambda one: one.zone or None),
    OwnColumn("deliver_at", "deliver_at", _minute, _read_minute, "minute"),
    OwnColumn("sections", "sections", _section_names, _read_sections, "sections"),
    OwnColumn("frequency", "frequency", lambda one: one.frequency.value, _read_frequency, "frequency"),
    OwnColumn("form", "form", lambda one: one.form.value, _read_form, "form"),
    OwnColumn("language", "language", lambda one: one.language or None, _read_language, "language"),
    OwnColumn("paused_until", "paused_until", lambda one: _iso(one.paused_until), _read_day, "paused_until"),
    OwnColumn("created_at", "created", lambda one: _iso(one.created_at)),
    OwnColumn("confirmed_at", "confirmed", lambda one: _iso(one.confirmed_at)),
    OwnColumn("left_at", "left", lambda one: _iso(one.left_at)),
    OwnColumn("source", "source", lambda one: one.consents[0].act.source if one.consents else None),
    OwnColumn("consents", "consents", _write_consents),
    OwnColumn("ref", "ref", lambda one: one.ref),
)
FIELDS = tuple(one.name for one in COLUMNS)
