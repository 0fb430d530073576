"""Placements: where the paper is offered, and how many came through each."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import NotFound
from app.core.publication import Publication
from app.core.text import FILLED_LINE
from app.operations import audit
from app.stages.audience import placements, snippets
from app.store import placements as rows
from app.store.placements import Count
from app.web.api.auth import Reader, Writer
from app.web.api.json_route import JsonRoute
from app.web.api.stories import Limit
from app.web.deps import ContainerDep, Now, ReadSession, WriteSession

router = APIRouter(prefix="/placements", tags=["placements"], route_class=JsonRoute)

After = Annotated[str, Query(pattern="^[a-z0-9-]{0,40}$", description="`next` of the page before.")]


class PlacementIn(BaseModel):
    """A place to be made."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(
        description="1 to 40 of a to z, digits and dashes; it stands in addresses and never changes.",
        json_schema_extra={"pattern": "^[a-z0-9][a-z0-9-]{0,39}$"},
    )
    label: str = Field(
        description="What it is, in your own words; readers never see it.",
        json_schema_extra={"pattern": FILLED_LINE, "maxLength": 120},
    )


class PlacementOut(BaseModel):
    """A placement, its addresses, and its people: each counts once in a column."""

    code: str
    label: str
    created_at: datetime
    asked: int = Field(description="How many signed up through it.")
    confirmed: int = Field(description="How many of them confirmed.")
    reading: int = Field(description="How many of those get the paper today, or let it rest.")
    link: str = Field(description="The front page; a sign-up on it counts here.")
    qr_svg: str
    qr_png: str
    poster: str = Field(description="A page to print.")
    frame: str = Field(description="HTML to paste into another site: our form in an iframe.")
    form: str = Field(description="HTML to paste into another site: a form in its own look.")

    @classmethod
    def of(cls, one: Count, paper: Publication) -> "PlacementOut":
        url = paper.public_url
        return cls(
            code=one.code,
            label=one.label,
            created_at=one.created_at,
            asked=one.asked,
            confirmed=one.confirmed,
            reading=one.reading,
            link=placements.address_of(url, one.code),
            qr_svg=placements.address_of(url, one.code, "/qr.svg"),
            qr_png=placements.address_of(url, one.code, "/qr.png"),
            poster=placements.address_of(url, one.code, "/qr"),
            frame=snippets.frame(paper, one.code),
            form=snippets.form(paper, one.code),
        )


class Placements(BaseModel):
    """A page of the list, by code. `next` is the `after` of the page that follows; null on the last."""

    items: list[PlacementOut]
    next: str | None


@router.get("", summary="List placements with their numbers, by code")
async def index(
    session: ReadSession, container: ContainerDep, _: Reader, after: After = "", limit: Limit = 50
) -> Placements:
    found = await rows.counts(session, limit, after)
    return Placements(
        items=[PlacementOut.of(one, container.settings.publication) for one in found],
        next=found[-1].code if len(found) == limit else None,
    )


@router.post("", status_code=201, summary="Make a placement")
async def create(
    session: WriteSession, container: ContainerDep, actor: Writer, now: Now, asked: PlacementIn
) -> PlacementOut:
    code = await placements.create(session, asked.code, asked.label, now)
    await audit.record(session, actor.name, "create", "placement", None, now, code=code)
    return await _one(session, code, container.settings.publication)


@router.get("/{code}", summary="Read a placement")
async def show(session: ReadSession, container: ContainerDep, _: Reader, code: str) -> PlacementOut:
    return await _one(session, placements.code_of(code) or "", container.settings.publication)


async def _one(session: ReadSession, code: str, paper: Publication) -> PlacementOut:
    found = await rows.counts(session, 1, code=code)
    if not found:
        raise NotFound("There is no placement with this code.")
    return PlacementOut.of(found[0], paper)
