"""`morningpost settings`: what every process must be started with, and how a change is made known to all."""

import typer

from app.bootstrap import Container
from app.cli.terminal import Json, say, show, show_one
from app.cli.workshop import run
from app.core.settings import PREFIX
from app.operations import shared_settings
from app.operations.shared_settings import SHARED, Difference
from app.store import shared_settings as rows

group = typer.Typer(name="settings", help="Settings that all processes share.", no_args_is_help=True)
ACTOR = "command line"


@group.command("show", epilog="Example: morningpost settings show --json")
def show_(json: Json = False) -> None:
    """Show the settings that are written down for all processes. Exit code 1 where they are others here."""

    async def work(container: Container) -> tuple[dict[str, object], list[Difference]]:
        async with container.db.read() as session:
            newest = await rows.newest(session)
        if newest is None:
            return {}, []
        fields = {"version": newest.version, "applied_at": newest.applied_at, "actor": newest.actor}
        named = {PREFIX + name.upper(): newest.settings.get(name) for name in SHARED}
        return {**fields, **named}, shared_settings.differences(container.settings, newest.settings)

    fields, found = run(work, any_settings=True)
    show_one(fields, as_json=json)
    if found:
        for one in found:
            say(f"{one.name} is {one.here} here and {one.written} in the database")
        raise typer.Exit(1)


@group.command(epilog="Example: morningpost settings apply --yes")
def apply(
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
    json: Json = False,
) -> None:
    """Make the settings of this environment those of all processes. Hours hold from the next edition's window on."""

    async def look(container: Container) -> list[Difference]:
        _, found = await shared_settings.differing(container.db, container.settings)
        return found

    found = run(look, any_settings=True)
    lines = [{"setting": one.name, "was": one.written, "becomes": one.here} for one in found]
    if not yes and found:
        show(lines, as_json=False, empty="")
        typer.confirm("Apply them to all processes?", abort=True, err=True)

    async def work(container: Container) -> list[Difference]:
        return list(await shared_settings.apply(container.db, container.settings, ACTOR, container.clock.now()))

    run(work, any_settings=True)
    if json:
        show(lines, as_json=True, empty="")
    elif found:
        say("They are written down. Restart every process with them; until then /readyz of the old ones is not ready.")
    else:
        say("Nothing is other than what is written down.")
