"""Back numbers, as they were sent."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from app.core.language import plural, say
from app.store import published
from app.store.published import PublishedEdition
from app.web.answers import answer
from app.web.deps import ContainerDep, Now, ReadSession
from app.web.fresh import revalidated
from app.web.morning import promise, todays_date
from app.web.pages import PUBLIC, page
from app.web.wording import month

router = APIRouter(include_in_schema=False)

_MOST = 100  # more than the days of three months, so that every month shown is a whole one

Months = list[tuple[str, str, list[PublishedEdition]]]


def by_month(found: Sequence[PublishedEdition]) -> Months:
    """(month, "15 editions", its editions), the newest first."""
    months: Months = []
    for name, group in groupby(found, key=lambda edition: month(edition.date)):
        of_month = list(group)
        amount = plural("{number} edition", "{number} editions", len(of_month))
        months.append((name, amount, of_month))
    return months


@router.api_route("/editions", methods=["GET", "HEAD"])
async def archive(
    request: Request,
    session: ReadSession,
    container: ContainerDep,
    now: Now,
    before: Annotated[date | None, Query()] = None,
) -> Response:
    found = await published.listed(session, _MOST, before)
    months = by_month(found)
    earlier = None
    if len(found) == _MOST:
        months.pop()  # it may go on where the list was cut; the next page shows it whole
        earlier = months[-1][2][-1].date.replace(day=1)
    comes = promise(container.settings, now)
    made = page(request, "editions.html", cache=PUBLIC, months=months, earlier=earlier, before=before, comes=comes)
    return revalidated(request, made)


@router.api_route("/editions/{slug}", methods=["GET", "HEAD"])
async def edition(
    request: Request,
    slug: str,
    session: ReadSession,
    container: ContainerDep,
    now: Now,
    v: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """The page that was stored when the edition was frozen; `v` names the cut that was mailed."""
    body = await published.page(session, slug, v)
    if body is not None:
        headers = {"content-security-policy": _policy(container.settings.public_url), "cache-control": PUBLIC}
        return revalidated(request, HTMLResponse(body, headers=headers))
    if slug == todays_date(container.settings, now).isoformat():
        detail = say("The next one is on {when}.", when=promise(container.settings, now))
        return answer(request, 404, detail, heading=say("No paper today."))
    return answer(request, 404, say("It may have moved, or it was never printed."))


def _policy(public_url: str) -> str:
    # Mail carries its styles inline; the QR code is named by its whole address.
    origin = "/".join(public_url.split("/")[:3])
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: {origin}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
