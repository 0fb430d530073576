"""Where the figures of the charts come from, and what they do not say."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.web.fresh import revalidated
from app.web.pages import PUBLIC, page

router = APIRouter(include_in_schema=False)


@router.api_route("/how-we-count", methods=["GET", "HEAD"])
async def how_we_count(request: Request) -> Response:
    return revalidated(request, page(request, "how_we_count.html", cache=PUBLIC))
