"""`morningpost sources`: where stories are found, and how every source does."""

from datetime import datetime
from typing import Annotated, Any

import typer

from app.bootstrap import Container
from app.cli.terminal import Json, complain, say, show
from app.cli.workshop import run
from app.core.numbers import LARGEST_ID
from app.models import Source, SourceHealth, SourceKind
from app.models.breaker import Breaker, quiet, state
from app.models.content import Section
from app.operations import audit
from app.stages.collect import gather as gathering
from app.stages.collect import sourcing
from app.store import health, sources

group = typer.Typer(name="sources", help="Where stories are found, and how every source does.")
ACTOR = "command line"
Number = Annotated[int, typer.Argument(min=0, max=LARGEST_ID, help="The source's number, as `sources list` shows it.")]


@group.callback(invoke_without_command=True)
def overview(context: typer.Context) -> None:
    """Where stories are found, and how every source does. Without a command: the list."""
    if context.invoked_subcommand is None:
        list_(json=False)


@group.command("list", epilog="Example: morningpost sources list --json")
def list_(json: Json = False) -> None:
    """List every source with its health; those of trends have no number."""

    async def work(container: Container) -> list[dict[str, Any]]:
        now = container.clock.now()
        async with container.db.read() as session:
            records = {one.name: one for one in await health.every(session)}
            stories = [
                _line(one, records.pop(health.name_of(one.id), None), now) for one in await sources.every(session)
            ]
        return stories + [_trends(one, now) for one in records.values() if one.source_id is None]

    show(run(work), as_json=json, empty="There are no sources yet: morningpost sources defaults adds those we suggest.")


def _line(source: Source, record: SourceHealth | None, now: datetime) -> dict[str, Any]:
    return {
        "id": source.id,
        "kind": source.kind.value,
        "name": source.name,
        "section": source.section.value,
        **_health(record, now, enabled=source.enabled),
        "url": source.url,
    }


def _trends(record: SourceHealth, now: datetime) -> dict[str, Any]:
    return {
        "id": None,
        "kind": "trends",
        "name": record.name,
        "section": "trending",
        **_health(record, now, enabled=True),
        "url": "",
    }


def _health(record: SourceHealth | None, now: datetime, *, enabled: bool) -> dict[str, Any]:
    if record is None:
        return {"state": "not asked yet" if enabled else "off", "last success": None, "latency ms": None,
                "newest": None, "problem": ""}  # fmt: skip
    return {
        "state": _state(record, now) if enabled else "off",
        "last success": _minute(record.succeeded_at),
        "latency ms": record.latency_ms,
        "newest": _minute(record.data_at),
        "problem": record.problem,
    }


def _state(record: SourceHealth, now: datetime) -> str:
    match state(record.failures, record.open_until, now):
        case Breaker.OPEN:
            return f"left alone until {_minute(record.open_until)}"
        case Breaker.HALF_OPEN:
            return "to be tried again"
        case Breaker.CLOSED if record.failures:
            return "failed once" if record.failures == 1 else f"failed {record.failures} times"
    return "quiet" if quiet(record.data_at, record.usual_gap, now) else "well"


def _minute(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%d %H:%M}Z"


@group.command(epilog="Example: morningpost sources add https://example.org/feed.xml --name Example --section opinion")
def add(
    url: Annotated[str, typer.Argument(help="A feed, or a query of arXiv's API or Hacker News's search.")],
    kind: Annotated[SourceKind | None, typer.Option(help="Guessed from the address unless said.")] = None,
    name: Annotated[str | None, typer.Option(help="As it is credited in print; its host unless said.")] = None,
    section: Annotated[Section, typer.Option(help="Where its finds are proposed for.")] = Section.TOOLS,
    weight: Annotated[float, typer.Option(help="How much a find counts; 1 is usual.")] = 1.0,
    most: Annotated[int, typer.Option(help="New candidates a day at most.")] = 20,
) -> None:
    """Add a source. It is asked within the hour; `sources check` asks it now."""
    told = {"kind": kind, "name": name}.items()
    given = {field: value for field, value in told if value is not None}
    fields = sourcing.parse({"url": url, "section": section, "weight": weight, "most": most, **given})

    async def work(container: Container) -> int:
        async with container.db.write() as session:
            source_id = await sourcing.add(session, fields, container.clock.now())
            await audit.record(session, ACTOR, "create", "source", source_id, container.clock.now())
        return source_id

    say(f"Source {run(work)} added: {fields.name}.")


