"""The QR code: scan to subscribe on the device you read on."""

from fastapi import APIRouter
from fastapi.responses import Response

from app.stages.render.qr import qr_png, qr_svg
from app.web.deps import ContainerDep

router = APIRouter(include_in_schema=False)

_A_DAY = {"cache-control": "public, max-age=86400"}


@router.api_route("/qr.svg", methods=["GET", "HEAD"])
def svg(container: ContainerDep) -> Response:
    return Response(qr_svg(container.settings.public_url), media_type="image/svg+xml", headers=_A_DAY)


@router.api_route("/qr.png", methods=["GET", "HEAD"])
def png(container: ContainerDep) -> Response:
    return Response(qr_png(container.settings.public_url), media_type="image/png", headers=_A_DAY)
