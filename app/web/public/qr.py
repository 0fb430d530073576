"""The QR code: scan to subscribe on the device you read on. With `src` it leads through a placement.

A scan is not counted, and cannot be: the code holds the address of the front page and nothing of ours in between.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from app.core.errors import NotFound
from app.stages.audience.placements import address_of, code_of
from app.stages.render.qr import qr_png, qr_svg
from app.store import placements
from app.web.deps import ContainerDep
from app.web.pages import page

router = APIRouter(include_in_schema=False)

# For the browser alone: a shared cache that drops queries would print one placement's code for another's.
_A_DAY = {"cache-control": "private, max-age=86400"}


async def _code(container: ContainerDep, src: Annotated[str, Query()] = "") -> str:
    """The placement that is asked for; empty where none is. Raises NotFound."""
    if not src:
        return ""
    code = code_of(src)
    if code is not None:
        async with container.db.read() as session:
            if await placements.exists(session, code):
                return code
    raise NotFound("There is no placement with this code.")


CodeDep = Annotated[str, Depends(_code)]


@router.api_route("/qr.svg", methods=["GET", "HEAD"])
async def svg(container: ContainerDep, code: CodeDep) -> Response:
    drawn = qr_svg(address_of(container.settings.public_url, code))
    return Response(drawn, media_type="image/svg+xml", headers=_A_DAY)


@router.api_route("/qr.png", methods=["GET", "HEAD"])
async def png(container: ContainerDep, code: CodeDep) -> Response:
    drawn = qr_png(address_of(container.settings.public_url, code))
    return Response(drawn, media_type="image/png", headers=_A_DAY)


@router.api_route("/qr", methods=["GET", "HEAD"])
async def poster(request: Request, container: ContainerDep, code: CodeDep) -> HTMLResponse:
    """A sheet of A4 to hang up: the promise, the code with its quiet zone, and the address in words."""
    return page(request, "poster.html", code=code, printed=_in_words(address_of(container.settings.public_url, code)))


def _in_words(address: str) -> str:
    """post.example.org/?src=spring-poster: what a person types."""
    return address.partition("://")[2]
