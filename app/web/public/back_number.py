"""What stands beside the page of an edition: its content for programs, and the picture shown with its address."""

import asyncio
import json
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.core.errors import NotFound
from app.models.content import EditionContent
from app.stages.render.card import card_of, drawn, front_card
from app.store import archive
from app.store.archive import Printed
from app.web.deps import ContainerDep, ReadSession
from app.web.fresh import ANYWHERE, FOR_GOOD, revalidated
from app.web.pages import PUBLIC

router = APIRouter(include_in_schema=False)

SCHEMA = "/edition.schema.json"
_A_DAY = "public, max-age=86400"


async def _found(slug: str, session: ReadSession) -> tuple[Printed, EditionContent]:
    found = await archive.find(session, slug)
    if found is None:
        raise NotFound("It may have moved, or it was never printed.")
    return found


Found = Annotated[tuple[Printed, EditionContent], Depends(_found)]
Version = Annotated[str, Query(max_length=64)]


@router.api_route("/editions/{slug}/edition.json", methods=["GET", "HEAD"])
async def content(request: Request, found: Found, container: ContainerDep, v: Version = "") -> Response:
    """The stored content of an edition. Under `?v=` and its hash it never changes."""
    printed, paper = found
    headers = {
        **ANYWHERE,
        "cache-control": FOR_GOOD if v == printed.digest else PUBLIC,
        "link": f'<{container.settings.public_url}{SCHEMA}>; rel="describedby"; type="application/schema+json"',
    }
    answer = Response(paper.model_dump_json(), media_type="application/json", headers=headers)
    return revalidated(request, answer, printed.at)


@router.api_route(SCHEMA, methods=["GET", "HEAD"])
async def schema(request: Request, container: ContainerDep) -> Response:
    """What `edition.json` may hold, as JSON Schema 2020-12."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": container.settings.public_url + SCHEMA,
        **EditionContent.model_json_schema(mode="serialization"),
    }
    headers = {"cache-control": PUBLIC, **ANYWHERE}
    return revalidated(request, Response(json.dumps(described), media_type="application/schema+json", headers=headers))


@router.api_route("/editions/{slug}/card.png", methods=["GET", "HEAD"])
async def card(request: Request, found: Found, container: ContainerDep, v: Version = "") -> Response:
    """The picture of an edition, 1200 by 630, as Open Graph asks for."""
    printed, paper = found
    made = await asyncio.to_thread(drawn, card_of(paper, container.settings.publication))
    cache = FOR_GOOD if v == printed.digest else _A_DAY
    return revalidated(request, Response(made, media_type="image/png", headers={"cache-control": cache, **ANYWHERE}))


@router.api_route("/card.png", methods=["GET", "HEAD"])
async def front(request: Request, container: ContainerDep) -> Response:
    """The picture of the paper itself."""
    made = await asyncio.to_thread(drawn, front_card(container.settings.publication))
    return revalidated(request, Response(made, media_type="image/png", headers={"cache-control": _A_DAY, **ANYWHERE}))
