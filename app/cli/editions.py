"""`morningpost editions`: what was printed, what is wrong with it, and how far it got."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from app.bootstrap import Container
from app.cli.terminal import Json, say, show, show_one
from app.cli.workshop import run
from app.core.errors import NotFound
from app.stages.render import link_check, linting
from app.stages.render.link_check import LinkChecker
from app.store import deliveries, editions, outcomes

group = typer.Typer(name="editions", help="Editions and how far their delivery is.", no_args_is_help=True)


@group.command("list", epilog="Example: morningpost editions list --json")
def list_(limit: Annotated[int, typer.Option(min=1, max=200)] = 30, json: Json = False) -> None:
    """List editions, the newest first."""

    async def work(container: Container) -> list[dict[str, object]]:
        async with container.db.read() as session:
            return [
                {
                    "date": edition.date,
                    "no": edition.number,
                    "status": edition.status.value,
                    "subject": edition.subject,
                    "reason": edition.reason,
                }
                for edition in await editions.newest(session, limit, None)
            ]

    show(run(work), as_json=json, empty="There is no edition yet: morningpost compose")


@group.command(epilog="Example: morningpost editions progress 2026-11-23")
def progress(
    date: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The edition's date.")], json: Json = False
) -> None:
    """Show who was sent an edition, in numbers."""

    async def work(container: Container) -> dict[str, object]:
        async with container.db.read() as session:
            edition = await editions.of_day(session, date.date())
            if edition is None:
                raise NotFound(f"There is no edition of {date:%Y-%m-%d}.")
            counts = await deliveries.counts(session, edition.id)
            return {
                "date": edition.date,
                "status": edition.status.value,
                "reason": edition.reason,
                **{status.value: count for status, count in counts.items()},
                "repeated": await outcomes.repeats(session, edition.id),
            }

    show_one(run(work), as_json=json)


@group.command(epilog="Example: morningpost editions lint 2026-11-23")
def lint(
    date: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The edition's date.")],
    links: Annotated[bool, typer.Option("--links", help="Look its links up first.")] = False,
    json: Json = False,
) -> None:
    """List what is wrong with an edition. Exit code 1 where an error keeps it from being frozen."""

    async def work(container: Container) -> linting.Report:
        async with container.db.read() as session:
            edition = await editions.of_day(session, date.date())
        if edition is None:
            raise NotFound(f"There is no edition of {date:%Y-%m-%d}.")
        if links:
            checker = container.links or LinkChecker(container.settings.public_url)
            await link_check.of_edition(
                container.db, edition.id, container.settings.publication, checker, container.clock.now()
            )
        return await linting.of_edition(container.db, edition.id, container.settings.publication, container.clock.now())

    report = run(work)
    show([asdict(one) for one in report.problems], as_json=json, empty="Nothing is wrong with it.")
    if not json and report.problems:
        say(f"{report.errors} errors, {report.warnings} warnings")
    if report.errors:
        raise typer.Exit(1)
