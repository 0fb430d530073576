"""`morningpost stories`: what may be printed."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app.bootstrap import Container
from app.cli.terminal import Json, complain, say, show
from app.cli.workshop import run
from app.core.numbers import LARGEST_ID
from app.models.content import TITLES, Section
from app.models.states import StoryStatus
from app.operations import audit
from app.stages.collect import stories as desk
from app.stages.collect.bring_in import Arrival, Fate, bring_in, files_in
from app.store import stories

group = typer.Typer(name="stories", help="What may be printed.", no_args_is_help=True)
ACTOR = "command line"
Number = Annotated[int, typer.Argument(min=0, max=LARGEST_ID, help="The story's number, as `stories list` shows it.")]
_EMPTY = {
    StoryStatus.READY: "There are no stories yet: morningpost stories import brings some in.",
    StoryStatus.CANDIDATE: "There are no candidates: morningpost sources gather looks for some.",
    StoryStatus.DISMISSED: "Nothing was dismissed.",
}


@group.command("list", epilog="Example: morningpost stories list --section tools")
def list_(
    section: Annotated[Section | None, typer.Option(help="Only this section.")] = None,
    status: Annotated[StoryStatus, typer.Option(help="candidate: gathered, and awaiting an editor.")] = (
        StoryStatus.READY
    ),
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    json: Json = False,
) -> None:
    """List stories or candidates, the newest first."""

    async def work(container: Container) -> list[dict[str, object]]:
        async with container.db.read() as session:
            return [
                {
                    "id": story.id,
                    "section": story.section.value,
                    "headline": story.headline,
                    "source": story.source,
                    "publish_on": story.publish_on,
                    "edition": story.edition_id,
                }
                for story in await stories.newest(session, limit, None, section, status)
            ]

    show(run(work), as_json=json, empty=_EMPTY[status])


@group.command("import", epilog="Example: morningpost stories import drafts/ --dry-run")
def import_(
    paths: Annotated[list[Path], typer.Argument(help="Markdown files with a head, or folders of them.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report, and write nothing.")] = False,
    json: Json = False,
) -> None:
    """Bring stories in from Markdown files; a file that comes again updates its story. Exit code 1 where one is bad."""

    async def work(container: Container) -> Arrival:
        arrival = await bring_in(container.db, files_in(paths), container.clock.now(), dry=dry_run)
        if not dry_run:
            await _note(container, arrival)
        return arrival

    arrival = run(work)
    rows = [
        {"file": str(one.path), "fate": one.fate.value, "story": one.story_id, "slug": one.slug, "problem": one.problem}
        for one in arrival.files
    ]
    if json:
        show(rows, as_json=True, empty="")
    for one in arrival.files:
        if one.problem:
            complain(one.problem)
    say(
        ", ".join(f"{arrival.count(fate)} {fate.value}" for fate in Fate if arrival.count(fate)) or "No Markdown there."
    )
    if dry_run:
        say("This was a dry run: nothing was written.")
    if arrival.count(Fate.REFUSED):
        raise typer.Exit(1)


async def _note(container: Container, arrival: Arrival) -> None:
    """One line in the audit for each story that was written."""
    actions = {Fate.CREATED: "create", Fate.UPDATED: "change"}
    async with container.db.write() as session:
        for one in arrival.files:
            if one.fate in actions:
                now = container.clock.now()
                await audit.record(session, ACTOR, actions[one.fate], "story", one.story_id, now, slug=one.slug)


@group.command(epilog="Example: morningpost stories accept 12 --section lead")
def accept(
    story: Number,
    section: Annotated[Section | None, typer.Option(help="Another than its source's.")] = None,
    headline: Annotated[str | None, typer.Option(help="In your own words.")] = None,
    standfirst: Annotated[str | None, typer.Option(help="The lines under it, in your own words.")] = None,
    publish_on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The date to print it on.")] = None,
) -> None:
    """Take a candidate into the paper."""
    told = {"section": section, "headline": headline, "standfirst": standfirst}
    fields: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    if publish_on is not None:
        fields["publish_on"] = publish_on.date()

    async def work(container: Container) -> str:
        now = container.clock.now()
        async with container.db.write() as session:
            taken = await desk.accept(session, story, fields, now)
            await audit.record(session, ACTOR, "accept", "story", story, now, fields=sorted(fields))
            return f"Story {story} is ready for {TITLES[taken.section]}: {taken.headline}"

    say(run(work))


@group.command(epilog="Example: morningpost stories dismiss 12 13")
def dismiss(numbers: Annotated[list[int], typer.Argument(min=0, max=LARGEST_ID, help="Their numbers.")]) -> None:
    """Set stories aside that are not wanted; no source brings them back."""

    async def work(container: Container) -> None:
        async with container.db.write() as session:
            for number in numbers:
                await desk.dismiss(session, number, container.clock.now())
                await audit.record(session, ACTOR, "dismiss", "story", number, container.clock.now())

    run(work)
    say(f"{len(numbers)} dismissed.")
