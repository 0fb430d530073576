"""The bundled stories: true, short, with their sources."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

from app.core.db import Database
from app.models.content import Section
from app.stages.collect import stories as desk
from app.stages.compose.pick import QUOTAS
from app.store import stories

FILE = Path(__file__).with_name("demo_stories.toml")


def bundled() -> list[dict[str, Any]]:
    """Every bundled story as loose fields."""
    with FILE.open("rb") as file:
        found: list[dict[str, Any]] = tomllib.load(file)["story"]
    return found


async def load(db: Database, now: datetime) -> int:
    """Fills up sections that have too little for a paper; gives how many stories were added."""
    checked = [desk.parse(fields) for fields in bundled()]
    added = 0
    async with db.write() as session:
        waiting = await stories.waiting(session)
        for story in checked:
            if waiting.get(Section(story.section), 0) < QUOTAS[story.section]:
                await desk.create(session, story, now)
                added += 1
    return added
