"""`morningpost trending`: what is counted."""

from typing import Annotated

import typer

from app.bootstrap import Container
from app.cli.terminal import complain, say
from app.cli.workshop import run
from app.stages.collect import snapshot

group = typer.Typer(name="trending", help="What is counted at Hugging Face and GitHub.", no_args_is_help=True)


@group.command(epilog="Example: morningpost trending collect --within 30")
def collect(
    within: Annotated[float, typer.Option(min=1, max=600, help="Seconds for all sources together.")] = 60,
) -> None:
    """Count now, as the timetable does every hour. Exit code 1 where a source gave nothing."""

    async def work(container: Container) -> snapshot.CollectReport:
        return await snapshot.collect(container.db, container.sources, container.clock.now(), within)

    report = run(work)
    say(report.summary)
    for line in report.problems:
        complain(line)
    if report.problems:
        raise typer.Exit(1)