@group.command(epilog="Example: morningpost sources defaults")
def defaults() -> None:
    """Add the sources we suggest that are not there yet."""

    async def work(container: Container) -> int:
        async with container.db.write() as session:
            made = await sourcing.add_defaults(session, container.clock.now())
            for source_id in made:
                await audit.record(session, ACTOR, "create", "source", source_id, container.clock.now())
        return len(made)

    say(f"{run(work)} sources added.")


@group.command(epilog="Example: morningpost sources check 3")
def check(source: Number, json: Json = False) -> None:
    """Ask a source now and show what it has; nothing is taken. Exit code 1 where it gives nothing."""

    async def work(container: Container) -> sourcing.Tried:
        return await sourcing.check(container.db, container.gatherer, source, container.clock.now())

    tried = run(work)
    rows = [{"published": _minute(one.published_at), "title": one.title, "url": one.url} for one in tried.finds]
    show(rows, as_json=json, empty="It has nothing at present." if tried.ok else "")
    if tried.moved:
        say(f"It has moved for good, to {tried.moved}.")
    if tried.problem:
        complain(tried.problem)
    if not tried.ok:
        raise typer.Exit(1)


@group.command(epilog="Example: morningpost sources gather --all")
def gather(
    within: Annotated[float, typer.Option(min=1, max=600, help="Seconds for all sources together.")] = 90,
    all_: Annotated[bool, typer.Option("--all", help="Also those that were asked a moment ago.")] = False,
) -> None:
    """Gather stories now, as the timetable does every hour. Exit code 1 where a source gave nothing."""

    async def work(container: Container) -> gathering.GatherReport:
        return await gathering.gather(container.db, container.gatherer, container.clock.now(), within, all_of_them=all_)

    report = run(work)
    say(report.summary)
    for line in report.problems:
        complain(line)
    if any(one.failed for one in report.sources):
        raise typer.Exit(1)


@group.command(epilog="Example: morningpost sources change 3 --off")
def change(
    source: Number,
    url: Annotated[str | None, typer.Option(help="Its new address.")] = None,
    name: Annotated[str | None, typer.Option(help="As it is credited in print.")] = None,
    section: Annotated[Section | None, typer.Option(help="Where its finds are proposed for.")] = None,
    weight: Annotated[float | None, typer.Option(help="How much a find counts; 1 is usual.")] = None,
    most: Annotated[int | None, typer.Option(help="New candidates a day at most.")] = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is asked.")] = None,
) -> None:
    """Change a source, switch it off or on again. Its breaker is closed."""
    told = {"url": url, "name": name, "section": section, "weight": weight, "most": most, "enabled": on}
    fields = {key: value for key, value in told.items() if value is not None}

    async def work(container: Container) -> None:
        async with container.db.write() as session:
            await sourcing.change(session, source, fields, container.clock.now())
            await audit.record(session, ACTOR, "change", "source", source, container.clock.now(), fields=sorted(fields))

    run(work)
    say(f"Source {source} changed.")


@group.command(epilog="Example: morningpost sources remove 3")
def remove(source: Number) -> None:
    """Forget a source; the stories found there stay."""

    async def work(container: Container) -> None:
        async with container.db.write() as session:
            await sourcing.remove(session, source)
            await audit.record(session, ACTOR, "delete", "source", source, container.clock.now())

    run(work)
    say(f"Source {source} removed.")
