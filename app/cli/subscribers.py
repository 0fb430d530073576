"""`morningpost subscribers`: moving in and out, and where readers came from."""

import contextlib
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from app.bootstrap import Container
from app.cli import placements, reader_import
from app.cli.terminal import say
from app.cli.workshop import private_file, run
from app.core.contention import retried
from app.operations import audit
from app.stages.audience import belongings, erasure, export_readers

group = typer.Typer(name="subscribers", help="Moving readers in and out; where they came from.", no_args_is_help=True)
group.add_typer(placements.group)
group.command("import", epilog="Example: morningpost subscribers import members.csv --dry-run")(reader_import.import_)
ACTOR = "command line"


class Form(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


@group.command(epilog="Example: morningpost subscribers export --format jsonl --to readers.jsonl")
def export(
    form: Annotated[Form, typer.Option("--format", help="A table, or one JSON object a line.")] = Form.CSV,
    to: Annotated[Path | None, typer.Option(help="The file to write; standard output unless said.")] = None,
) -> None:
    """Write out every reader: state, choices, dates, source."""

    async def work(container: Container) -> int:
        with contextlib.nullcontext(sys.stdout) if to is None else private_file(to) as out:
            return await _write(container, out, form)

    say(f"{run(work):,} readers written.")


async def _write(container: Container, out: TextIO, form: Form) -> int:
    count = 0
    if form is Form.CSV:
        export_readers.write_csv_header(out)
    write = export_readers.write_csv if form is Form.CSV else export_readers.write_jsonl
    async for page in export_readers.pages(container.db):
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
    with contextlib.nullcontext(sys.stdout) if to is None else private_file(to) as out:
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
