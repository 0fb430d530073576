"""Puts the groups together."""

import typer

from app.cli import (
    clock,
    demo,
    editions,
    keys,
    paper,
    processes,
    providers,
    sending,
    sources,
    stories,
    subscribers,
    trending,
)
from app.cli import settings as shared

cli = typer.Typer(
    name="morningpost",
    help="The AI Morning Post: a self-hosted daily newsletter.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
demo.register(cli)
processes.register(cli)
paper.register(cli)
cli.add_typer(stories.group)
cli.add_typer(sources.group)
cli.add_typer(trending.group)
sending.register()
cli.add_typer(editions.group)
cli.add_typer(subscribers.group)
cli.add_typer(providers.group)
cli.add_typer(keys.group)
cli.add_typer(shared.group)
cli.add_typer(clock.group)
