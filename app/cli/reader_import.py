"""`morningpost subscribers import`: looks the whole file over, says how it is read, asks, and only then writes."""

import contextlib
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from app.bootstrap import Container
from app.cli.terminal import Json, err, say, show_one
from app.cli.workshop import private_file, run
from app.core import heap
from app.core.errors import InvalidInput
from app.operations import audit
from app.stages.audience.dates import Order
from app.stages.audience.import_readers.columns import Meaning, Product, recognise
from app.stages.audience.import_readers.run import Arrival, Fate, Terms, begin, import_rows
from app.stages.audience.import_readers.survey import Plan, read_answers, survey
from app.stages.audience.import_readers.table import Row, Table, open_table

ACTOR = "command line"
_AUTO = "auto"
_REJECTED = (Fate.REJECTED, Fate.REPEATED)


def import_(
    file: Annotated[Path, typer.Argument(help="The file as the other product exported it.", dir_okay=False)],
    from_: Annotated[
        str, typer.Option("--from", metavar="|".join([_AUTO, *Product]), help="Whose export it is.")
    ] = _AUTO,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", help="MEANING=COLUMN, such as address=Email; MEANING= for none. May be repeated."),
    ] = None,
    value: Annotated[
        list[str] | None,
        typer.Option(help="WORD=STANDING, such as gold=reader; =left for an empty cell. May be repeated."),
    ] = None,
    dates: Annotated[Order | None, typer.Option(help="How the file writes 03/04/2024.")] = None,
    basis: Annotated[str, typer.Option(help="What the readers' consent rests on; needed without --confirm.")] = "",
    confirm: Annotated[
        bool, typer.Option("--confirm/--no-confirm", help="Ask each reader to confirm before the paper comes.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report, and write nothing to the database.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rows that cannot be used go; FILE.rejects.csv unless said.")
    ] = None,
    json: Json = False,
) -> None:
    """Bring in readers from another product. Nobody who left, here or there, is brought back; safe to repeat."""
    terms = Terms(confirm, basis)
    product, chosen, answers = _product(from_), _mapping(map_ or []), read_answers(value or [])
    bad = rejects or file.with_name(file.name + ".rejects.csv")
    if bad.resolve() == file.resolve():
        raise InvalidInput("The reject file must not be the file that is imported.", "rejects")
    table = open_table(file)
    plan = survey(
        table, recognise(table.header, product, chosen), order=dates, answers=answers, dates_count=not terms.confirm
    )
    _tell(table, plan)
    plan.demand_clear()

    async def work(container: Container) -> Account:
        with _Rejects(bad, table.header) as refuse:
            arrival = begin(table, plan, terms, refuse.add, dry=dry_run)
            return await _bring_in(container, table, arrival)

    account = run(work)
    _report(account, plan, bad, as_json=json)
    account.demand_agreement()


@dataclass(slots=True)
class Account:
    """What became of each line of a file."""

    table: Table
    arrival: Arrival
    rows: int = 0
    row_lines: int = 0
    """Lines that the rows stand in: more than there are rows, where cells have line breaks."""

    def counting(self) -> Iterator[Row]:
        """The rows of the file, counted as they pass."""
        for row in self.table.rows():
            self.rows += 1
            self.row_lines += row.lines
            yield row

    @property
    def lines(self) -> dict[str, int]:
        """The lines by what they hold."""
        return {"of header": self.table.head_lines, "blank": self.table.blank, "of rows": self.row_lines}

    def demand_agreement(self) -> None:
        """Raises InvalidInput where a line or a row has no fate, or has two."""
        rows, lines = self.arrival.fates.total(), sum(self.lines.values())
        if rows != self.rows or lines != self.table.lines:
            raise InvalidInput(
                f"The sums do not agree: {self.rows} rows were read and {rows} accounted for, "
                f"{self.table.lines} lines were counted and {lines} accounted for. Was the file changed meanwhile?",
                "file",
            )


