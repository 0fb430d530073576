"""`morningpost providers`: the ways out, their limits, and whether they answer."""

from dataclasses import asdict
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from app.bootstrap import Container
from app.cli.terminal import Json, complain, say, show
from app.cli.workshop import run
from app.core.errors import ConfigurationError
from app.core.mail.provider import lacking, wanted
from app.models.breaker import Breaker
from app.stages.send.standing import Standing, standings

group = typer.Typer(name="providers", help="The ways out, their limits, and whether they answer.")


@group.callback(invoke_without_command=True)
def overview(context: typer.Context) -> None:
    """The ways out, their limits, and whether they answer. Without a command: the list."""
    if context.invoked_subcommand is None:
        list_(json=False)


@group.command("list", epilog="Example: morningpost providers list --json")
def list_(json: Json = False) -> None:
    """List every provider: whether it works, its limits, what is used of today, and what was last wrong with it."""

    async def work(container: Container) -> list[dict[str, Any]]:
        async with container.db.read() as session:
            found = await standings(
                session, container.providers, container.limits, container.settings.zone, container.clock.now()
            )
        return [asdict(one) if json else _line(one, container.settings.zone) for one in found]

    show(run(work, any_settings=True), as_json=json, empty="")


def _line(one: Standing, zone: ZoneInfo) -> dict[str, str]:
    """What an operator wants to know at a glance; `--json` has it all."""
    today = f"{one.used_today} of {one.allowed_today}" if one.allowed_today is not None else ""
    return {
        "provider": one.name,
        "now": _now(one, zone),
        "a second": f"{one.rate:g}" if one.rate else "",
        "today": f"{today}, day {one.warmup_day} of its warm-up" if one.warmup_day else today,
        "last fault": f"{one.last_fault_at.astimezone(zone):%d %b %H:%M} {one.last_fault}" if one.last_fault_at else "",
    }


def _now(one: Standing, zone: ZoneInfo) -> str:
    if one.breaker is Breaker.OPEN and one.open_until:
        return f"left alone until {one.open_until.astimezone(zone):%H:%M} ({one.failures} failures)"
    if one.breaker is Breaker.HALF_OPEN:
        return "on trial with the next mails"
    slow = [f"{group} waits until {until.astimezone(zone):%H:%M}" for group, until in one.barred.items()]
    back = [f"{group} comes back, {rate:g} a second now" for group, rate in one.coming_back.items()]
    return "; ".join(["in use" if one.in_use else "stands by", *slow, *back])


@group.command(epilog="Example: morningpost providers check")
def check(
    name: Annotated[str | None, typer.Argument(help="One of them; all where none is named.")] = None,
) -> None:
    """Connect and log in, and send nothing. Exit code 1 where a provider could not send now."""

    async def work(container: Container) -> dict[str, tuple[str, list[str]]]:
        wishes = wanted(own_return_path=bool(container.settings.return_path_domain))
        chosen = [one for one in container.providers if name in (None, one.name)]
        found = {}
        for one in chosen:
            weaker, problem = lacking(one.capabilities, wishes), ""
            try:
                await one.check()
            except ConfigurationError as error:
                problem = str(error)
            found[one.name] = (problem, weaker)
        return found

    found = run(work, any_settings=True)
    if not found:
        raise ConfigurationError(f"there is no provider {name}; morningpost providers lists them")
    for provider, (problem, weaker) in found.items():
        if problem:
            complain(f"{provider}: {problem}")
        else:
            say(f"{provider} could send now.")
        for lack in weaker:
            say(f"{provider} {lack}.")
    if any(problem for problem, _ in found.values()):
        raise typer.Exit(1)
