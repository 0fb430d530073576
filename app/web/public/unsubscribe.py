"""Leaving, by the page behind the link or by the button of a mail program (RFC 8058)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException

from app.core.errors import InvalidToken
from app.models.states import SubscriberStatus
from app.stages.audience import leaving
from app.web.answers import AnswerWith
from app.web.deps import ContainerDep, Now, ReadSession, VisitorDep, WriteSession
from app.web.errors import NOT_OURS
from app.web.fields import form_of
from app.web.pages import page

router = APIRouter(include_in_schema=False)


async def is_one_click(request: Request) -> bool:
    """Did a mail program send this? Its body is List-Unsubscribe=One-Click, in either form encoding.

    A body that cannot be read counts as a person's press: nobody is kept for want of a well-formed form.
    """
    try:
        form = await form_of(request)
    except HTTPException as error:
        if error.status_code != 400:
            raise
        return False
    return form.get("List-Unsubscribe") == "One-Click"


OneClick = Annotated[bool, Depends(is_one_click)]


@router.api_route("/unsubscribe/{token}", methods=["GET", "HEAD"])
async def ask(request: Request, token: str, session: ReadSession, container: ContainerDep, now: Now) -> Response:
    found = await leaving.look_up(session, container.signer, token, now)
    if found.status in (None, SubscriberStatus.LEFT):
        return page(request, "left.html")
    return page(request, "leave.html", masked=found.address)


@router.post("/unsubscribe/{token}")
async def leave(
    request: Request,
    token: str,
    one_click: OneClick,
    session: WriteSession,
    container: ContainerDep,
    visitor: VisitorDep,
    now: Now,
) -> Response:
    """Lets the reader go, and answers 200 at once: never a redirect (RFC 8058 section 3.1), never a cookie."""
    try:
        await leaving.leave(session, container.signer, token, "one-click" if one_click else "link", visitor, now)
    except InvalidToken as error:
        if one_click:
            raise AnswerWith(PlainTextResponse(f"{NOT_OURS}\n", 404)) from error
        raise
    return PlainTextResponse("You're out.\n") if one_click else page(request, "left.html")
