"""What a cell says about whether somebody may be written to. Pure.

Words of the exports of mailing products and of spreadsheets, in the languages of their users. A word that is not here
is never guessed at: the caller asks, or refuses the row.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from app.stages.audience import dates


class Standing(StrEnum):
    """How somebody stood with the product they come from."""

    READER = "reader"
    UNCONFIRMED = "unconfirmed"
    LEFT = "left"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


SEVEREST = (Standing.LEFT, Standing.COMPLAINED, Standing.BOUNCED, Standing.UNCONFIRMED, Standing.READER)
"""Where a row says several things, the first of these counts."""

_STATUS: dict[str, Standing] = {
    **dict.fromkeys(
        ("subscribed", "active", "enabled", "regular", "premium", "paid", "free", "comped", "gifted", "trialed",
         "confirmed", "verified", "valid", "optedin", "optin", "doubleoptin", "singleoptin", "subscriber", "member",
         "marketingcontact", "abonniert", "aktiv", "angemeldet", "bestätigt", "abonné", "inscrit", "actif",
         "suscrito", "activo", "iscritto", "attivo"),
        Standing.READER,
    ),
    **dict.fromkeys(
        ("unconfirmed", "unactivated", "pending", "validating", "transactional", "needsconfirmation", "unverified",
         "notconfirmed", "notverified", "awaitingconfirmation", "waiting", "optinpending", "confirmationpending",
         "pendingconfirmation", "unbestätigt", "nichtbestätigt", "ausstehend"),
        Standing.UNCONFIRMED,
    ),
    **dict.fromkeys(
        ("unsubscribed", "unsubscribe", "unsub", "globallyunsubscribed", "globalunsubscribe", "cancelled", "canceled",
         "removed", "disabled", "left", "archived", "nonsubscribed", "nonsubscriber", "notsubscribed",
         "neversubscribed", "inactive", "paused", "deleted", "optedout", "optout", "optedoutofemail", "donotemail",
         "donotmail", "donotcontact", "nonmarketingcontact", "held", "suspended", "revoked", "withdrawn", "declined",
         "denied", "banned", "abgemeldet", "inaktiv", "gekündigt", "gelöscht", "nichtabonniert", "désabonné",
         "désinscrit", "inactif", "debaja", "cancelado", "inactivo", "disiscritto", "disattivo"),
        Standing.LEFT,
    ),
    **dict.fromkeys(
        ("cleaned", "bounced", "bounce", "hardbounce", "hardbounced", "softbounced", "bouncing", "undeliverable",
         "unreachable", "invalid", "unzustellbar", "ungültig", "rebotado"),
        Standing.BOUNCED,
    ),
    **dict.fromkeys(
        ("complained", "complaint", "complaints", "spamcomplaint", "markedasspam", "reportedspam", "abuse",
         "blocklisted", "blacklisted", "blocked", "suppressed", "spammy", "spam", "junk", "quarantined", "gesperrt",
         "blockiert"),
        Standing.COMPLAINED,
    ),
}  # fmt: skip
_YES = frozenset(
    {"true", "yes", "t", "y", "x", "on", "ja", "j", "wahr", "oui", "vrai", "si", "sí", "sì", "verdadero", "vero", "sim",
     "checked", "✓", "✔", "☑"}
)  # fmt: skip
_NO = frozenset(
    {"false", "no", "f", "n", "off", "none", "never", "nein", "falsch", "non", "faux", "falso", "não", "unchecked", "☐"}
)
_NOTHING = frozenset({"", "null", "nil", "na", "nan", "undefined"})
_NO_DATE = re.compile(r"0000-00-00.{0,20}|0001-01-01.{0,20}|[\s/.-]+")
_BAD = re.compile(
    r"unsub|opt(?:ed)?[ _-]?out|bounced|complain|spam|black.?list|block.?list|suppress|do.?not.?(?:e?-?mail|contact)"
    r"|abgemeldet|gekündigt|désabonn|désinscri",
    re.IGNORECASE,
)
_LONGEST = 200


class UnknownWord(ValueError):
    """A cell says something that nobody can be sure of."""


Answers = Mapping[str, Standing]
"""What the operator said that words mean, by `folded` word."""


def folded(text: str) -> str:
    """A word without case, spaces and hyphens: `Opted-Out` and `opted out` are one."""
    return "".join(sign for sign in text[:_LONGEST].casefold() if sign.isalnum() or sign in "✓✔☑☐")


def says_nothing(cell: str) -> bool:
    """Is the cell empty, or one of the ways in which programs write that there is nothing?"""
    return folded(cell) in _NOTHING or bool(len(cell) <= _LONGEST and _NO_DATE.fullmatch(cell.strip()))


def status(cell: str, answers: Answers) -> Standing | None:
    """What a word of a status says; None for an empty cell. Raises UnknownWord."""
    word = folded(cell)
    if word in answers:
        return answers[word]
    if not cell.strip():
        return None
    found = _STATUS.get(word)
    if found is None and word in _YES | _NO:
        found = Standing.READER if word in _YES else Standing.LEFT
    if found is None:
        raise UnknownWord(cell)
    return found


def flag(cell: str) -> bool | None:
    """Yes or no; None for a cell that says nothing. A date is a yes: it happened. Raises UnknownWord."""
    word = folded(cell)
    if word in _YES or word in _NO:
        return word in _YES
    if says_nothing(cell):
        return None
    if (number := _number(cell)) is not None:
        return number != 0
    if dates.is_date(cell):
        return True
    raise UnknownWord(cell)


def _number(cell: str) -> float | None:
    text = cell.strip()
    if len(text) > 9 or not text.isascii() or not text.replace(".", "", 1).isdigit():
        return None
    return float(text)


def refusal(cell: str, means: Standing, answers: Answers) -> Standing | None:
    """Of a column that says who is gone (`means`): a flag, a date, or a status word. Raises UnknownWord."""
    word = folded(cell)
    if word in answers:
        return answers[word]
    found = _STATUS.get(word)
    if found is not None:
        return None if found is Standing.READER else means
    return means if flag(cell) else None


def agreement(cell: str, answers: Answers) -> Standing | None:
    """Of a column that says who may be written to: its no is that they left. Raises UnknownWord."""
    word = folded(cell)
    if word in answers:
        return answers[word]
    if word in _STATUS:
        return _STATUS[word]
    said = flag(cell)
    return None if said is None else Standing.READER if said else Standing.LEFT


def confirmation(cell: str, answers: Answers) -> Standing | None:
    """Of a column that says when or whether somebody confirmed: its no is that they did not."""
    if says_nothing(cell):
        return answers.get("")
    return Standing.UNCONFIRMED if folded(cell) in _NO or cell.strip() == "0" else None


def is_yes_or_no(cell: str) -> bool:
    """Is it a word for yes or no? Numbers are none."""
    return folded(cell) in _YES | _NO


def sounds_bad(text: str) -> bool:
    """Does a value speak of somebody who left, bounced or complained?"""
    return _BAD.search(text[:_LONGEST]) is not None
