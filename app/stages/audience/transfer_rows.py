"""One row of another product's export: a reader, somebody who must not be written to, or a mistake. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from app.core.calendar import zone_named
from app.core.errors import InvalidInput
from app.stages.audience import transfer_address
from app.stages.audience.transfer_columns import Columns, Meaning, Product
from app.stages.audience.transfer_file import Row

_LONGEST_NAME = 80
_LONGEST_ZONE = 64
_YES = frozenset({"true", "yes", "1", "t", "y"})
_NO = frozenset({"false", "no", "0", "f", "n"})
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


@dataclass(frozen=True, slots=True)
class Person:
    """What a row says. Dates are in UTC; `zone` is an IANA name that this machine knows, or empty."""

    mail: str
    key: str
    first_name: str
    zone: str
    standing: Standing
    created: datetime | None
    confirmed: datetime | None


def read(row: Row, columns: Columns) -> Person:
    """Reads one row. Raises InvalidInput with the reason why it cannot be used."""
    if row.trouble:
        raise InvalidInput(row.trouble)
    cells = row.cells
    if len(cells) > len(columns.header):
        raise InvalidInput(f"the row has {len(cells)} cells, the header {len(columns.header)}")
    at = columns.at
    size = len(cells)

    def cell(meaning: Meaning) -> str:
        index = at.get(meaning)
        return cells[index].strip() if index is not None and index < size else ""

    address = transfer_address.parse(cell(Meaning.ADDRESS))
    return Person(
        mail=address.mail,
        key=address.key,
        first_name=_name(cell(Meaning.FIRST_NAME) or cell(Meaning.NAME).partition(" ")[0]),
        zone=_zone(cell(Meaning.ZONE)),
        standing=_standing(
            columns.product,
            cell(Meaning.STATUS),
            left=bool(cell(Meaning.LEFT))
            or not _flag(cell(Meaning.WANTS), True)
            or _flag(cell(Meaning.REFUSES), False),
            bounced=bool(cell(Meaning.BOUNCED)),
        ),
        created=_instant(cell(Meaning.CREATED)),
        confirmed=_instant(cell(Meaning.CONFIRMED)),
    )


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
    if text.isprintable():
        return text[:_LONGEST_NAME].rstrip()
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST_NAME].strip()


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