async def _bring_in(container: Container, table: Table, arrival: Arrival) -> Account:
    heap.settle()
    if not arrival.dry:
        await _declare(container, arrival)
    account = Account(table, arrival)
    with _bar(table.lines) as forward:
        async for line in import_rows(container.db, container.suppressor, container.clock, account.counting(), arrival):
            forward(line)
    return account


async def _declare(container: Container, arrival: Arrival) -> None:
    """The audit log keeps the words whose hash the consents carry."""
    terms = arrival.terms
    async with container.db.write() as session:
        await audit.record(
            session, ACTOR, "import", "subscribers", None, container.clock.now(),
            product=arrival.columns.product.value, confirm=terms.confirm, basis=terms.basis, wording=terms.wording,
        )  # fmt: skip


def _product(word: str) -> Product | None:
    if word == _AUTO:
        return None
    try:
        return Product(word)
    except ValueError:
        raise InvalidInput(f"--from knows auto, {', '.join(Product)}; not {word!r}.", "from") from None


def _mapping(pairs: list[str]) -> list[tuple[str, str]]:
    split = [pair.partition("=") for pair in pairs]
    if not all(equals for _, equals, _ in split):
        raise InvalidInput("--map is written MEANING=COLUMN, such as --map address=Email.", "map")
    return [(meaning, column) for meaning, _, column in split]


def _tell(table: Table, plan: Plan) -> None:
    """How the file is read, before anything is written."""
    say(f"Read as {table.described}; recognised as {plan.columns.product.value}.")
    for meaning in Meaning:
        names = [repr(table.header[index]) for index in plan.columns.at.get(meaning, ())]
        if names and meaning is not Meaning.IGNORED:
            say(f"  {meaning.value}: {', '.join(names)}")
    for name, meaning in plan.found.items():
        say(f"By its name and its cells, {name!r} is read as {meaning.value}; --map ignored={name!r} says otherwise.")
    for name, samples in plan.not_read.items():
        say(f"Not read: {name!r}, such as {samples}")


def _report(account: Account, plan: Plan, bad: Path, *, as_json: bool) -> None:
    arrival = account.arrival
    fates = {fate.value: arrival.fates[fate] for fate in Fate}
    product = {"recognised as": arrival.columns.product.value, "dry run": "yes" if arrival.dry else None}
    sums = {"rows": account.rows, "lines": account.table.lines}
    lost = {f"{meaning.value} unread": count for meaning, count in arrival.reader.unread.items()}
    more = {"lines by kind": account.lines, "columns not read": plan.not_read} if as_json else {}
    show_one({**product, **fates, **sums, **lost, **more}, as_json=as_json)
    parts = " + ".join(f"{arrival.fates[fate]:,} {fate.value}" for fate in Fate if arrival.fates[fate]) or "0"
    say(f"{account.rows:,} rows = {parts}.")
    of = " + ".join(f"{count:,} {kind}" for kind, count in account.lines.items())
    say(f"{account.table.lines:,} lines = {of}.")
    for meaning, count in arrival.reader.unread.items():
        example = arrival.reader.examples[meaning]
        say(f"The {meaning.value} of {count:,} rows could not be read and was left out, as in {example}.")
    if any(arrival.fates[fate] for fate in _REJECTED):
        say(f"The rows that could not be used are in {bad}, each with its line and its reason.")
    if arrival.dry:
        say("This was a dry run: nothing was written to the database.")


class _Rejects:
    """The reject file: the original columns and `reason`. It is made with its first row, for its owner's eyes only."""

    def __init__(self, path: Path, header: list[str]) -> None:
        self._path = path
        self._header = header
        self._file: TextIO | None = None

    def __enter__(self) -> "_Rejects":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, row: Row, reason: str) -> None:
        if self._file is None:
            self._file = private_file(self._path)
            csv.writer(self._file).writerow([*self._header, "reason"])
        spare = max(0, len(self._header) - len(row.cells))
        csv.writer(self._file).writerow([*row.cells, *[""] * spare, f"line {row.line}: {reason}"])


@contextlib.contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere; gives a function to call with what is done."""
    columns = (TextColumn("{task.completed:,.0f} of {task.total:,.0f}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield lambda done: progress.update(task, completed=done)
