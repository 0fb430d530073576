"""Which column of another product's export means what. Pure.

The shapes are those of the exports as their products write them; docs/moving.md says where each was seen.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import InvalidInput


class Product(StrEnum):
    """Where a file comes from. `csv` is any other table with a column of addresses."""

    MAILCHIMP = "mailchimp"
    SUBSTACK = "substack"
    GHOST = "ghost"
    BUTTONDOWN = "buttondown"
    KIT = "kit"
    BEEHIIV = "beehiiv"
    LISTMONK = "listmonk"
    KEILA = "keila"
    CSV = "csv"


class Meaning(StrEnum):
    """What a column can say about a reader."""

    ADDRESS = "address"
    FIRST_NAME = "first_name"
    NAME = "name"
    """The whole name; its first word is taken where there is no first name."""
    STATUS = "status"
    CREATED = "created"
    CONFIRMED = "confirmed"
    ZONE = "zone"
    LEFT = "left"
    """A date, or nothing: whoever has one left."""
    BOUNCED = "bounced"
    """A date, or nothing: whoever has one could not be reached."""
    WANTS = "wants"
    """true or false."""
    REFUSES = "refuses"
    """true or false."""


# How each product is known: all of these columns are there. The first that fits wins.
_MARKS: tuple[tuple[Product, frozenset[str]], ...] = (
    (Product.MAILCHIMP, frozenset({"leid", "euid"})),
    (Product.MAILCHIMP, frozenset({"emailaddress", "memberrating"})),
    (Product.SUBSTACK, frozenset({"email", "activesubscription"})),
    (Product.GHOST, frozenset({"email", "subscribedtoemails"})),
    (Product.LISTMONK, frozenset({"uuid", "email", "attributes", "status"})),
    (Product.KEILA, frozenset({"email", "firstname", "lastname", "data"})),
    (Product.BUTTONDOWN, frozenset({"subscriptiondate", "email", "status"})),
    (Product.BUTTONDOWN, frozenset({"emailaddress", "creationdate"})),
    (Product.BUTTONDOWN, frozenset({"email", "creationdate"})),
    (Product.BEEHIIV, frozenset({"email", "subscriptiontier"})),
    (Product.BEEHIIV, frozenset({"email", "status", "tier"})),
    (Product.KIT, frozenset({"firstname", "email", "createdat", "status"})),
)

_NAMES: Mapping[Meaning, tuple[str, ...]] = {
    Meaning.ADDRESS: ("emailaddress", "email", "address", "mail", "subscriberemail"),
    Meaning.FIRST_NAME: ("firstname", "givenname", "fname"),
    Meaning.NAME: ("name", "fullname"),
    Meaning.STATUS: ("status", "state", "type", "subscribertype"),
    Meaning.CREATED: (
        "optintime",
        "createdat",
        "creationdate",
        "subscriptiondate",
        "created",
        "subscribedat",
        "signup",
    ),
    Meaning.CONFIRMED: ("confirmtime", "confirmedat", "confirmed"),
    Meaning.ZONE: ("timezone", "zone"),
    Meaning.LEFT: ("unsubtime", "unsubscribedat", "unsubscriptiondate", "deletedat", "leftat"),
    Meaning.BOUNCED: ("cleantime", "undeliverabilitydate"),
    Meaning.WANTS: ("subscribedtoemails",),
    Meaning.REFUSES: ("emaildisabled",),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """A recognised header: whose it is, its names, and at which index each meaning stands."""

    product: Product
    header: tuple[str, ...]
    at: Mapping[Meaning, int]


def recognise(header: Sequence[str], product: Product | None, chosen: Mapping[str, str]) -> Columns:
    """Reads a header. `chosen` maps a meaning to a column's name and wins over what we would guess.

    Raises InvalidInput where there is no column of addresses, or `chosen` names what is not there.
    """
    folded = [_fold(name) for name in header]
    at = {meaning: index for meaning in Meaning if (index := _find(folded, _NAMES[meaning])) is not None}
    for word, column in chosen.items():
        at[_meaning(word)] = _index(header, column)
    if Meaning.ADDRESS not in at:
        raise InvalidInput(
            "The file has no column of addresses that we know; name it: --map address=COLUMN. "
            f"Its columns: {', '.join(header)}",
            "file",
        )
    return Columns(product or _whose(frozenset(folded)), tuple(header), at)


def _whose(folded: frozenset[str]) -> Product:
    return next((product for product, marks in _MARKS if marks <= folded), Product.CSV)


def _find(folded: Sequence[str], names: Sequence[str]) -> int | None:
    return next((folded.index(name) for name in names if name in folded), None)


def _fold(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name).lower()


def _meaning(word: str) -> Meaning:
    try:
        return Meaning(word)
    except ValueError:
        raise InvalidInput(f"--map knows {', '.join(Meaning)}; not {word!r}.", "map") from None


def _index(header: Sequence[str], column: str) -> int:
    if column in header:
        return header.index(column)
    raise InvalidInput(f"The file has no column {column!r}. Its columns: {', '.join(header)}", "map")
