"""`morningpost subscribers`: moving in and out, and where readers came from."""

import contextlib
import csv
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from app.bootstrap import Container
from app.cli import placements
from app.cli.terminal import Json, err, say, show_one
from app.cli.workshop import run
from app.core import heap
from app.core.contention import retried
from app.core.errors import InvalidInput
from app.operations import audit
from app.stages.audience import belongings, erasure, transfer, transfer_columns, transfer_file, transfer_out
from app.stages.audience.transfer import Arrival, Fate, Terms
from app.stages.audience.transfer_columns import Product
from app.stages.audience.transfer_file import Row

group = typer.Typer(name="subscribers", help="Moving readers in and out; where they came from.", no_args_is_help=True)
group.add_typer(placements.group)
ACTOR = "command line"
_AUTO = "auto"


class Form(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


@group.command("import", epilog="Example: morningpost subscribers import members.csv --dry-run")
def import_(
    file: Annotated[Path, typer.Argument(help="The CSV file as the other product exported it.", dir_okay=False)],
    from_: Annotated[
        str, typer.Option("--from", metavar="|".join(["auto", *Product]), help="Whose export it is.")
    ] = _AUTO,
    map_: Annotated[
        list[str] | None, typer.Option("--map", help="MEANING=COLUMN, such as address=Email; may be repeated.")
    ] = None,
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
    chosen = _mapping(map_ or [])
    bad = rejects or file.with_name(file.name + ".rejects.csv")
    if bad.resolve() == file.resolve():
        raise InvalidInput("The reject file must not be the file that is imported.", "rejects")

    async def work(container: Container) -> Arrival:
        with transfer_file.opened(file) as (header, rows), _Rejects(bad, header) as refuse:
            product = _product(from_)
            columns = transfer_columns.recognise(header, product, chosen)
            arrival = Arrival(columns, terms, refuse.add, dry=dry_run)
            await _bring_in(container, file, rows, arrival)
        return arrival

    arrival = run(work)
    _report(arrival, bad, as_json=json)


async def _bring_in(container: Container, file: Path, rows: Iterator[Row], arrival: Arrival) -> None:
    heap.settle()
    if not arrival.dry:
        await _declare(container, arrival)
    with _bar(transfer_file.count_lines(file)) as forward:
        async for line in transfer.bring_in(container.db, container.suppressor, container.clock, rows, arrival):
            forward(line)


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


def _mapping(pairs: list[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    if not all(equals for _, equals, _ in split):
        raise InvalidInput("--map is written MEANING=COLUMN, such as --map address=Email.", "map")
    return {meaning: column for meaning, _, column in split}


def _report(arrival: Arrival, bad: Path, *, as_json: bool) -> None:
    fates = {fate.value: arrival.fates[fate] for fate in Fate}
    product = {"recognised as": arrival.columns.product.value, "dry run": "yes" if arrival.dry else None}
    show_one({**product, **fates}, as_json=as_json)
    if arrival.fates[Fate.REJECTED] or arrival.fates[Fate.REPEATED]:
        say(f"The rows that could not be used are in {bad}, each with its reason.")
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
            self._file = _private(self._path)
            csv.writer(self._file).writerow([*self._header, "reason"])
        spare = max(0, len(self._header) - len(row.cells))
        csv.writer(self._file).writerow([*row.cells, *[""] * spare, f"line {row.line}: {reason}"])


def _private(path: Path) -> TextIO:
    try:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.", "file") from None


@contextlib.contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere; gives a function to call with what is done."""
    columns = (TextColumn("{task.completed:,.0f} of {task.total:,.0f}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield lambda done: progress.update(task, completed=done)


@group.command(epilog="Example: morningpost subscribers export --format jsonl --to readers.jsonl")
def export(
    form: Annotated[Form, typer.Option("--format", help="A table, or one JSON object a line.")] = Form.CSV,
    to: Annotated[Path | None, typer.Option(help="The file to write; standard output unless said.")] = None,
) -> None:
    """Write out every reader: state, choices, dates, source."""

    async def work(container: Container) -> int:
        with contextlib.nullcontext(sys.stdout) if to is None else _private(to) as out:
            return await _write(container, out, form)

    say(f"{run(work):,} readers written.")


async def _write(container: Container, out: TextIO, form: Form) -> int:
    count = 0
    if form is Form.CSV:
        transfer_out.write_csv_header(out)
    write = transfer_out.write_csv if form is Form.CSV else transfer_out.write_jsonl
    async for page in transfer_out.pages(container.db):
        write(out, page)
        count += len(page)
    return count


class FileKind(StrEnum):
    JSON = "json"
    CSV = "csv"


@group.command(epilog="Example: morningpost subscribers data ada@example.org --format csv --to ada.csv")
def data(
    address: Annotated[str, typer.Argument(help="The reader's address.")],
    form: Annotated[FileKind, typer.Option("--format", help="One JSON object, or a line a value.")] = FileKind.JSON,
    to: Annotated[Path | None, typer.Option(help="The file to write; standard output unless said.")] = None,
) -> None:
    """Write out all that is kept about one person, consents included."""

    async def work(container: Container) -> str:
        async with container.db.write() as session:
            reader, mine = await belongings.of_address(session, container.suppressor, address)
            now = container.clock.now()
            await audit.record(session, ACTOR, "export", "subscribers", reader, now, format=form.value)
        return belongings.as_json(mine) if form is FileKind.JSON else belongings.as_csv(mine)

    text = run(work)
    with contextlib.nullcontext(sys.stdout) if to is None else _private(to) as out:
        out.write(text)


@group.command(epilog="Example: morningpost subscribers erase ada@example.org")
def erase(
    address: Annotated[str, typer.Argument(help="The reader's address.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete everything about one person; no import brings them back. This cannot be undone."""
    if not yes:
        typer.confirm(f"Delete everything about {address}?", abort=True, err=True)

    async def work(container: Container) -> bool:
        async def step() -> None:
            async with container.db.write() as session:
                now = container.clock.now()
                reader = await erasure.erase_address(session, container.suppressor, address, now)
                await audit.record(session, ACTOR, "erase", "subscribers", reader, now)

        await retried(step)
        return await erasure.truncate(container.db)

    emptied = run(work)
    say("Erased." if emptied else "Erased. The worker empties the database's log as soon as it can.")
