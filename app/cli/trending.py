"""`morningpost trending`: what is counted, what of it is held, and what an editor decided."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from app.bootstrap import Container
from app.cli.terminal import Json, complain, say, show
from app.cli.workshop import run
from app.models.counts import Row, Ruling, Snapshot, TrendKind, ref_of
from app.operations import audit
from app.stages.collect import rulings, snapshot
from app.store import counts, trends

group = typer.Typer(name="trending", help="What is counted at Hugging Face and GitHub.", no_args_is_help=True)
ACTOR = "command line"
OLDEST = timedelta(hours=48)
Name = Annotated[str, typer.Argument(help="owner/name, its number, or its ref such as github:repository:102.")]


@group.command(epilog="Example: morningpost trending collect --within 30")
def collect(
    within: Annotated[float, typer.Option(min=1, max=600, help="Seconds for all sources together.")] = 60,
) -> None:
    """Count now, as the timetable does every hour. Exit code 1 where a source gave nothing."""

    async def work(container: Container) -> snapshot.CollectReport:
        return await snapshot.collect(container.db, container.sources, container.clock.now(), within, insist=True)

    report = run(work)
    say(report.summary)
    for line in report.problems:
        complain(line)
    if report.problems:
        raise typer.Exit(1)


@group.command("list", epilog="Example: morningpost trending list --chart repository --rows 20")
def list_(
    chart: Annotated[TrendKind | None, typer.Option(help="Only this chart; all unless said.")] = None,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The charts of this UTC day; the newest of two days unless said."),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, max=200, help="Rows of each chart.")] = 10,
    held: Annotated[bool, typer.Option("--held", help="Only what is held or has no arrow, and why.")] = False,
    json: Json = False,
) -> None:
    """Show the charts and movers of a day, with what is held from print and why."""

    async def work(container: Container) -> Sequence[Mapping[str, Any]]:
        async with container.db.read() as session:
            newest = await (
                trends.on_day(session, day.date()) if day else trends.latest(session, container.clock.now() - OLDEST)
            )
        return [
            _line(one, row) if json else _short(one, row)
            for key, one in sorted(newest.items())
            if chart in (None, key[1])
            for row in _shown(one, rows, held=held)
        ]

    nothing = f"Nothing was counted on {day:%Y-%m-%d}." if day else "Nothing was counted in the last two days."
    show(run(work), as_json=json, empty="Nothing is held." if held else nothing)


@group.command(epilog="Example: morningpost trending allow halyard-io/halyard")
def allow(name: Name) -> None:
    """Let a held thing be printed from the next count on, whatever looks odd about its figures."""
    _rule(name, Ruling.ALLOW, "will be printed")


@group.command(epilog="Example: morningpost trending block treadle/treadle")
def block(name: Name) -> None:
    """Keep a thing off every chart from the next count on."""
    _rule(name, Ruling.BLOCK, "will be on no chart")


@group.command(epilog="Example: morningpost trending clear treadle/treadle")
def clear(name: Name) -> None:
    """Take back what was allowed or blocked; it is then judged like anything else."""
    _rule(name, None, "is judged like anything else")


@group.command("rulings", epilog="Example: morningpost trending rulings --json")
def rulings_(json: Json = False) -> None:
    """Show what was allowed and blocked."""

    async def work(container: Container) -> Sequence[Mapping[str, Any]]:
        async with container.db.read() as session:
            found = await counts.ruled(session)
        return [
            {"ref": ref_of(source, kind, thing.external_id), "name": thing.name, "ruling": thing.ruling}
            for _, source, kind, thing in sorted(found, key=lambda one: one[3].name)
        ]

    show(run(work), as_json=json, empty="Nothing is allowed or blocked.")


def _rule(name: str, ruling: Ruling | None, said: str) -> None:
    async def work(container: Container) -> str:
        async with container.db.write() as session:
            thing_id, _, thing = await rulings.rule(session, name, ruling)
            what = ruling.value if ruling else "clear"
            await audit.record(session, ACTOR, what, "trend", thing_id, container.clock.now(), name=thing.name)
        return thing.name

    say(f"{run(work)} {said}, from the next count on: morningpost trending collect")


def _shown(chart: Snapshot, most: int, *, held: bool) -> Sequence[Row]:
    """The first rows, and every one with a remark."""
    if held:
        return [row for row in chart.rows if row.remark]
    return [row for place, row in enumerate(chart.rows) if place < most or row.held]


def _short(chart: Snapshot, row: Row) -> Mapping[str, Any]:
    """What fits on a terminal; a place is that of today after that of a week ago."""
    places = "" if row.rank is None else f"{row.was} → {row.rank}" if row.was is not None else str(row.rank)
    week = "" if row.gained is None else f"{row.gained:,}"
    return {"chart": chart.kind.value, "place": places, "name": row.name, "week": week, "remark": row.remark}


def _line(chart: Snapshot, row: Row) -> Mapping[str, Any]:
    return {
        "chart": chart.kind.value,
        "as of": f"{chart.captured_at:%Y-%m-%d %H:%M}",
        "place": row.rank,
        "was": row.was,
        "ref": ref_of(chart.source, row.kind or chart.kind, row.external_id),
        "name": row.name,
        "week": row.gained,
        "usual": None if row.usual is None else round(row.usual),
        "in all": row.count,
        "basis": row.basis.value if row.basis else None,
        "confirmed": row.confirmed,
        "held": row.held,
        "remark": row.remark,
    }
