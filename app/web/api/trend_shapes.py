"""How a chart, its rows and what an editor ruled look to a program."""

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.text import LINE
from app.models.content import Move
from app.models.counts import Basis, Row, Ruling, Snapshot, Thing, TrendKind, TrendSource, ref_of
from app.stages.collect.snapshot import CollectReport
from app.stages.compose.standing import Past, move_of, multiple, reentry, told
from app.store.trends import Capture

OLDEST = dt.timedelta(hours=48)
"""The newest chart is one of these last two days: what is older is not printed either."""


class CaptureOut(BaseModel):
    """What one source gave of one kind, as it stands for one day. Movers are made of the others of their day."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    source: TrendSource
    kind: TrendKind
    day: dt.date
    captured_at: dt.datetime = Field(description="The last of the day's counts, UTC.")
    complete: bool = Field(description="False where the source said that its answer is not whole.")
    since: dt.date | None = Field(description="Measured since; null once there is a week to compare with.")
    rows: int
    held: int = Field(description="How many of the rows are kept from print.")

    @classmethod
    def of(cls, one: Capture) -> "CaptureOut":
        return cls.model_validate(one)


class TrendRow(BaseModel):
    """One thing on one chart."""

    ref: str = Field(description="Its name for good, such as github:repository:102; survives a rename.")
    kind: TrendKind
    name: str
    url: str
    detail: str
    place: int | None = Field(description="Null where its week is not known, where it is held, or where it has left.")
    was: int | None = Field(description="Its place on the same chart a week before.")
    move: Literal["up", "down", "same", "new", "back", "left", "unknown"]
    places: int = Field(description="How many places it went up or down.")
    count: int = Field(description="Stars, likes or upvotes in all.")
    gained: int | None = Field(description="Of these in seven days.")
    basis: Basis | None = Field(description="Where that gain comes from.")
    usual: float | None = Field(description="The gain of its usual week; null under 14 known days.")
    multiple: float | None = Field(description="This week over the usual one, ten added to both.")
    surprise: float | None = Field(description="What movers stand by: (gained - usual) / sqrt(usual + 100).")
    days_on_chart: int | None = Field(description="Editions that had it among the first hundred, this day's included.")
    listed: int = Field(description="How many earlier editions printed it.")
    listed_since: dt.date | None
    renamed_from: str = Field(description="What the paper called it last; empty where that is its name still.")
    why: str = Field(description="Why it moves, as far as another source tells of it; empty where none does.")
    why_url: str
    spark: list[int] | None = Field(description="The gain of each of the last 14 days, the oldest first.")
    variants: int
    forks: int | None
    confirmed: bool | None = Field(description="Whether the source's own history bears the gain out; null: not asked.")
    held: bool
    remark: str = Field(description="Why it is held, or has no arrow. For editors; never printed.")

    @classmethod
    def of(cls, chart: Snapshot, row: Row, past: Past) -> "TrendRow":
        kind = row.kind or chart.kind
        ref = ref_of(chart.source, kind, row.external_id)
        move, places = move_of(row)
        again, gone = reentry(row, ref, past), row.rank is None and row.was is not None
        return cls(
            kind=kind,
            name=row.name,
            url=row.url,
            detail=row.detail,
            place=row.rank,
            was=row.was,
            move="back" if again else "left" if gone else move.value,
            places=places if move in (Move.UP, Move.DOWN) else 0,
            count=row.count,
            gained=row.gained,
            usual=row.usual,
            multiple=multiple(row),
            surprise=row.score if chart.kind is TrendKind.MOVERS else None,
            variants=row.variants,
            forks=row.forks,
            confirmed=row.confirmed,
            held=row.held,
            remark=row.remark,
            **told(chart.source, row, ref, past, stale=False),
        )


class ChartOut(BaseModel):
    """One chart of one day: its first hundred in order, and after them what is held."""

    source: TrendSource
    kind: TrendKind
    day: dt.date
    captured_at: dt.datetime
    complete: bool
    since: dt.date | None = Field(description="Measured since; null once there is a week to compare with.")
    rows: list[TrendRow]

    @classmethod
    def of(cls, chart: Snapshot, past: Past, most: int | None = None, *, remarked: bool = False) -> "ChartOut":
        """`most` leaves lower places out, never a held row; `remarked` keeps only rows with a remark."""
        shown = [
            row
            for place, row in enumerate(chart.rows)
            if (row.remark if remarked else most is None or place < most or row.held)
        ]
        return cls(
            source=chart.source,
            kind=chart.kind,
            day=chart.day,
            captured_at=chart.captured_at,
            complete=chart.complete,
            since=chart.since,
            rows=[TrendRow.of(chart, row, past) for row in shown],
        )


class ThingIn(BaseModel):
    """Which thing an editor rules on."""

    model_config = ConfigDict(extra="forbid")

    thing: str = Field(
        min_length=1,
        max_length=300,
        description="owner/name, its number, or its ref.",
        json_schema_extra={"pattern": LINE},
        examples=["github:repository:102"],
    )


class RulingOut(BaseModel):
    """What an editor decided about a thing. It takes hold at the next count."""

    ref: str
    name: str
    url: str
    ruling: Ruling | None

    @classmethod
    def of(cls, ref: str, thing: Thing) -> "RulingOut":
        return cls(ref=ref, name=thing.name, url=thing.url, ruling=thing.ruling)


class SourceCount(BaseModel):
    """What one source gave."""

    name: str
    rows: int
    problems: list[str]


class CountOut(BaseModel):
    """What a count brought. A source that gave nothing says why among its problems."""

    summary: str
    sources: list[SourceCount]

    @classmethod
    def of(cls, report: CollectReport) -> "CountOut":
        return cls(
            summary=report.summary,
            sources=[SourceCount(name=one.name, rows=one.rows, problems=list(one.problems)) for one in report.sources],
        )
