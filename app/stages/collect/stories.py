"""Stories as an operator gives them: checked field by field before a row is written."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from app.core.days import Day
from app.core.db import Session
from app.core.errors import Conflict, InvalidInput, NotFound
from app.core.malformed import field_errors
from app.core.numbers import NoTruthValue
from app.core.text import FILLED_LINE, LINE, LINES, is_clean
from app.models import Story
from app.models.content import STORY_SECTIONS, Section
from app.models.states import StoryStatus
from app.stages.collect.canonical import canonical, web_address
from app.stages.collect.words import one_line
from app.store import sightings, stories

EXTRACT = 280
"""Characters of a source's own words that may stand under a headline, beside its name and link."""
Line = Annotated[str, StringConstraints(strip_whitespace=True)]


class StoryFields(BaseModel):
    """One story. `body` is Markdown; what it may not hold is taken out when the paper is composed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "anyOf": [
                {"required": ["standfirst"], "properties": {"standfirst": {"type": "string", "pattern": FILLED_LINE}}},
                {"required": ["body"], "properties": {"body": {"type": "string", "pattern": r"\S"}}},
            ]
        },
    )

    section: Annotated[Section, WithJsonSchema({"type": "string", "enum": [*STORY_SECTIONS]})]
    headline: Annotated[Line, Field(min_length=1, max_length=200, json_schema_extra={"pattern": FILLED_LINE})]
    standfirst: Annotated[Line, Field(max_length=600, json_schema_extra={"pattern": LINE})] = ""
    body: Annotated[str, Field(max_length=20_000, json_schema_extra={"pattern": LINES})] = ""
    byline: Annotated[Line, Field(max_length=120, json_schema_extra={"pattern": LINE})] = ""
    source: Annotated[Line, Field(max_length=120, json_schema_extra={"pattern": LINE})] = ""
    url: Annotated[Line, Field(max_length=2000, json_schema_extra={"pattern": r"^(https?://\S+)?$"})] = ""
    minutes: Annotated[int, Field(ge=1, le=600), NoTruthValue] | None = None
    publish_on: Day | None = None

    @field_validator("section")
    @classmethod
    def _holds_stories(cls, value: Section) -> Section:
        if value not in STORY_SECTIONS:
            raise ValueError(f"{value.value} is filled from counts; stories go into {', '.join(STORY_SECTIONS)}")
        return value

    @field_validator("headline", "standfirst", "byline", "source")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not is_clean(value):
            raise ValueError("must be one line without control characters")
        return value

    @field_validator("body")
    @classmethod
    def _plain(cls, value: str) -> str:
        value = value.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
        if not is_clean(value, lines=True):
            raise ValueError("must not contain control characters")
        return value.strip()

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if not value:
            return value
        return web_address(value, 2000)

    @model_validator(mode="after")
    def _says_something(self) -> "StoryFields":
        if not (self.standfirst or self.body):
            raise ValueError("a story needs a standfirst or a body")
        return self


def parse(fields: dict[str, Any]) -> StoryFields:
    """Checks loose fields. Raises InvalidInput that lists every malformed one."""
    try:
        return StoryFields.model_validate(fields)
    except ValidationError as error:
        found = field_errors(error, "story")
        said = "; ".join(f"{one.field}: {one.message}" for one in found)
        raise InvalidInput(f"The story was not accepted: {said}", errors=found) from None


async def create(session: Session, story: StoryFields, now: datetime, slug: str | None = None) -> int:
    """Writes a story down; gives its id. `slug` names the file it comes from."""
    await sightings.lock(session)
    key = await _own_key(session, story.url, None)
    return await stories.add(session, {**story.model_dump(), "slug": slug, "canonical_url": key}, now)


async def change(session: Session, story_id: int, fields: dict[str, Any], now: datetime) -> Story:
    """Changes some fields of a story that was not printed yet. Raises NotFound, Conflict, InvalidInput."""
    story = await _unprinted(session, story_id)
    if story.status is StoryStatus.CANDIDATE:
        raise Conflict(f"Story {story_id} is a candidate and follows its sources; accept it, with your changes.")
    present = {name: getattr(story, name) for name in StoryFields.model_fields}
    whole = parse({**present, **fields})
    await sightings.lock(session)
    key = await _own_key(session, whole.url, story)
    if not await stories.change(session, story_id, {**whole.model_dump(), "canonical_url": key}, now):
        raise Conflict("The story was printed a moment ago; it can no longer be changed.")
    changed = await stories.get(session, story_id)
    assert changed is not None
    return changed


async def remove(session: Session, story_id: int) -> None:
    """Deletes a story that was not printed yet. Raises NotFound, Conflict."""
    await _unprinted(session, story_id)
    if not await stories.remove(session, story_id):
        raise Conflict("The story was printed a moment ago; it can no longer be deleted.")


async def accept(session: Session, story_id: int, fields: dict[str, Any], now: datetime) -> Story:
    """Takes a candidate into the paper, with what `fields` change. Raises NotFound, Conflict, InvalidInput.

    Where it has neither standfirst nor body, the beginning of the source's summary stands in for them.
    """
    story = await _unprinted(session, story_id)
    if story.status is not StoryStatus.CANDIDATE:
        raise Conflict(f"Story {story_id} is {story.status.value}; only a candidate can be accepted.")
    present = {name: getattr(story, name) for name in StoryFields.model_fields} | fields
    if not (present.get("standfirst") or present.get("body")):
        present["standfirst"] = one_line(story.summary, EXTRACT) or f"From {story.source}."
    whole = parse(present)
    return await _moved(session, story_id, StoryStatus.CANDIDATE, StoryStatus.READY, now, **whole.model_dump())


async def dismiss(session: Session, story_id: int, now: datetime) -> Story:
    """Sets a story aside that is not wanted; twice is once. Raises NotFound, Conflict."""
    story = await _unprinted(session, story_id)
    if story.status is StoryStatus.DISMISSED:
        return story
    return await _moved(session, story_id, story.status, StoryStatus.DISMISSED, now)


async def restore(session: Session, story_id: int, now: datetime) -> Story:
    """Makes a dismissed story a candidate again. Raises NotFound, Conflict."""
    story = await _unprinted(session, story_id)
    if story.status is StoryStatus.CANDIDATE:
        return story
    if story.status is not StoryStatus.DISMISSED:
        raise Conflict(f"Story {story_id} is {story.status.value}; only a dismissed one can be restored.")
    return await _moved(session, story_id, StoryStatus.DISMISSED, StoryStatus.CANDIDATE, now)


async def _moved(
    session: Session, story_id: int, from_: StoryStatus, to: StoryStatus, now: datetime, **values: Any
) -> Story:
    if not await stories.move(session, story_id, from_, to, updated_at=now, **values):
        raise Conflict(f"Story {story_id} was decided on a moment ago; look at it again.")
    story = await stories.get(session, story_id)
    assert story is not None
    return story


async def _own_key(session: Session, url: str, story: Story | None) -> str:
    """The canonical address of what a story links; empty where another story is about it already."""
    key = canonical(url) or ""
    holder = (await stories.by_canonical(session, [key])).get(key) if key else None
    return key if holder is None or (story is not None and holder == story.id) else ""


async def _unprinted(session: Session, story_id: int) -> Story:
    story = await stories.get(session, story_id)
    if story is None:
        raise NotFound(f"There is no story {story_id}.")
    if story.edition_id is not None:
        raise Conflict(f"Story {story_id} was printed in an edition; what readers got does not change.")
    return story
