"""What the API answers with."""

import datetime as dt
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.models import Edition, Story
from app.models.content import EditionContent, Section
from app.models.editions import EditionKind
from app.models.states import DeliveryStatus, EditionStatus
from app.store import editions

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A page of a list, the newest first. `next` is the `before` of the page after it; null on the last."""

    items: list[T]
    next: int | None


def page(items: Sequence[T], ids: Sequence[int], limit: int) -> Page[T]:
    return Page(items=list(items), next=ids[-1] if len(ids) == limit else None)


class StoryOut(BaseModel):
    """A story. `edition_id` names the edition it was printed in; it can then no longer be changed."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    section: Section
    headline: str
    standfirst: str
    body: str
    byline: str
    source: str
    url: str
    minutes: int | None
    publish_on: date | None
    edition_id: int | None
    created_at: datetime
    updated_at: datetime


class EditionOut(BaseModel):
    """An edition. `reason` says why it is held or paused."""

    id: int
    kind: EditionKind
    date: dt.date
    number: int
    status: EditionStatus
    reason: str
    subject: str
    preheader: str
    slug: str
    content: EditionContent | None = Field(description="What stands in it; null while there is no lead.")
    composed_at: datetime
    approved_at: datetime | None
    frozen_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, edition: Edition) -> "EditionOut":
        return cls(
            id=edition.id,
            kind=edition.kind,
            date=edition.date,
            number=edition.number,
            status=edition.status,
            reason=edition.reason,
            subject=edition.subject,
            preheader=edition.preheader,
            slug=editions.slug_of(edition.kind, edition.date),
            content=EditionContent.model_validate(edition.content) if edition.content else None,
            composed_at=edition.composed_at,
            approved_at=edition.approved_at,
            frozen_at=edition.frozen_at,
            ended_at=edition.ended_at,
        )


class ComposeIn(BaseModel):
    """Which date to compose; today in TIMEZONE where none is given."""

    model_config = ConfigDict(extra="forbid")

    date: dt.date | None = None


class TestIn(BaseModel):
    """Where a test mail goes."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, StringConstraints(min_length=3, max_length=254)]


class Progress(BaseModel):
    """How far a send is, from the ledger. `repeated` are mails known to have gone out twice."""

    status: EditionStatus
    reason: str
    released: int
    counts: dict[DeliveryStatus, int]
    repeated: int
    next_release_at: datetime | None = Field(description="The next morning that is planned; null when none is.")


def story(row: Story) -> StoryOut:
    return StoryOut.model_validate(row)
