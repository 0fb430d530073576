"""`morningpost clock`: the clock that decides what is due."""

import typer

from app.bootstrap import Container
from app.cli.terminal import say
from app.cli.workshop import run
from app.operations import audit

group = typer.Typer(name="clock", help="The clock that decides what is due.", no_args_is_help=True)
ACTOR = "command line"


@group.callback()
def _keep_as_a_group() -> None:
    pass


@group.command(epilog="Example: morningpost clock confirm")
def confirm() -> None:
    """Say that the clock is right after it jumped: all processes go on at once, and what is too late expires."""

    async def work(container: Container) -> str:
        at = await container.watch.confirm()
        async with container.db.write() as session:
            await audit.record(session, ACTOR, "confirm", "clock", None, at)
        return f"{at:%Y-%m-%d %H:%M:%S} UTC"

    say(f"It is {run(work)}: every process goes by it within half a minute.")
