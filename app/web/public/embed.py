"""The sign-up form for a frame in another site. The form itself, and its answers, come by `POST /embed`."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.stages.audience.origin import of_link
from app.web.pages import FRAMED, page

router = APIRouter(include_in_schema=False)


@router.api_route(FRAMED, methods=["GET", "HEAD"])
def show(request: Request) -> HTMLResponse:
    """The form alone. A press in it can do no more than ask for a confirmation mail, so any site may frame it."""
    carried = of_link(request.query_params).fields()
    return page(request, "subscribe.html", carried=carried, typed="", timezone="", error="", notice="")
