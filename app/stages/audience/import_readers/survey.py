"""Reads a whole file before anything is written: which columns say who must not be written to, and what is unclear.

Nothing here guesses against a reader: a column that may say "no" and is not understood, an empty cell beside a yes, a
date of two readings, each becomes a question, and an import with questions does not begin.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from shlex import quote

from app.core.errors import InvalidInput
from app.stages.audience import dates
from app.stages.audience.import_readers import fast_address, words
from app.stages.audience.import_readers.columns import (
    GENERAL,
    GOING,
    SOFT,
    Columns,
    Meaning,
    Product,
    fold,
    is_doubtful,
    is_harmless,
    refusing_by_name,
)
from app.stages.audience.import_readers.rows import Reader, evidence_of
from app.stages.audience.import_readers.seen import Marks
from app.stages.audience.import_readers.table import Row, Table, looks_like_an_address
from app.stages.audience.import_readers.words import Answers, Standing, UnknownWord, folded
from app.stages.audience.own_columns import unguarded

_BATCH = 1_000
_MOST_VALUES = 200
_SHOWN = 3
_LONGEST_SHOWN = 40
_LETTERS = frozenset("ynjntfx")
"""Yes and no where both are there, or where the other cells are empty; otherwise they may be initials."""
_DATES = (Meaning.CREATED, Meaning.CONFIRMED)


@dataclass(slots=True)
class Values:
    """What the cells of a column hold: up to 200 different ones, how many are empty, the first that sounds bad."""

    distinct: dict[str, None] = field(default_factory=dict)
    empty: int = 0
    many: bool = False
    bad: str = ""
    orders: Counter[dates.Order] = field(default_factory=Counter)
    ambiguous: str = ""

    def add(self, cells: tuple[str, ...], *, dated: bool, known: bool) -> None:
        """More cells. `known`: they are names or addresses, of which nothing but samples are wanted."""
        self.empty += cells.count("")
        if known and self.many:
            return
        for cell in dict.fromkeys(cells):
            if cell not in self.distinct:
                self._add(cell.strip(), dated=dated)

    def _add(self, cell: str, *, dated: bool) -> None:
        if not cell:
            return
        if len(self.distinct) < _MOST_VALUES:
            self.distinct[cell] = None
        else:
            self.many = True
        if not self.bad and words.sounds_bad(cell):
            self.bad = cell
        if dated:
            self._add_date(cell)

    def _add_date(self, cell: str) -> None:
        if (order := dates.order_shown(cell)) is not None:
            self.orders[order] += 1
        elif not self.ambiguous and dates.is_ambiguous(cell):
            self.ambiguous = cell

    @property
    def samples(self) -> str:
        """The first few values, for a person."""
        return ", ".join(_cut(value) for value in islice(self.distinct, _SHOWN))


@dataclass(slots=True)
class Plan:
    """How a file will be read: its columns, the order of its dates, what is not read, what has to be asked first."""

    columns: Columns
    order: dates.Order | None = None
    answers: Answers = field(default_factory=dict)
    not_read: dict[str, str] = field(default_factory=dict)
    """Names of columns that nothing is taken from, with samples of what stands in them."""
    found: dict[str, Meaning] = field(default_factory=dict)
    """Columns that nobody named and whose names are in no list, by what they were understood to mean."""
    questions: list[str] = field(default_factory=list)
    says_no: bool = False
    """Does any cell of the file say that somebody is gone?"""

    def demand_clear(self) -> None:
        """Raises InvalidInput with every question, if there is any."""
        if self.questions:
            asked = "\n".join(f"  {question}" for question in self.questions)
            raise InvalidInput(f"Nothing was imported. The file must be understood first:\n{asked}", "map")


def survey(table: Table, columns: Columns, *, order: dates.Order | None, answers: Answers, dates_count: bool) -> Plan:
    """Looks at every cell of a file. `dates_count` says whether its dates are kept, so that they must be understood."""
    by_index = _values(table.rows(), columns, dates_count=dates_count)
    plan = Plan(_with_address(columns, by_index), order, answers)
    for index in range(len(columns.header)):
        _look_at(plan, index, by_index[index])
    if dates_count and columns.product is not Product.MORNING_POST:
        _ask_about_unconfirmed(plan, by_index)
    _ask_about_name(plan, table)
    if dates_count and order is None:
        plan.order = _order(plan, by_index)
    return plan


def gone(table: Table, plan: Plan) -> Marks | None:
    """Whom any row says to be gone, though another row may not: nobody is taken for a reader by the order of rows."""
    if not plan.says_no:
        return None
    reader, marks = Reader(plan.columns, answers=plan.answers), Marks()
    bare = unguarded if table.delimiter else str
    address = plan.columns.at[Meaning.ADDRESS][0]
    for row in table.rows():
        try:
            if not row.trouble and reader.standing(row) not in (Standing.READER, Standing.UNCONFIRMED):
                marks.add(fast_address.parse(bare(row.cells[address].strip()))[1])
        except InvalidInput:
            continue
    return marks


def _values(rows: Iterator[Row], columns: Columns, *, dates_count: bool) -> list[Values]:
    width = len(columns.header)
    values = [Values() for _ in range(width)]
    dated = {index for meaning in _DATES for index in columns.at.get(meaning, ())} if dates_count else set()
    known = {index for index in range(width) if _is_known(columns, index)} - dated
    while batch := list(islice(rows, _BATCH)):
        whole = [row.cells for row in batch if not row.trouble]
        for index, cells in enumerate(zip(*whole, strict=True)):
            values[index].add(cells, dated=index in dated, known=index in known)
    return values


def _is_known(columns: Columns, index: int) -> bool:
    """Is it clear by its name that a column keeps nobody out?"""
    meaning = columns.meaning_of(index)
    if meaning is None or meaning in GOING:
        return False
    return meaning is not Meaning.ADDRESS or len(columns.at[meaning]) == 1


def _with_address(columns: Columns, values: list[Values]) -> Columns:
    """Of several columns that may be the address, the one whose cells are. Raises InvalidInput where none can be."""
    candidates = columns.at[Meaning.ADDRESS]
    holding = [index for index in candidates if _holds_addresses(values[index])]
    best = (holding or candidates)[0]
    chosen = best in columns.chosen
    if not holding and not chosen and fold(columns.header[best]) in GENERAL and values[best].distinct:
        raise InvalidInput(
            f"The column {columns.header[best]!r} holds no email addresses ({values[best].samples}); "
            f"name the one that does: --map address=COLUMN. The columns: {', '.join(columns.header)}",
            "file",
        )
    for index in candidates:
        if index != best:
            columns = columns.without(index)
    return columns


def _holds_addresses(values: Values) -> bool:
    return 2 * sum(map(looks_like_an_address, values.distinct)) >= max(1, len(values.distinct))


# --- One column -----------------------------------------------------------------------------------------------------


def _look_at(plan: Plan, index: int, values: Values) -> None:
    """Settles what one column means, asks, or writes down that it is not read."""
    name, meaning = plan.columns.header[index], plan.columns.meaning_of(index)
    if meaning is None:
        meaning = _understand(plan, name, index, values)
    if meaning in GOING:
        meaning = _check(plan, name, index, meaning, values)
    if meaning in (None, Meaning.IGNORED) and values.distinct:
        plan.not_read[name] = values.samples


def _understand(plan: Plan, name: str, index: int, values: Values) -> Meaning | None:
    """Of a column whose name is in no list: what it means by its name and its cells, or a question."""
    if not values.distinct or (is_harmless(name) and not values.bad):
        return None
    meaning = refusing_by_name(name)
    if meaning is not None and meaning not in plan.columns.dropped and _all_read(plan, meaning, values):
        plan.columns = plan.columns.assign(meaning, index)
        plan.found[name] = meaning
        return meaning
    if values.bad:
        _ask(plan, name, values, f"a cell says {_cut(values.bad)!r}")
    elif is_doubtful(name) or _is_yes_and_no(values):
        _ask(plan, name, values, "it may say who must not be written to")
    return None


def _all_read(plan: Plan, meaning: Meaning, values: Values) -> bool:
    return not _unknown(plan, meaning, values)


def _unknown(plan: Plan, meaning: Meaning, values: Values) -> list[str]:
    """The values that cannot be read as this meaning."""
    says = evidence_of(meaning, plan.columns.product, plan.answers)
    found = []
    for value in values.distinct:
        try:
            says(value)
        except UnknownWord:
            found.append(value)
    return found


def _says_no(plan: Plan, meaning: Meaning, values: Values, unknown: list[str]) -> bool:
    says = evidence_of(meaning, plan.columns.product, plan.answers)
    known = values.distinct.keys() - set(unknown)
    return any(
        says(value) not in (None, Standing.READER, Standing.UNCONFIRMED)
        for value in ("", *known)
        if value or "" in plan.answers
    )


def _is_yes_and_no(values: Values) -> bool:
    """Is every cell a yes or a no, or every one a 0 or a 1, both of them there?"""
    if values.many:
        return False
    said = {value.casefold() for value in values.distinct}
    if said <= _LETTERS:
        return len(said) > 1 or (said == {"x"} and values.empty > 0)
    return all(map(words.is_yes_or_no, said)) or said == {"0", "1"}


def _check(plan: Plan, name: str, index: int, meaning: Meaning, values: Values) -> Meaning | None:
    """Of a column that says who is gone: do its cells say it in words that are known?"""
    if not values.distinct:
        return meaning
    unknown = _unknown(plan, meaning, values)
    plan.says_no = plan.says_no or values.many or _says_no(plan, meaning, values, unknown)
    chosen = index in plan.columns.chosen
    if meaning is Meaning.STATUS and fold(name) in SOFT and not chosen and unknown:
        return _soften(plan, name, index, values, unknown)
    if len(unknown) == len(values.distinct):
        _ask(plan, name, values, "none of its words is known", words_too=True)
    elif meaning in (Meaning.WANTS, Meaning.STATUS):
        _ask_about_empty(plan, name, values, Standing.LEFT)
    return meaning


def _ask_about_unconfirmed(plan: Plan, values: list[Values]) -> None:
    """Who has no date where others have the one of their confirmation may never have confirmed."""
    for index in plan.columns.at.get(Meaning.CONFIRMED, ()):
        if values[index].distinct:
            _ask_about_empty(plan, plan.columns.header[index], values[index], Standing.UNCONFIRMED)


def _ask_about_empty(plan: Plan, name: str, values: Values, else_: Standing) -> None:
    if "" not in plan.answers and (values.empty or any(map(words.says_nothing, values.distinct))):
        plan.questions.append(
            f"{name}: some cells are empty, others say {values.samples}. "
            f"Say whether an empty one is a reader: --value =reader, or --value ={else_.value}."
        )


def _soften(plan: Plan, name: str, index: int, values: Values, unknown: list[str]) -> Meaning | None:
    """A state is where people live and a type is what they buy, unless the words are those of a status."""
    if len(unknown) == len(values.distinct) and not values.bad:
        plan.columns = plan.columns.without(index)
        return None
    if len(unknown) < len(values.distinct) and _are_places(values):
        plan.columns = plan.columns.without(index)
        return None
    _ask(plan, name, values, f"some of its words are known, {_cut(unknown[0])!r} is not", words_too=True)
    return Meaning.STATUS


def _are_places(values: Values) -> bool:
    """Are all cells abbreviations of two or three letters, as states have them?"""
    return all(len(value) <= 3 for value in values.distinct)


def _ask(plan: Plan, name: str, values: Values, why: str, *, words_too: bool = False) -> None:
    ways = [
        f"--map left={quote(name)} where a yes is one who left",
        f"--map wants={quote(name)} where a yes is one who reads",
        f"--map status={quote(name)} where it is a word such as unsubscribed",
        f"--map ignored={quote(name)} where it has nothing to do with reading",
    ]
    if words_too:
        ways = [f"--value {_word(values)}=reader (or left, bounced, complained, unconfirmed), for each", ways[-1]]
    plan.questions.append(f"{name} ({values.samples}): {why}. Say " + ", or ".join(ways) + ".")


def _word(values: Values) -> str:
    return quote(_cut(next(iter(values.distinct))))


def _ask_about_name(plan: Plan, table: Table) -> None:
    """Some products put those who left into a file of their own, in which nothing but its name says so."""
    knows = any(meaning in plan.columns.at for meaning in GOING) or plan.columns.dropped
    if not knows and (is_refused_by_name(table.path.stem)):
        plan.questions.append(
            f"The file is called {table.path.name!r}, and no column of it says who left. If its people may be "
            "written to, give it another name."
        )


def is_refused_by_name(stem: str) -> bool:
    """Is a file named after people who must not be written to?"""
    word = folded(stem)
    return refusing_by_name(stem) is not None or word.startswith(("cleaned", "nonsubscribed", "inactive", "deleted"))


# --- Dates ----------------------------------------------------------------------------------------------------------


def _order(plan: Plan, values: list[Values]) -> dates.Order | None:
    """How the file writes day and month, by those dates that can be read in one way; a question where none tells."""
    dated = [values[index] for meaning in _DATES for index in plan.columns.at.get(meaning, ())]
    shown: Counter[dates.Order] = sum((one.orders for one in dated), Counter())
    unclear = next((one.ambiguous for one in dated if one.ambiguous), "")
    if unclear and len(shown) != 1:
        plan.questions.append(
            f"{unclear} is one of two dates, and nothing in the file tells which. "
            "Say how it writes them: --dates day-first, or --dates month-first."
        )
    return next(iter(shown), None) if len(shown) == 1 else None


def read_answers(pairs: Iterable[str]) -> dict[str, Standing]:
    """`WORD=STANDING` as it is typed. Raises InvalidInput."""
    found = {}
    for pair in pairs:
        word, equals, standing = pair.rpartition("=")
        if not equals or standing not in list(Standing):
            raise InvalidInput(
                f"--value is written WORD=STANDING, one of {', '.join(Standing)}; not {pair!r}.", "value"
            )
        found[folded(word)] = Standing(standing)
    return found


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
