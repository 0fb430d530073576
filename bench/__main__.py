"""Runs every measurement and prints it beside its budget."""

import asyncio
import sys

from rich.console import Console
from rich.table import Table

from app.core import log
from bench import demo, freeze, movers, render
from bench.measure import Measurement


def main() -> int:
    log.configure("console", "ERROR")
    console = Console(highlight=False)
    with console.status("measuring"):
        found: list[Measurement] = [
            *render.measure(),
            *asyncio.run(freeze.measure()),
            *movers.measure(),
            demo.measure(),
        ]
    table = Table("what", "measured", "budget", "", box=None, pad_edge=False)
    for one in found:
        verdict = "ok" if one.within else "over"
        table.add_row(one.what, f"{one.value:,.1f} {one.unit}", f"{one.budget:,.0f} {one.unit}", verdict)
    console.print(table)
    return 0 if all(one.within for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
