"""`morningpost subscribers placements`: where the paper is offered, and what came of it."""

from typing import Annotated, Any

import typer

from app.bootstrap import Container
from app.cli.terminal import Json, show, show_one
from app.cli.workshop import run
from app.core.errors import NotFound
from app.operations import audit
from app.stages.audience import placements, snippets
from app.store import placements as rows
from app.store.placements import Count

group = typer.Typer(
    name="placements", help="Where the paper is offered: QR codes and forms, each counted.", no_args_is_help=True
)
ACTOR = "command line"
_MOST = 10_000

Code = Annotated[str, typer.Argument(help="Short and for good, as it stands in the address: spring-poster.")]


@group.command(epilog='Example: morningpost subscribers placements create spring-poster "Poster, city library"')
def create(
    code: Code,
    label: Annotated[str, typer.Argument(help="What it is, in your own words; readers never see it.")],
    json: Json = False,
) -> None:
    """Make a placement and print its addresses."""

    async def work(container: Container) -> dict[str, Any]:
        now = container.clock.now()
        async with container.db.write() as session:
            kept = await placements.create(session, code, label, now)
            await audit.record(session, ACTOR, "create", "placement", None, now, code=kept)
            (made,) = await rows.counts(session, 1, code=kept)
        return _in_full(made, container)

    show_one(run(work), as_json=json)


@group.command("list", epilog="Example: morningpost subscribers placements list --json")
def list_(json: Json = False) -> None:
    """List the placements: how many asked through each, confirmed, and read the paper today."""

    async def work(container: Container) -> list[dict[str, Any]]:
        async with container.db.read() as session:
            found = await rows.counts(session, _MOST)
        return [{**_line(one), "created": one.created_at if json else one.created_at.date()} for one in found]

    empty = "There are no placements yet: morningpost subscribers placements create CODE LABEL"
    show(run(work), as_json=json, empty=empty)


@group.command("show", epilog="Example: morningpost subscribers placements show spring-poster")
def show_(code: Code, json: Json = False) -> None:
    """Show one placement: its numbers, its link, its QR codes, its poster and what to paste into a site."""

    async def work(container: Container) -> dict[str, Any]:
        async with container.db.read() as session:
            found = await rows.counts(session, 1, code=placements.code_of(code) or "")
        if not found:
            raise NotFound(f"There is no placement {code}.")
        return _in_full(found[0], container)

    show_one(run(work), as_json=json)


def _line(one: Count) -> dict[str, Any]:
    return {
        "code": one.code,
        "label": one.label,
        "asked": one.asked,
        "confirmed": one.confirmed,
        "reading": one.reading,
        "created": one.created_at,
    }


def _in_full(one: Count, container: Container) -> dict[str, Any]:
    url = container.settings.public_url
    pages = {"link": "/", "qr_svg": "/qr.svg", "qr_png": "/qr.png", "poster": "/qr"}
    addresses = {name: placements.address_of(url, one.code, page) for name, page in pages.items()}
    paper = container.settings.publication
    return {**_line(one), **addresses, "frame": snippets.frame(paper, one.code), "form": snippets.form(paper, one.code)}
