"""Leaving, by the page behind the link or by the button of a mail program (RFC 8058)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException

from app.bootstrap import Container
from app.core.db import Session
from app.core.errors import InvalidToken
from app.core.signing import Purpose
from app.models.states import SubscriberStatus
from app.stages.audience import leaving
from app.stages.audience.leaving import Leaving
from app.stages.audience.visitor import Visitor
from app.stages.audience.wishes import read_day, today_of
from app.web.answers import AnswerWith
from app.web.deps import BriefSession, ContainerDep, Now, ReadSession, VisitorDep
from app.web.errors import NOT_OURS
from app.web.fields import form_of
from app.web.pages import page
from app.web.public.choices import rests
from app.web.speech import speak

router = APIRouter(include_in_schema=False)


_BACK = ("undo", "weekly", "pause")


@dataclass(frozen=True, slots=True)
class Pressed:
    """What was sent: by a mail program (`one_click`), or by a person who may want the paper back (`back`)."""

    one_click: bool = False
    back: str = ""
    until: str = ""


async def what_was_pressed(request: Request) -> Pressed:
    """Reads the body. A mail program's is List-Unsubscribe=One-Click, in either form encoding.

    A body that cannot be read counts as a person's press to leave: nobody is kept for want of a well-formed form.
    """
    try:
        form = await form_of(request)
    except HTTPException as error:
        if error.status_code != 400:
            raise
        return Pressed()
    if form.get("List-Unsubscribe") == "One-Click":
        return Pressed(one_click=True)
    back = str(form.get("back", ""))
    return Pressed(back=back, until=str(form.get("until", ""))) if back in _BACK else Pressed()


PressedDep = Annotated[Pressed, Depends(what_was_pressed)]


@router.api_route("/unsubscribe/{token}", methods=["GET", "HEAD"])
async def ask(request: Request, token: str, session: ReadSession, container: ContainerDep, now: Now) -> Response:
    found = await leaving.look_up(session, container.signer, container.suppressor, token, now)
    speak(request, found.language)
    if found.status in (None, SubscriberStatus.LEFT):
        return _left(request, container, found, now)
    preferences = container.signer.sign(Purpose.PREFERENCES, found.ref) if found.ref else ""
    return page(request, "leave.html", masked=found.address, preferences=preferences)


@router.post("/unsubscribe/{token}")
async def leave(
    request: Request,
    token: str,
    pressed: PressedDep,
    session: BriefSession,
    container: ContainerDep,
    visitor: VisitorDep,
    now: Now,
) -> Response:
    """Lets the reader go, and answers 200 at once: never a redirect (RFC 8058 section 3.1), never a cookie.

    A person who has just gone may press a button that brings the paper back; a mail program never does.
    """
    if pressed.back:
        return await _back(request, token, pressed, session, container, visitor, now)
    one_click = pressed.one_click
    try:
        await leaving.leave(session, container.signer, token, "one-click" if one_click else "link", visitor, now)
    except InvalidToken as error:
        if one_click:
            raise AnswerWith(PlainTextResponse(f"{NOT_OURS}\n", 404)) from error
        raise
    if one_click:
        return PlainTextResponse("You're out.\n")
    found = await leaving.look_up(session, container.signer, container.suppressor, token, now)
    speak(request, found.language)
    return _left(request, container, found, now)


async def _back(
    request: Request,
    token: str,
    pressed: Pressed,
    session: Session,
    container: Container,
    visitor: Visitor,
    now: datetime,
) -> Response:
    rest = read_day(pressed.until) if pressed.back == "pause" else None
    how = leaving.Return(weekly=pressed.back == "weekly", rest_until=rest)
    zone = container.settings.zone
    found = await leaving.undo(session, container.signer, container.suppressor, token, how, zone, visitor, now)
    speak(request, found.language)
    preferences = container.signer.sign(Purpose.PREFERENCES, found.ref)
    return page(request, "back.html", masked=found.address, weekly=how.weekly, rest_until=rest, preferences=preferences)


def _left(request: Request, container: Container, found: Leaving, now: datetime) -> Response:
    today = today_of(now, found.zone, container.settings.zone)
    return page(request, "left.html", can_undo=found.can_undo, rests=rests(today))
