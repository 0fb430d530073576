"""`/metrics` for Prometheus: with METRICS_TOKEN, or from this very machine where METRICS_OPEN says so."""

import hmac
from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import PlainTextResponse

from app.core.errors import NotAuthorized
from app.core.settings import Settings
from app.store import figures
from app.web import metrics
from app.web.deps import ContainerDep

router = APIRouter(tags=["health"])
FORM = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/metrics",
    summary="Figures for Prometheus: with METRICS_TOKEN, or from this machine where METRICS_OPEN says so",
    response_class=PlainTextResponse,
    responses={401: {"description": "No token, or one that is not known"}},
)
async def scrape(request: Request, container: ContainerDep, authorization: Annotated[str, Header()] = "") -> Response:
    if not (_has_token(container.settings, authorization) or _is_open(container.settings, request)):
        raise NotAuthorized("Send MORNINGPOST_METRICS_TOKEN as Authorization: Bearer.")
    now = container.clock.now()
    async with container.db.read() as session:
        found = await figures.look(session, now)
    clocks = metrics.Clocks(await container.watch.offsets(), container.clock.is_confirmed)
    return Response(metrics.text_of(found, clocks, now), media_type=FORM)


def _has_token(settings: Settings, authorization: str) -> bool:
    token = settings.metrics_token.get_secret_value()
    return bool(token) and hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())


def _is_open(settings: Settings, request: Request) -> bool:
    """To this machine, where an operator says that no proxy on it speaks for others: a header need not tell of one."""
    return settings.metrics_open == "loopback" and not settings.trusted_proxies and _is_here(request)


def _is_here(request: Request) -> bool:
    if request.client is None or {"x-forwarded-for", "forwarded", "via"} & set(request.headers):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
