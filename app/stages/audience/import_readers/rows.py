"""One row of an export: a reader, somebody who must not be written to, or a mistake. Pure.

Only the address, and what says whether somebody may be written to, can make a row unusable. Whatever else cannot be
read is left out, counted and reported.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from app.core.calendar import zone_named
from app.core.errors import InvalidInput
from app.core.text import cleaned
from app.stages.audience import dates
from app.stages.audience.import_readers import fast_address, words
from app.stages.audience.import_readers.columns import GOING, Columns, Meaning, Product
from app.stages.audience.import_readers.table import Row
from app.stages.audience.import_readers.words import SEVEREST, Answers, Standing, UnknownWord
from app.stages.audience.own_columns import COLUMNS, Unreadable, read_consents, read_ref, unguarded
from app.store.reader_import import NOTHING_CHOSEN, Choices, PastAct

_LONGEST_NAME = 80
_LONGEST_ZONE = 64
_SHOWN = 60
_SEVERITY = {standing: number for number, standing in enumerate(reversed(SEVEREST))}
_PICKED = (Meaning.ADDRESS, Meaning.FIRST_NAME, Meaning.NAME, Meaning.ZONE, Meaning.CREATED, Meaning.CONFIRMED)
_CHOICES = {Meaning(one.meaning): one for one in COLUMNS if one.field}
_PAUSED = "paused"
_REASONS = {Meaning.LEFT_REASON: Standing.LEFT, Meaning.BOUNCED_REASON: Standing.BOUNCED}
_REFUSALS = {
    Meaning.LEFT: Standing.LEFT,
    Meaning.REFUSES: Standing.LEFT,
    Meaning.BOUNCED: Standing.BOUNCED,
    Meaning.COMPLAINED: Standing.COMPLAINED,
}

Read = TypeVar("Read")
Evidence = Callable[[str], Standing | None]


class Person(NamedTuple):
    """What a row says. Dates are in UTC; `zone` is an IANA name that this machine knows, or empty."""

    mail: str
    key: str
    first_name: str
    zone: str
    standing: Standing
    created: datetime | None
    confirmed: datetime | None
    left: datetime | None = None
    choices: Choices = NOTHING_CHOSEN
    source: str = ""
    consents: tuple[PastAct, ...] = ()
    ref: str = ""


class Reader:
    """Reads the rows of one file. The columns are looked up once, not for each of a million rows.

    `dates_count` says whether the file's dates are kept, so that reading them is worth the time. `answers` is what the
    operator said that words mean. `unread` counts the cells that could not be read, by meaning, and keeps one of each.
    """

    def __init__(
        self,
        columns: Columns,
        order: dates.Order | None = None,
        answers: Answers | None = None,
        *,
        dates_count: bool = True,
        guarded: bool = True,
    ) -> None:
        self._width = width = len(columns.header)
        self._order = order
        self._dates_count = dates_count
        self._bare = unguarded if guarded else str
        # A meaning without a column is read from one past the last cell, which is always empty.
        self._at = {meaning: columns.at.get(meaning, (width,))[0] for meaning in Meaning}
        self._pick = itemgetter(*(self._at[meaning] for meaning in _PICKED))
        self._evidence = list(_evidence(columns, answers or {}))
        self._own = columns.product is Product.MORNING_POST
        self._more = [
            (meaning, columns.at[meaning][0], one) for meaning, one in _CHOICES.items() if meaning in columns.at
        ]
        self.unread: Counter[Meaning] = Counter()
        self.examples: dict[Meaning, str] = {}

    def read(self, row: Row) -> Person:
        """Raises InvalidInput with the reason why a row cannot be used."""
        if row.trouble:
            raise InvalidInput(row.trouble)
        spare = self._width - len(row.cells)
        if spare < 0:
            raise InvalidInput(f"the row has {len(row.cells)} cells, the header {self._width}")
        cells = [*row.cells, *[""] * (spare + 1)]
        address, first, name, zone, created, confirmed = map(str.strip, self._pick(cells))
        mail, key = fast_address.parse(self._bare(address))
        standing = self.standing(row)
        began = self._date(Meaning.CREATED, created, row)
        person = Person(
            mail,
            key,
            _name(self._bare(first) or next(iter(name.split(None, 1)), "")),
            self._zone(zone, row),
            standing,
            began,
            began if confirmed == created else self._date(Meaning.CONFIRMED, confirmed, row),
        )
        return self._with_own(person, cells, row) if self._own or self._more else person

    def standing(self, row: Row) -> Standing:
        """The severest of what the columns say. Raises InvalidInput for a word that nobody knows."""
        found = Standing.READER
        cells = row.cells
        for name, index, says in self._evidence:
            if index >= len(cells):
                continue
            try:
                said = says(cells[index])
            except UnknownWord:
                word = cells[index][:_SHOWN]
                raise InvalidInput(f"we do not know what {word!r} in the column {name!r} means") from None
            if said is not None and _SEVERITY[said] > _SEVERITY[found]:
                found = said
        return found

    def _with_own(self, person: Person, cells: list[str], row: Row) -> Person:
        """With what only our own export has: the choices, the pause, the record of consents."""
        chosen: dict[str, Any] = {}
        for meaning, index, column in self._more:
            if (cell := cells[index].strip()) and column.read is not None:
                try:
                    chosen[column.field] = column.read(cell)
                except Unreadable:
                    self._note(meaning, cell, row)
        status = cells[self._at[Meaning.STATUS]].strip().lower()
        if status != _PAUSED:
            chosen.pop("paused_until", None)
        elif self._own and "paused_until" not in chosen:
            raise InvalidInput("the reader is paused, and until when cannot be read")
        return person._replace(
            left=self._date(Meaning.LEFT, cells[self._at[Meaning.LEFT]].strip(), row, always=True),
            choices=Choices(**chosen),
            source=cleaned(self._bare(cells[self._at[Meaning.SOURCE]].strip()))[:120],
            consents=self._try(Meaning.CONSENTS, read_consents, cells, row) or (),
            ref=self._try(Meaning.REF, read_ref, cells, row) or "",
        )

    def _try(self, meaning: Meaning, read: Callable[[str], Read], cells: list[str], row: Row) -> Read | None:
        """What stands in a column; None where there is nothing, or nothing that can be read."""
        cell = self._bare(cells[self._at[meaning]].strip())
        try:
            return read(cell) if cell else None
        except Unreadable:
            self._note(meaning, cell, row)
            return None

    def _date(self, meaning: Meaning, cell: str, row: Row, *, always: bool = False) -> datetime | None:
        if not cell or not (self._dates_count or always) or words.says_nothing(cell):
            return None
        try:
            return dates.read(cell, self._order)
        except ValueError:
            # A flag in a column of dates is none that could not be read.
            if not words.is_yes_or_no(cell) and cell not in ("0", "1"):
                self._note(meaning, cell, row)
            return None

    def _zone(self, cell: str, row: Row) -> str:
        found = _zone(cell)
        if cell and not found:
            self._note(Meaning.ZONE, cell, row)
        return found

    def _note(self, meaning: Meaning, cell: str, row: Row) -> None:
        self.unread[meaning] += 1
        self.examples.setdefault(meaning, f"line {row.line}: {cell[:_SHOWN]!r}")


def _evidence(columns: Columns, answers: Answers) -> list[tuple[str, int, Evidence]]:
    """Each column that may keep somebody out, and how it is read. What is not a word of theirs is asked about once."""
    found: list[tuple[str, int, Evidence]] = []
    for meaning, indexes in columns.at.items():
        if meaning in GOING or meaning is Meaning.CONFIRMED:
            says = evidence_of(meaning, columns.product, answers)
            found.extend((columns.header[index], index, lru_cache(maxsize=1000)(says)) for index in indexes)
    return found


def evidence_of(meaning: Meaning, product: Product, answers: Answers) -> Evidence:
    """How a cell of a column with this meaning is read. What it gives raises UnknownWord."""
    if meaning is Meaning.CONFIRMED:
        return partial(words.confirmation, answers=answers)
    if meaning is Meaning.STATUS:
        return partial(words.status, answers={**_own_words(product), **answers})
    if meaning is Meaning.WANTS:
        return partial(words.agreement, answers=answers)
    if meaning in _REASONS:
        return partial(_reason, means=_REASONS[meaning])
    return partial(words.refusal, means=_REFUSALS[meaning], answers=answers)


def _own_words(product: Product) -> dict[str, Standing]:
    """What a word means with one product and with no other."""
    match product:
        case Product.KIT:  # whoever has not pressed the button yet
            return {"inactive": Standing.UNCONFIRMED}
        case Product.MORNING_POST:
            return {_PAUSED: Standing.READER}
        case _:
            return {}


def _reason(cell: str, means: Standing) -> Standing | None:
    return None if words.says_nothing(cell) or words.folded(cell) in ("no", "false", "none") else means


def _name(text: str) -> str:
    return cleaned(text)[:_LONGEST_NAME].strip()


@lru_cache(maxsize=1000)
def _zone(text: str) -> str:
    return text if text and len(text) <= _LONGEST_ZONE and zone_named(text) else ""
