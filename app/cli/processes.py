"""`serve`, `worker`, `migrate`: the processes of a running service."""

import asyncio
from typing import Annotated

import typer

from app.bootstrap import Container, build
from app.cli.terminal import complain, say
from app.cli.workshop import demand_migrated, run, settings_and_log
from app.core import heap, loop
from app.core.net import trust
from app.jobs import worker as jobs
from app.operations import migrations, shared_settings
from app.operations.shared_settings import Difference
from app.stages.send.edition_ledger import MOST_SHARDS


def register(cli: typer.Typer) -> None:
    cli.command(epilog="Example: morningpost serve --no-worker")(serve)
    cli.command(epilog="Example: morningpost worker --concurrency 8")(worker)
    cli.command(epilog="Example: morningpost migrate")(migrate)


def serve(
    with_worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Start and supervise one worker beside the web.")
    ] = True,
) -> None:
    """Serve the site and the API; with a worker, one command is a whole newsletter."""
    from app.cli import serve as server  # noqa: PLC0415  # a worker, and every other command, goes without the web

    settings = settings_and_log()
    loop.run(server.serve(settings, with_worker=with_worker))


def worker(
    concurrency: Annotated[
        int, typer.Option(min=1, max=64, help="Shards of an edition in hand at once, of about a thousand readers each.")
    ] = MOST_SHARDS,
    supervised: Annotated[bool, typer.Option(hidden=True, help="End when standard input closes.")] = False,
) -> None:
    """Run the timetable and hand mail over until SIGTERM; on PostgreSQL on any number of machines at once."""
    settings = settings_and_log()

    async def inside() -> int:
        container = build(settings)
        try:
            await demand_migrated(container)
            trust.ready()
            heap.settle()
            return await jobs.run_until_signalled(container, supervised=supervised, concurrency=concurrency)
        finally:
            await container.close()

    raise typer.Exit(loop.run(inside()))


def migrate() -> None:
    """Bring the database to this version's tables; safe to repeat."""
    settings = settings_and_log("WARNING")
    asyncio.run(migrations.upgrade(settings.database_url))
    say(f"The database is at revision {migrations.newest()}.")
    if found := run(_differing, any_settings=True):
        names = ", ".join(one.name for one in found)
        complain(f"other settings are written down for all processes ({names}); see: morningpost settings show")


async def _differing(container: Container) -> list[Difference]:
    _, found = await shared_settings.differing(container.db, container.settings)
    return found
