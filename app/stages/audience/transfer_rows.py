"""One row of another product's export: a reader, somebody who must not be written to, or a mistake. Pure."""

from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from app.core.calendar import zone_named
from app.core.errors import InvalidInput
from app.core.text import cleaned
from app.stages.audience import transfer_address
from app.stages.audience.transfer_columns import Columns, Meaning, Product
from app.stages.audience.transfer_file import Row

_LONGEST_NAME = 80
_LONGEST_ZONE = 64
_YES = frozenset({"true", "yes", "1", "t", "y"})
_NO = frozenset({"false", "no", "0", "f", "n"})
_EMPTY = [""]
_GUARDED = ("'=", "'+", "'-", "'@")  # OWASP, CSV Injection
_ORDER = (
    Meaning.ADDRESS, Meaning.FIRST_NAME, Meaning.NAME, Meaning.ZONE, Meaning.STATUS, Meaning.LEFT, Meaning.WANTS,
    Meaning.REFUSES, Meaning.BOUNCED, Meaning.CREATED, Meaning.CONFIRMED,
)  # fmt: skip
_DATES = ("%m/%d/%Y %H:%M", "%m/%d/%Y", "%Y/%m/%d", "%b %d, %Y", "%B %d, %Y", "%Y-%m-%d %H:%M:%S UTC")


class Standing(StrEnum):
    """How somebody stood with the product they come from."""

    READER = "reader"
    UNCONFIRMED = "unconfirmed"
    LEFT = "left"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


_WORDS: dict[str, Standing] = {
    **dict.fromkeys(
        ("", "subscribed", "active", "enabled", "regular", "premium", "paid", "free", "comped", "gifted", "trialed",
         "confirmed"),
        Standing.READER,
    ),
    **dict.fromkeys(
        ("unconfirmed", "unactivated", "pending", "validating", "transactional", "needsconfirmation"),
        Standing.UNCONFIRMED,
    ),
    **dict.fromkeys(
        ("unsubscribed", "cancelled", "canceled", "removed", "disabled", "left", "archived", "nonsubscribed",
         "inactive", "paused", "deleted"),
        Standing.LEFT,
    ),
    **dict.fromkeys(("cleaned", "bounced", "undeliverable", "unreachable", "invalid"), Standing.BOUNCED),
    **dict.fromkeys(("complained", "blocklisted", "blacklisted", "blocked", "spammy", "spam"), Standing.COMPLAINED),
}  # fmt: skip
# At Kit, whoever has not pressed the button yet is "inactive"; everywhere else it is somebody who is gone.
_OWN_WORDS = {(Product.KIT, "inactive"): Standing.UNCONFIRMED}


class Person(NamedTuple):
    """What a row says. Dates are in UTC; `zone` is an IANA name that this machine knows, or empty."""

    mail: str
    key: str
    first_name: str
    zone: str
    standing: Standing
    created: datetime | None
    confirmed: datetime | None


class Reader:
    """Reads the rows of one file. The columns are looked up once, not for each of a million rows."""

    def __init__(self, columns: Columns) -> None:
        self._product = columns.product
        self._width = len(columns.header)
        # A meaning without a column is read from one past the last cell, which is always empty.
        self._pick = itemgetter(*(columns.at.get(meaning, self._width) for meaning in _ORDER))

    def read(self, row: Row) -> Person:
        """Raises InvalidInput with the reason why a row cannot be used."""
        if row.trouble:
            raise InvalidInput(row.trouble)
        spare = self._width - len(row.cells)
        if spare < 0:
            raise InvalidInput(f"the row has {len(row.cells)} cells, the header {self._width}")
        picked = self._pick([*row.cells, *_EMPTY * (spare + 1)])
        address, first, name, zone, status, left, wants, refuses, bounced, created, confirmed = map(str.strip, picked)
        mail, key = transfer_address.parse(_bare(address))
        began = _instant(created)
        return Person(
            mail=mail,
            key=key,
            first_name=_name(_bare(first) or name.partition(" ")[0]),
            zone=_zone(zone),
            standing=_standing(
                self._product,
                status,
                left=bool(left) or not _flag(wants, True) or _flag(refuses, False),
                bounced=bool(bounced),
            ),
            created=began,
            confirmed=began if confirmed == created else _instant(confirmed),
        )


def _bare(cell: str) -> str:
    """A cell without the apostrophe that an export puts before what a spreadsheet would take for a formula."""
    return cell[1:] if cell.startswith(_GUARDED) else cell


def _standing(product: Product, status: str, *, left: bool, bounced: bool) -> Standing:
    if left:
        return Standing.LEFT
    if bounced:
        return Standing.BOUNCED
    return _word(product, status)


@lru_cache(maxsize=1000)
def _word(product: Product, status: str) -> Standing:
    word = "".join(letter for letter in status.lower() if letter.isalpha())
    found = _OWN_WORDS.get((product, word)) or _WORDS.get(word)
    if found is None or (status and not word):
        raise InvalidInput(f"we do not know the status {status!r}")
    return found


def _flag(text: str, absent: bool) -> bool:
    if not text:
        return absent
    word = text.lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise InvalidInput(f"{text!r} is neither true nor false")


def _name(text: str) -> str:
    return cleaned(text)[:_LONGEST_NAME].strip()


@lru_cache(maxsize=1000)
def _zone(text: str) -> str:
    return text if text and len(text) <= _LONGEST_ZONE and zone_named(text) else ""


def _instant(text: str) -> datetime | None:
    """A date as UTC; None where there is none. A time without a zone is UTC, as every product writes it."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = _spelled(text)
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(f"we cannot read the date {text!r}") from None


def _spelled(text: str) -> datetime:
    for form in _DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise InvalidInput(f"we cannot read the date {text!r}")
