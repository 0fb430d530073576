"""`compose`, `preview`, `send`: one paper by hand."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from app.bootstrap import Container
from app.cli.following import follow
from app.cli.terminal import Json, complain, say, show_one
from app.cli.workshop import run
from app.core.errors import NotFound
from app.models import Edition
from app.models.content import EditionKind
from app.models.states import EditionStatus
from app.operations import audit
from app.stages.compose import draft
from app.stages.compose.week import SATURDAY
from app.stages.render import camera, freeze, preview
from app.stages.render.lint.problem import errors
from app.stages.send import release
from app.store import editions

ACTOR = "command line"
ForDay = Annotated[
    dt.datetime | None,
    typer.Option("--date", formats=["%Y-%m-%d"], help="The edition's date; today in TIMEZONE where none is given."),
]
Weekly = Annotated[bool, typer.Option("--weekly", help="The weekly of that Saturday, not its daily.")]


def register(cli: typer.Typer) -> None:
    cli.command(epilog="Example: morningpost compose --date 2026-11-24")(compose)
    cli.command("preview", epilog="Example: morningpost preview --to /tmp/today")(see)
    cli.command(epilog="Example: morningpost send --yes")(send)


def _day(container: Container, given: dt.datetime | None) -> dt.date:
    return given.date() if given else container.clock.now().astimezone(container.settings.zone).date()


def _kind(*, weekly: bool) -> EditionKind:
    return EditionKind.WEEKLY if weekly else EditionKind.DAILY


async def _edition(container: Container, day: dt.date, *, weekly: bool) -> Edition:
    async with container.db.read() as session:
        edition = await editions.of_day(session, day, _kind(weekly=weekly))
    if edition is None:
        if weekly and day.weekday() != SATURDAY:
            raise NotFound(f"A weekly is for a Saturday, and {day} is none.")
        what, flag = ("weekly", " --weekly") if weekly else ("edition", "")
        raise NotFound(f"There is no {what} of {day} yet: morningpost compose{flag} --date {day}")
    return edition


def compose(
    date: ForDay = None,
    weekly: Weekly = False,
    force: Annotated[bool, typer.Option("--force", help="Also for a date more than 14 days from today.")] = False,
    json: Json = False,
) -> None:
    """Put the edition of a date together from stored stories and trends. Exit code 1 where it is held."""

    async def work(container: Container) -> draft.Composed:
        now = container.clock.now()
        operators, day = container.settings.operator_emails, _day(container, date)
        if not force:
            draft.demand_near(day, _day(container, None))
        zone = container.settings.zone
        made = await draft.compose(container.db, day, now, operators, _kind(weekly=weekly), container.weigh, zone)
        async with container.db.write() as session:
            await audit.record(session, ACTOR, "compose", "edition", made.edition_id, now)
        return made

    made = run(work)
    show_one({"id": made.edition_id, "status": made.status.value, "reason": made.reason}, as_json=json)
    if made.status is EditionStatus.HELD:
        raise typer.Exit(1)


def see(
    date: ForDay = None,
    to: Annotated[Path, typer.Option(help="The folder to write into.", file_okay=False)] = Path("var/preview"),
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Also pictures of it, where this machine has Chromium.")
    ] = True,
    weekly: Weekly = False,
) -> None:
    """Write an edition as it would be mailed: HTML, plain text, JSON, and pictures on desktop and phone."""

    async def work(container: Container) -> tuple[Edition, preview.Preview]:
        edition = await _edition(container, _day(container, date), weekly=weekly)
        return edition, await preview.of_edition(container.db, edition.id, container.settings.publication)

    edition, made = run(work)
    to.mkdir(parents=True, exist_ok=True)
    name = editions.slug_of(edition.kind, edition.date)
    for suffix, body in (("html", made.html), ("txt", made.text), ("json", made.json)):
        path = to / f"{name}.{suffix}"
        path.write_text(body, encoding="utf-8")
        typer.echo(path)
    if pictures:
        asyncio.run(_photograph(to / f"{name}.html"))


async def _photograph(page: Path) -> None:
    """A picture of each view beside `page`. What cannot be taken is said, and the page is none the worse for it."""
    chromium = camera.program()
    if chromium is None:
        complain("there is no Chromium on this machine, so there are no pictures (Debian: apt-get install chromium)")
        return
    for view in camera.VIEWS:
        path = page.with_name(f"{page.stem}-{view.name}.png")
        try:
            await camera.take(chromium, page, view, path)
        except camera.NoPicture as failed:
            complain(f"no pictures: {failed.sentence}")
            return
        typer.echo(path)


def send(
    date: ForDay = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Although it is held, or lint finds errors.")] = False,
    weekly: Weekly = False,
    watch: Annotated[
        bool, typer.Option("--follow", help="Show how it goes; exit code 1 where it did not end well.")
    ] = False,
) -> None:
    """Send an edition to every reader now, whatever their morning. A running worker hands it over."""

    async def look(container: Container) -> Edition:
        return await _edition(container, _day(container, date), weekly=weekly)

    edition = run(look)
    if not yes:
        typer.confirm(f"Send “{edition.subject}” ({edition.date}) to every reader now?", abort=True, err=True)

    async def work(container: Container) -> int:
        now = container.clock.now()
        overruled: list[str] = []
        if edition.status is EditionStatus.READY or (force and edition.status is EditionStatus.HELD):
            settings = container.settings
            found = await freeze.freeze(
                container.db, edition.id, settings.publication, now, force=force, operators=settings.operator_emails
            )
            overruled = [f"{one.rule}: {one.where}" for one in errors(found)]
        released = await release.send_now(container.db, edition.id, container.settings, now)
        async with container.db.write() as session:
            await audit.record(
                session, ACTOR, "send", "edition", edition.id, now, released=released, overruled=overruled
            )
        return released

    released = run(work)
    say(f"{released} readers were released; a running worker hands their papers over.")
    if not released:
        complain("nobody is owed this edition")
    if watch:
        _follow(edition)


def _follow(edition: Edition) -> None:
    try:
        status = run(lambda container: follow(container, edition.id))
    except KeyboardInterrupt:
        weekly = " --weekly" if edition.kind is EditionKind.WEEKLY else ""
        say(f"Left; the send goes on. How far it is: morningpost editions progress {edition.date}{weekly}")
        raise typer.Exit(130) from None
    if status is not EditionStatus.SENT:
        raise typer.Exit(1)
