"""The landing page is the front page: the promise, the coupon, and today's paper where there is one."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.stages.audience.origin import of_link
from app.store import published
from app.web.deps import ContainerDep, Now, ReadSession
from app.web.morning import promise, todays_date
from app.web.pages import PUBLIC, page
from app.web.public.sheet import sheet_of

router = APIRouter(include_in_schema=False)

_BACK_NUMBERS = 5


@router.api_route("/", methods=["GET", "HEAD"])
async def front(request: Request, session: ReadSession, container: ContainerDep, now: Now) -> HTMLResponse:
    content = await published.front(session)
    today = todays_date(container.settings, now)
    # Revisions share a date, so the front page's own date is left out by date and not by place.
    listed = await published.listed(session, _BACK_NUMBERS, content.date if content else None)
    latest = await published.listed(session, 1) if content else []
    carried = of_link(request.query_params).fields()
    return page(
        request,
        "front.html",
        # A cache that drops queries must not give the form of one placement to the visitors of another.
        cache="no-store" if carried else PUBLIC,
        carried=carried,
        sheet=sheet_of(content) if content else None,
        slug=latest[0].slug if latest else "",
        today=today,
        back_numbers=listed,
        comes=promise(container.settings, now),
    )
