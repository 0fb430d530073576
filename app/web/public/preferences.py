"""The reader's own page, behind the signed link of every mail: no login, no script, nothing changed by looking."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from app.bootstrap import Container
from app.core.db import Session
from app.core.errors import InvalidInput
from app.core.language import say
from app.models.states import SubscriberStatus
from app.stages.audience import preferences
from app.stages.audience.preferences import Standing
from app.stages.audience.visitor import Visitor
from app.stages.audience.wishes import Wishes, read_day
from app.web.answers import AnswerWith
from app.web.deps import BriefSession, ContainerDep, Now, ReadSession, VisitorDep
from app.web.fields import form_of
from app.web.morning import had_today
from app.web.public.choices import Shown, show
from app.web.speech import speak

router = APIRouter(include_in_schema=False)

_READING = (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)

Form = Annotated[FormData, Depends(form_of)]


@router.api_route("/preferences/{token}", methods=["GET", "HEAD"])
async def ask(request: Request, token: str, session: ReadSession, container: ContainerDep, now: Now) -> HTMLResponse:
    found = await preferences.look_up(session, container.signer, token, now)
    speak(request, found.choices.language)
    had = await had_today(session, container.settings, found.subscriber_id, now)
    return show(request, Shown(found, now, had))


@router.post("/preferences/{token}")
async def change(
    request: Request,
    token: str,
    form: Form,
    session: BriefSession,
    container: ContainerDep,
    visitor: VisitorDep,
    now: Now,
) -> HTMLResponse:
    """One press of one of the page's buttons; `action` says which: save, undo, pause or resume."""
    action = str(form.get("action", "save"))
    found = await preferences.hold(session, container.signer, token, now)
    speak(request, found.choices.language)
    had = await had_today(session, container.settings, found.subscriber_id, now)
    shown = Shown(found, now, had)
    if found.status not in _READING:
        return show(request, shown, status=409)
    try:
        done = await _carry_out(action, form, session, container, token, visitor, now)
    except InvalidInput as error:
        typed = wishes_of(form) if action == "save" else None
        raise AnswerWith(show(request, replace(shown, typed=typed, error=error), status=422)) from error
    speak(request, done.choices.language)
    before = found.choices if action == "save" and found.choices != done.choices else None
    return show(request, replace(shown, standing=done, action=action, before=before))


async def _carry_out(
    action: str,
    form: FormData,
    session: Session,
    container: Container,
    token: str,
    visitor: Visitor,
    now: datetime,
) -> Standing:
    signer = container.signer
    match action:
        case "save" | "undo":
            return await preferences.change(session, signer, token, wishes_of(form), visitor, now)
        case "pause":
            until, zone = read_day(str(form.get("until", ""))), container.settings.zone
            return await preferences.pause(session, signer, token, until, zone, visitor, now)
        case "resume":
            return await preferences.resume(session, signer, token, visitor, now)
        case _:
            raise InvalidInput(say("This page has no such button."), "action")


def wishes_of(form: FormData) -> Wishes:
    """The fields of the form, as text."""
    names = ("frequency", "delivery_time", "zone", "form", "first_name", "language")
    return Wishes(tuple(map(str, form.getlist("sections"))), *(str(form.get(name, "")) for name in names))
