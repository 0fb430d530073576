"""`/metrics` for Prometheus: with METRICS_TOKEN, or asked from this very machine."""

import hmac
from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from app.core.errors import NotAuthorized
from app.core.settings import Settings
from app.store import figures
from app.web import metrics
from app.web.deps import ContainerDep

router = APIRouter(tags=["health"])
FORM = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/metrics", summary="Figures for Prometheus: with a token, or from the machine itself")
async def scrape(request: Request, container: ContainerDep, authorization: Annotated[str, Header()] = "") -> Response:
    if not (_has_token(container.settings, authorization) or _is_here(request)):
        raise NotAuthorized("Send MORNINGPOST_METRICS_TOKEN as Authorization: Bearer, or ask from this machine.")
    now = container.clock.now()
    async with container.db.read() as session:
        found = await figures.look(session, now)
    clocks = metrics.Clocks(await container.watch.offsets(), container.clock.is_confirmed)
    return Response(metrics.text_of(found, clocks, now), media_type=FORM)


def _has_token(settings: Settings, authorization: str) -> bool:
    token = settings.metrics_token.get_secret_value()
    return bool(token) and hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())


def _is_here(request: Request) -> bool:
    """A proxy on this machine speaks for others, whether or not it is one we were told to believe."""
    if request.client is None or {"x-forwarded-for", "forwarded", "via"} & set(request.headers):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
