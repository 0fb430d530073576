"""Words to the terminal: results on standard output, everything else on standard error."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.core.text import escaped, is_clean

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]


def complain(message: str) -> None:
    """One sentence, or a few lines, about what went wrong."""
    for line in message.splitlines():
        err.print(f"morningpost: {escaped(line)}", markup=False)


def say(message: str) -> None:
    """A line on how it is going."""
    err.print(escaped(message), markup=False)


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """A list as a table, or as JSON."""
    if as_json:
        _print_json(list(rows))
        return
    if not rows:
        say(empty)
        return
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(*("" if value is None else escape(escaped(str(value))) for value in row.values()))
    out.print(table)


def show_one(fields: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing as lines, or as JSON."""
    if as_json:
        _print_json(dict(fields))
        return
    for name, value in fields.items():
        if value not in (None, ""):
            out.print(escaped(f"{name}: {value}"), markup=False)


def _print_json(value: Any) -> None:
    """As JSON escapes it; also what it would leave as it is and a terminal obeys, such as U+009B."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    out.print("".join(sign if is_clean(sign, lines=True) else f"\\u{ord(sign):04x}" for sign in text), markup=False)
