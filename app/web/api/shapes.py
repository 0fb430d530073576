"""What the API answers with."""

import datetime as dt
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.core.days import Day
from app.core.text import FILLED_LINE, LINE
from app.models import Edition, Story
from app.models.content import EditionContent, EditionKind, Section
from app.models.edits import Edits
from app.models.states import EditionStatus, StoryStatus
from app.stages.render.lint.problem import Severity
from app.stages.render.linting import Report
from app.stages.send.watch import Look, figures
from app.store import editions
from app.store.progress import Counts
from app.store.sightings import Seen

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A page of a list, the newest first. `next` is the `before` of the page after it; null on the last."""

    items: list[T]
    next: int | None


def page(items: Sequence[T], ids: Sequence[int], limit: int) -> Page[T]:
    return Page(items=list(items), next=ids[-1] if len(ids) == limit else None)


class SightingOut(BaseModel):
    """One source that shows a story. `discussion` is where it is talked about there."""

    source_id: int
    source: str
    url: str
    title: str
    discussion: str
    points: int | None
    comments: int | None
    published_at: datetime | None
    found_at: datetime


class StoryOut(BaseModel):
    """A story. `edition_id` names the edition it was printed in; it can then no longer be changed.

    A candidate was gathered: `summary` is its source's own words, `weight` what speaks for it,
    `seen_at_sources` all that show it.
    """

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
    status: StoryStatus
    slug: str | None
    canonical_url: str
    source_id: int | None
    summary: str
    weight: float
    published_at: datetime | None
    found_at: datetime | None
    created_at: datetime
    updated_at: datetime
    seen_at_sources: list[SightingOut] = []


class EditionOut(BaseModel):
    """An edition. `reason` says why it is held or paused, or what was left out of a ready one."""

    id: int
    kind: EditionKind
    date: dt.date
    number: int | None = Field(
        description="Provisional until the edition is frozen; null for a draft whose date is more than 14 days away."
    )
    status: EditionStatus
    reason: str
    subject: str
    preheader: str
    slug: str
    content: EditionContent | None = Field(description="What stands in it; null while there is no lead.")
    edits: Edits = Field(description="What operators asked of it; composing again keeps it.")
    version: int = Field(description="Grows with every change; its ETag.")
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
            content=editions.content_of(edition),
            edits=Edits.model_validate(edition.edits),
            version=edition.version,
            composed_at=edition.composed_at,
            approved_at=edition.approved_at,
            frozen_at=edition.frozen_at,
            ended_at=edition.ended_at,
        )


class ProblemOut(BaseModel):
    """What one rule found. `rule` is a heading of docs/lint.md."""

    model_config = ConfigDict(from_attributes=True)

    rule: str
    severity: Severity
    where: str
    message: str


class LintOut(BaseModel):
    """What lint says of an edition, errors first."""

    model_config = ConfigDict(from_attributes=True)

    edition_id: int
    date: dt.date
    errors: int
    warnings: int
    problems: list[ProblemOut]

    @classmethod
    def of(cls, report: Report) -> "LintOut":
        return cls.model_validate(report)


class ComposeIn(BaseModel):
    """Which date to compose; today in TIMEZONE where none is given. A weekly is for a Saturday."""

    model_config = ConfigDict(extra="forbid")

    date: Day | None = None
    kind: EditionKind = EditionKind.DAILY
    force: Annotated[bool, Field(strict=True)] = False
    """Also a date more than 14 days from today."""


class HoldIn(BaseModel):
    """Why it is held: the other operators are told."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=300),
        Field(json_schema_extra={"pattern": FILLED_LINE}),
    ]


class CancelIn(BaseModel):
    """Why, for the other operators."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=300), Field(json_schema_extra={"pattern": LINE})
    ] = "cancelled by an operator"


class RestOut(BaseModel):
    """Readers who went without an edition and may be sent it again, by what became of their delivery.

    Bad addresses are never among them, nor readers who have left since or have another edition of the date.
    """

    model_config = ConfigDict(from_attributes=True)

    expired: int
    rejected_message: int
    rejected_ours: int
    unknown: int = Field(description="They may have it already, and would get it twice.")
    total: int


class TestIn(BaseModel):
    """Where a test mail goes."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, StringConstraints(min_length=3, max_length=254)]


class Progress(BaseModel):
    """How far a send is. Counts are of deliveries, and none is left out of them: queued, deferred (to be tried again),
    sending, accepted, rejected_address, rejected_message, rejected_ours, unknown, skipped, expired.

    `repeated` are mails that went out twice, as far as anybody knows.
    """

    status: EditionStatus
    reason: str
    released: int
    counts: dict[str, int]
    repeated: int
    rate: float = Field(description="Hand-overs answered for good per second, over the last minute.")
    done_at: datetime | None = Field(
        description="When it is through at this rate, at the earliest: not before the last planned morning, the last "
        "retry and the last decision on unknown mail. Null where nothing can be said, and where it is paused or over."
    )
    next_release_at: datetime | None = Field(description="The next morning that is planned; null when none is.")
    next_retry_at: datetime | None = Field(
        description="When the next of the deferred mails is tried again, or of the queued ones that no provider takes "
        "before; null where none waits for a later time."
    )
    next_decision_at: datetime | None = Field(
        description="When the next unknown mail is owed again unless its answer comes; null where none is, where they "
        "are held (ON_UNKNOWN), and where the edition is over."
    )
    workers: int = Field(description="Workers that gave a sign of life in the last 15 seconds.")
    providers: dict[str, dict[str, int]] = Field(description="The counts of what each provider was given.")
    domains: dict[str, dict[str, int]] = Field(description="The counts of the readers at each large mailbox provider.")

    @classmethod
    def of(cls, look: Look) -> "Progress":
        return cls(
            status=look.status,
            reason=look.reason,
            released=look.counts.released,
            counts=_counts(look.counts),
            repeated=look.counts.repeated,
            rate=round(look.rate, 2),
            done_at=look.done_at,
            next_release_at=look.next_release_at,
            next_retry_at=look.waits.retries.first if look.waits.retries else None,
            next_decision_at=look.waits.decisions.first if look.waits.decisions else None,
            workers=look.workers,
            providers={name: _counts(counts) for name, counts in look.providers.items()},
            domains={name: _counts(counts) for name, counts in look.domains.items()},
        )


def _counts(counts: Counts) -> dict[str, int]:
    return {name: count for name, count in figures(counts).items() if name != "repeated"}


def story(row: Story, seen: Sequence[Seen] = ()) -> StoryOut:
    made = StoryOut.model_validate(row)
    return made.model_copy(update={"seen_at_sources": [_sighting(one) for one in seen]})


def _sighting(one: Seen) -> SightingOut:
    row = one.row
    return SightingOut(
        source_id=one.source.id,
        source=one.source.name,
        url=row.url,
        title=row.title,
        discussion=row.discussion,
        points=row.points,
        comments=row.comments,
        published_at=row.published_at,
        found_at=row.found_at,
    )
