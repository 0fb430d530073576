"""`morningpost stories`: what may be printed."""

from typing import Annotated

import typer

from app.bootstrap import Container
from app.cli.terminal import Json, show
from app.cli.workshop import run
from app.models.content import Section
from app.store import stories

group = typer.Typer(name="stories", help="What may be printed.", no_args_is_help=True)


@group.command("list", epilog="Example: morningpost stories list --section tools")
def list_(
    section: Annotated[Section | None, typer.Option(help="Only this section.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    json: Json = False,
) -> None:
    """List stories, the newest first."""

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
                for story in await stories.newest(session, limit, None, section)
            ]

    show(run(work), as_json=json, empty="There are no stories yet: POST /api/v1/stories, or morningpost demo.")
