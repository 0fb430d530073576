"""`morningpost keys`: who may use the operator API."""

from typing import Annotated

import typer

from app.bootstrap import Container
from app.cli.terminal import Json, out, say, show
from app.cli.workshop import run
from app.operations import access, audit
from app.operations.access import Scope
from app.store import access as rows

group = typer.Typer(name="keys", help="Bearer keys for the operator API.", no_args_is_help=True)
ACTOR = "command line"


@group.command(epilog="Example: morningpost keys create newsroom --scope read --scope write")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for; shown in the audit log.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; all of it where none is given.")] = None,
) -> None:
    """Make a key and print it. It cannot be read again."""

    async def work(container: Container) -> str:
        now = container.clock.now()
        async with container.db.write() as session:
            key = await access.create_key(session, name, [one.value for one in scope or Scope], now)
            await audit.record(session, ACTOR, "create", "key", None, now, name=name)
        return key

    key = run(work)
    say("Keep this key; it is not shown again:")
    out.print(key, markup=False)


@group.command("list", epilog="Example: morningpost keys list --json")
def list_(json: Json = False) -> None:
    """List the keys, never their text."""

    async def work(container: Container) -> list[dict[str, object]]:
        async with container.db.read() as session:
            return [
                {"name": key.name, "scopes": " ".join(key.scopes), "created": key.created_at, "revoked": key.revoked_at}
                for key in await rows.list_keys(session)
            ]

    show(run(work), as_json=json, empty="There are no keys yet: morningpost keys create NAME")


@group.command(epilog="Example: morningpost keys revoke newsroom")
def revoke(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """End a key at once."""

    async def work(container: Container) -> None:
        now = container.clock.now()
        async with container.db.write() as session:
            await access.revoke_key(session, name, now)
            await audit.record(session, ACTOR, "revoke", "key", None, now, name=name)

    run(work)
    say(f"The key {name} is no longer accepted.")
